"""Two ranks that train together: ``torchrun --nproc-per-node 2 ranks.py FOLDER CASE``. Each writes ``rank-N.json``: where it has stopped.

CASE: ``loop`` (an own loop on every rank), ``callback`` (transformers' Trainer), ``alone`` (only rank 0 uses Telltale).
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Dict

import torch
import torch.distributed as dist

import telltale

STEPS = 4000


def loop(folder: str, rank: int) -> Dict[str, Any]:
    run = telltale.init("ranks", run_id="loop", dir=folder)
    weight = torch.zeros(1)
    stopped, asked_us = None, []
    for step in range(STEPS):
        # What keeps ranks together in a real training: the gradients. One rank is slower than the other.
        time.sleep(0.002 * rank)
        dist.all_reduce(weight)
        run.log({"reward": float(step)}, step)
        start = time.perf_counter_ns()
        stop = run.should_stop()
        asked_us.append((time.perf_counter_ns() - start) / 1000)
        if stop:
            stopped = step
            break
    run.finish()
    order = run.stop_order
    return {"stopped": stopped, "status": run.status, "rollback": order and order.rollback_to, "asked_us": sorted(asked_us)[len(asked_us) // 2]}


def alone(folder: str, rank: int) -> Dict[str, Any]:
    telltale._HANDSHAKE_SECONDS = 1.0
    run = telltale.init("ranks", run_id="alone", dir=folder) if rank == 0 else None
    stopped = None
    for step in range(60):
        dist.barrier()
        if run is not None:
            run.log({"reward": float(step)}, step)
            if step == 10:
                said = {"v": 1, "type": "stop", "run": run.id, "writer": run.writer, "reason": "test", "iteration": 1}
                with open(os.path.join(run.folder, f"control-{run.writer}.json"), "w") as file:
                    json.dump(said, file)
            if run.should_stop():
                stopped = step
    if run is not None:
        run.finish()
    return {"stopped": stopped, "status": run.status if run is not None else None}


def callback(folder: str, rank: int) -> Dict[str, Any]:
    import trainings

    watching = telltale.TelltaleCallback(run_id="callback", dir=folder)
    trainer = trainings.plain(folder, STEPS, watching)
    trainer.train()
    output = os.path.join(folder, "output", "trainer")
    return {"stopped": trainer.state.global_step, "status": watching.run and watching.run.status, "checkpoints": os.listdir(output)}


def main() -> None:
    folder, case = sys.argv[1:]
    if case != "callback":
        dist.init_process_group("gloo")
    rank = int(os.environ["RANK"])
    said = {"loop": loop, "alone": alone, "callback": callback}[case](folder, rank)
    with open(os.path.join(folder, f"rank-{rank}.json"), "w") as file:
        json.dump(said, file)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
