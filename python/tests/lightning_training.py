"""Trains with Lightning, beside its own CSV logger: ``python lightning_training.py FOLDER CASE``; CASE is ``whole``, ``stopped`` or ``held``."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger

import telltale


class Line(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.save_hyperparameters({"lr": 0.1})
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: Any, index: int) -> Any:
        loss = (self.layer(batch[0]) - 1).square().mean()
        self.log_dict({"train/loss": loss, "train/weight": self.layer.weight.mean()})
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val/loss", (self.layer(batch[0]) - 1).square().mean())

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def main() -> None:
    folder, case = sys.argv[1:]
    torch.manual_seed(0)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(40, 1)), batch_size=4)
    whole = case == "whole"
    callback: Any = telltale.TelltaleLightningCallback("lightning", run_id=case, dir=folder)
    trainer = Trainer(
        default_root_dir=folder,
        max_epochs=3 if whole else 2000,
        min_epochs=2000 if case == "held" else None,
        accelerator="cpu",
        logger=CSVLogger(folder, name="csv", version=case),
        log_every_n_steps=5,
        enable_progress_bar=False,
        enable_checkpointing=whole,
        callbacks=[callback],
    )
    left_by = None
    try:
        trainer.fit(Line(), data, data)
    except telltale.TelltaleStop as stop:
        left_by = stop.code
    said = {"step": trainer.global_step, "stopped": callback.stopped, "status": callback.run.status, "left_by": left_by}
    said["checkpoints"] = sorted(name for name in os.listdir(folder) if name.startswith("telltale-stopped-step"))
    with open(os.path.join(folder, f"{case}.json"), "w") as file:
        json.dump(said, file)


if __name__ == "__main__":
    main()
