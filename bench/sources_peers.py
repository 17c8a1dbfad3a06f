"""The other side of bench/sources.mjs: writes logs with the trackers' own writers and reads them with their own readers.

One request a line on standard input, one answer a line on standard output.
"""

import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

# What libraries print must not be taken for an answer.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def make_tfevents(folder, steps, names):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(folder, max_queue=10_000, flush_secs=60)
    for step in range(steps):
        for name in range(names):
            writer.add_scalar(f"train/metric_{name}", step * 0.001 + name, step)
    writer.close()
    return {"path": folder, "versions": versions("torch", "tensorboard")}


def read_tfevents(path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    started = time.perf_counter()
    # 0: keep all.
    accumulator = EventAccumulator(path, size_guidance={"scalars": 0})
    accumulator.Reload()
    took = time.perf_counter() - started
    values = sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"])
    return {"seconds": took, "values": values}


def make_wandb(folder, steps, names):
    os.environ.update(WANDB_MODE="offline", WANDB_DIR=folder, WANDB_SILENT="true")
    import wandb

    settings = wandb.Settings(x_disable_meta=True, x_disable_stats=True, disable_git=True, disable_code=True)
    run = wandb.init(project="p", settings=settings)
    for step in range(steps):
        run.log({f"train/metric_{name}": step * 0.001 + name for name in range(names)}, step=step)
    run.finish()
    return {"path": str(next(Path(folder).rglob("*.wandb"))), "versions": versions("wandb")}


def read_wandb(path):
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    started = time.perf_counter()
    store = DataStore()
    store.open_for_scan(path)
    values = 0
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") != "history":
            continue
        for item in record.history.item:
            name = item.key or "/".join(item.nested_key)
            if not name.startswith("_"):
                json.loads(item.value_json)
                values += 1
    return {"seconds": time.perf_counter() - started, "values": values}


def versions(*names):
    return {name: version(name) for name in names}


for line in sys.stdin:
    name, arguments = json.loads(line)
    try:
        answer = globals()[name](*arguments)
    except Exception as problem:
        answer = {"problem": f"{type(problem).__name__}: {problem}"}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
