"""Logs the same numbers with each tracker's own writer, and says what each tracker's own reader gives.

    python trackers.py write TRACKER FOLDER STEPS SECONDS_A_STEP
    python trackers.py read TRACKER FOLDER

`read` prints {series: [[step, value], ...]}, non-finite values as texts.
"""

import json
import math
import os
import random
import sys
import time
from pathlib import Path


def logged(steps):
    """Steps with their numbers: some series now and then, some values that are no numbers, a long and an odd name."""
    chance = random.Random(7)
    for step in range(1, steps + 1):
        numbers = {"loss": chance.gauss(1, 0.3), "rewards/a b/mean": chance.random(), "kl": 1e-7 * step}
        if step % 3 == 0:
            numbers["grad_norm"] = math.nan if step % 9 == 0 else chance.expovariate(1)
        if step % 7 == 0:
            numbers["x" * 200] = float(step)
        yield step, numbers


def write_tensorboard(folder, steps, pause):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(folder, flush_secs=1)
    for step, numbers in logged(steps):
        for name, value in numbers.items():
            writer.add_scalar(name, value, step, new_style=step % 2 == 0 and name == "kl")
        if pause:
            writer.flush()
        time.sleep(pause)
    writer.close()


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    series = {name: [[e.step, e.value] for e in accumulator.Scalars(name)] for name in accumulator.Tags()["scalars"]}
    for name in accumulator.Tags()["tensors"]:
        from tensorboard.util.tensor_util import make_ndarray

        values = [[e.step, float(make_ndarray(e.tensor_proto))] for e in accumulator.Tensors(name)]
        series[name] = sorted(series.get(name, []) + values)
    return series


def write_wandb(folder, steps, pause):
    os.environ.update(WANDB_MODE="offline", WANDB_DIR=folder, WANDB_SILENT="true")
    import wandb

    run = wandb.init(project="p", settings=wandb.Settings(x_disable_stats=True))
    for step, numbers in logged(steps):
        # A text of 40 kB spans blocks of the log.
        text = {"note": "n" * 40_000} if step % 20 == 0 else {}
        run.log({**numbers, "nested": {"deep": {"n": step}}, **text}, step=step)
        time.sleep(pause)
    run.finish()


def read_wandb(folder):
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    store = DataStore()
    store.open_for_scan(str(next(Path(folder).rglob("*.wandb"))))
    series = {}
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") != "history":
            continue
        items = {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        step = items["_step"]
        for name, value in items.items():
            if value in ("NaN", "Infinity", "-Infinity"):
                value = float(value)
            if not name.startswith("_") and isinstance(value, (int, float)):
                series.setdefault(name, []).append([step, value])
    return series


def write_trackio(folder, steps, pause):
    os.environ.update(TRACKIO_DIR=folder, HF_HUB_OFFLINE="1")
    import trackio

    trackio.init(project="p", name="a-run", config={"learning_rate": 1e-5}, auto_log_gpu=False)
    for step, numbers in logged(steps):
        trackio.log(numbers, step=step)
        time.sleep(pause)
    trackio.finish()


def read_trackio(folder):
    os.environ.update(TRACKIO_DIR=folder, HF_HUB_OFFLINE="1")
    from trackio.sqlite_storage import SQLiteStorage

    series = {}
    for row in SQLiteStorage.get_logs("p", "a-run"):
        for name, value in row.items():
            if value in ("NaN", "Infinity", "-Infinity"):
                value = float(value)
            if name not in ("step", "timestamp", "log_id") and isinstance(value, (int, float)):
                series.setdefault(name, []).append([row["step"], value])
    return series


def mlflow_at(uri):
    os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_DISABLE_TELEMETRY="true", GIT_PYTHON_REFRESH="quiet")
    import mlflow

    mlflow.set_tracking_uri(uri)
    return mlflow


def write_mlflow(uri, steps, pause):
    mlflow = mlflow_at(uri)
    with mlflow.start_run(run_name="a-run"):
        mlflow.log_params({"learning_rate": 1e-5, "name": "it's: odd"})
        for step, numbers in logged(steps):
            mlflow.log_metrics(numbers, step=step)
            time.sleep(pause)


def read_mlflow(uri):
    client = mlflow_at(uri).MlflowClient()
    [run] = client.search_runs(["0"])
    history = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
    return {name: sorted([m.step, m.value] for m in values) for name, values in history.items()}


def write_mlflow_files(folder, steps, pause):
    write_mlflow(f"file://{folder}/mlruns", steps, pause)


def read_mlflow_files(folder):
    return read_mlflow(f"file://{folder}/mlruns")


def write_mlflow_database(folder, steps, pause):
    write_mlflow(f"sqlite:///{folder}/mlruns.db", steps, pause)


def read_mlflow_database(folder):
    return read_mlflow(f"sqlite:///{folder}/mlruns.db")


def write_lightning_csv(folder, steps, pause):
    from lightning.pytorch.loggers import CSVLogger

    logger = CSVLogger(folder, flush_logs_every_n_steps=5)
    for step, numbers in logged(steps):
        logger.log_metrics(numbers, step)
        time.sleep(pause)
    logger.save()


def read_lightning_csv(folder):
    import csv

    series = {}
    with open(next(Path(folder).rglob("metrics.csv")), newline="") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name != "step" and value != "":
                    series.setdefault(name, []).append([int(row["step"]), float(value)])
    return series


def text(value):
    return value if math.isfinite(value) else str(value)


action, tracker, folder = sys.argv[1:4]
Path(folder).mkdir(parents=True, exist_ok=True)
if action == "write":
    globals()[f"write_{tracker}"](folder, int(sys.argv[4]), float(sys.argv[5]))
else:
    series = globals()[f"read_{tracker}"](folder)
    print(json.dumps({name: [[step, text(value)] for step, value in points] for name, points in series.items()}))
