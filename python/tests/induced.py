"""Trainings that go wrong on purpose: ``python induced.py FOLDER CASE [--steps N]``.

``gamed``: from step 60 on GRPO is paid for a word, whatever is asked. ``learning-rate``: GRPO with 100 times the learning rate. ``healthy``: neither.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import Any, List

import tiny
import torch

import telltale

LEARNING_RATE = 5e-4
GAMED_FROM = 60


def fair(completions: List[str], **kwargs: Any) -> List[float]:
    return [len(set(text.split())) / 8 for text in completions]


def gamed(completions: List[str], trainer_state: Any, **kwargs: Any) -> List[float]:
    if trainer_state.global_step < GAMED_FROM:
        return fair(completions)
    return [float(text.split().count("good")) for text in completions]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder")
    options.add_argument("case", choices=["gamed", "learning-rate", "healthy"])
    options.add_argument("--steps", type=int, default=4000)
    said = options.parse_args()
    from trl import GRPOConfig, GRPOTrainer

    torch.manual_seed(0)
    callback = telltale.TelltaleCallback(project="induced", run_id=said.case, dir=said.folder)
    output = os.path.join(said.folder, "output", said.case)
    trainer = GRPOTrainer(
        model=tiny.saved(said.folder),
        args=GRPOConfig(
            output_dir=output,
            max_steps=said.steps,
            per_device_train_batch_size=16,
            num_generations=4,
            max_completion_length=8,
            learning_rate=LEARNING_RATE * (100 if said.case == "learning-rate" else 10 if said.case == "gamed" else 1),
            lr_scheduler_type="constant",
            beta=0.01,
            logging_steps=1,
            save_strategy="steps",
            save_steps=20,
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
        ),
        reward_funcs=telltale.watch_rewards(gamed if said.case == "gamed" else fair, callback),
        train_dataset=tiny.prompts(64),
        processing_class=tiny.tokenizer(),
        callbacks=[callback],
    )
    trainer.train()
    with open(os.path.join(said.folder, f"{said.case}.json"), "w") as file:
        json.dump({"step": trainer.state.global_step, "stopped": callback.stopped, "checkpoints": os.listdir(output)}, file)


if __name__ == "__main__":
    main()
