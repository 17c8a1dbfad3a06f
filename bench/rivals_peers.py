"""The Python side of bench/rivals.mjs: each tracker logs steps of ten numbers, and its own reader says how many steps are there.

    rivals_peers.py log   TOOL FOLDER STEPS     logs, and writes the figures as one line of JSON
    rivals_peers.py crash TOOL FOLDER RATE      logs RATE steps a second until it is killed; writes a dot for each call that returned
    rivals_peers.py read  TOOL FOLDER           writes {"steps": N}, those that have all ten numbers
    rivals_peers.py version TOOL

Trackers get their defaults, but nothing measures the machine or reads the code: only the ten numbers are compared.
"""

import json
import math
import os
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

# What libraries print must not be taken for an answer.
answers = os.dup(1)
os.dup2(2, 1)

CENTERS = json.loads(Path(__file__).with_name("rivals-rows.json").read_text())
# Calm numbers with all their digits; as many different rows as no cache of a writer holds.
ROWS = [{name: center * (1 + 0.01 * math.sin(i * (k + 1))) for k, (name, center) in enumerate(CENTERS.items())} for i in range(4096)]
NAMES = set(CENTERS)


class Telltale:
    """`python/telltale`. Its reader is Telltale's own, in bench/rivals_telltale.mjs."""

    def __init__(self, folder):
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
        import telltale

        self.run = telltale.init("bench", dir=folder, run_id="r")
        self.log = self.run.log

    def finish(self):
        self.run.finish()


class OfRun:
    """What logs to a run that `self.run` holds."""

    def log(self, row, step):
        self.run.log(row, step=step)

    def finish(self):
        self.run.finish()


class Trackio(OfRun):
    def __init__(self, folder):
        os.environ["TRACKIO_DIR"] = folder
        import trackio

        self.run = trackio.init("p", name="r", embed=False, auto_log_gpu=False, auto_log_cpu=False)

    @staticmethod
    def steps(folder):
        os.environ["TRACKIO_DIR"] = folder
        from trackio.sqlite_storage import SQLiteStorage

        return sum(NAMES <= set(row) for row in SQLiteStorage.get_logs("p", "r"))


class Wandb(OfRun):
    def __init__(self, folder):
        os.environ.update(WANDB_MODE="offline", WANDB_DIR=folder, WANDB_SILENT="true")
        import wandb

        settings = wandb.Settings(x_disable_meta=True, x_disable_stats=True, disable_git=True, disable_code=True)
        self.run = wandb.init(project="p", settings=settings)

    @staticmethod
    def steps(folder):
        from wandb.proto import wandb_internal_pb2
        from wandb.sdk.internal.datastore import DataStore

        log = next(Path(folder).rglob("*.wandb"), None)
        if log is None:
            return 0
        store = DataStore()
        store.open_for_scan(str(log))
        steps = 0
        # A record that was cut off ends the scan, as it ends `wandb sync`.
        while (data := or_none(store.scan_data)) is not None:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                steps += NAMES <= {item.key or "/".join(item.nested_key) for item in record.history.item}
        return steps


def or_none(read):
    try:
        return read()
    except AssertionError:
        return None


class Tensorboard:
    def __init__(self, folder):
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(folder)

    def log(self, row, step):
        for name, value in row.items():
            self.writer.add_scalar(name, value, step)

    def finish(self):
        self.writer.close()

    @staticmethod
    def steps(folder):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        # 0: keep all.
        accumulator = EventAccumulator(folder, size_guidance={"scalars": 0})
        accumulator.Reload()
        names = Counter(event.step for tag in accumulator.Tags()["scalars"] for event in accumulator.Scalars(tag))
        return sum(count == len(NAMES) for count in names.values())


class Mlflow:
    def __init__(self, folder):
        self.mlflow = mlflow_in(folder)
        self.mlflow.start_run()

    def log(self, row, step):
        self.mlflow.log_metrics(row, step=step)

    def finish(self):
        self.mlflow.end_run()

    @staticmethod
    def steps(folder):
        client = mlflow_in(folder).MlflowClient()
        runs = client.search_runs(["0"])
        names = Counter(one.step for run in runs for name in NAMES for one in client.get_metric_history(run.info.run_id, name))
        return sum(count == len(NAMES) for count in names.values())


def mlflow_in(folder):
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    return mlflow


class Rlwatch:
    def __init__(self, folder):
        import rlwatch

        os.chdir(folder)
        self.monitor = rlwatch.attach(framework="manual", run_id="r")

    def log(self, row, step):
        self.monitor.log_step(step, **row)

    def finish(self):
        self.monitor.stop()

    @staticmethod
    def steps(folder):
        from rlwatch.config import RLWatchConfig
        from rlwatch.storage import MetricStore

        os.chdir(folder)
        rows = MetricStore(RLWatchConfig()).get_metrics("r")
        # The one name that it has no column for is JSON in another.
        flat = [{**row, **json.loads(row["extra_json"] or "{}")} for row in rows]
        return sum(all(row.get(name) is not None for name in NAMES) for row in flat)


TOOLS = {
    "telltale-python": (Telltale, None),
    "trackio": (Trackio, "trackio"),
    "wandb": (Wandb, "wandb"),
    "tensorboard": (Tensorboard, "tensorboard"),
    "mlflow": (Mlflow, "mlflow"),
    "rlwatch": (Rlwatch, "rlwatch"),
}


def log(tool, folder, steps):
    started = time.perf_counter()
    tracker = TOOLS[tool][0](folder)
    ready = time.perf_counter()
    took = []
    for step in range(int(steps)):
        row = ROWS[step % len(ROWS)]
        before = time.perf_counter_ns()
        tracker.log(row, step)
        took.append(time.perf_counter_ns() - before)
    tracker.finish()
    seconds = time.perf_counter() - ready
    took.sort()
    at = lambda share: took[int(share * (len(took) - 1))] / 1000
    return {"startSeconds": ready - started, "seconds": seconds, "p50": at(0.5), "p99": at(0.99), "max": at(1)}


def crash(tool, folder, rate):
    tracker = TOOLS[tool][0](folder)
    began = time.perf_counter()
    step = 0
    while True:
        tracker.log(ROWS[step % len(ROWS)], step)
        os.write(answers, b".")
        step += 1
        wait = began + step / float(rate) - time.perf_counter()
        if wait > 0:
            time.sleep(wait)


def main(what, tool, *rest):
    if what == "crash":
        return crash(tool, *rest)
    if what == "version":
        package = TOOLS[tool][1]
        answer = {"version": version(package) if package else "", "python": ".".join(map(str, sys.version_info[:3]))}
    elif what == "read":
        answer = {"steps": TOOLS[tool][0].steps(*rest)}
    else:
        answer = log(tool, *rest)
    os.write(answers, json.dumps(answer).encode() + b"\n")


main(*sys.argv[1:])
