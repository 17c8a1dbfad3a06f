"""First alarms of rlwatch and rldoctor, as installed, on runs that `npm run bench -- detection --export DIR` has written.

    python3 -m pip install rlwatch rldoctor
    python3 bench/detection/python_rivals.py DIR > bench/detection/python-rivals.json

Both run with their defaults. They get every series that they have an argument for and that the simulator draws; rewards of single
answers and the spread of advantages are not simulated, so rlwatch's two detectors of those say nothing.
"""
import json
import logging
import pathlib
import sys
import warnings
from importlib.metadata import version

import rl_doctor.live
from rl_doctor.detectors.base import Severity
from rlwatch.config import RLWatchConfig
from rlwatch.detectors import DetectorSuite

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def iterations(path):
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if entry["type"] == "event":
            yield entry["iteration"], {name: float(value) for name, value in entry["metrics"].items()}


def remember(first, severity, iteration, detector):
    alarm = {"iteration": iteration, "kind": detector}
    if first["warning"] is None:
        first["warning"] = alarm
    if severity == "critical" and first["critical"] is None:
        first["critical"] = alarm


def rlwatch_alarms(path):
    suite = DetectorSuite(RLWatchConfig())
    first = {"warning": None, "critical": None}
    for iteration, metrics in iterations(path):
        alerts = suite.check_step(
            iteration,
            entropy=metrics.get("entropy/token"),
            kl_divergence=metrics.get("kl_ref/token"),
            reward_mean=metrics.get("reward/score"),
            loss=metrics.get("loss/total"),
            grad_norm=metrics.get("grad/norm"),
        )
        for alert in alerts:
            remember(first, alert.severity, iteration, alert.detector)
        if first["critical"]:
            break
    return first


NAMES = {
    "reward/score": "reward",
    "entropy/token": "entropy",
    "kl_ref/token": "kl",
    "grad/norm": "grad_norm",
    "loss/policy": "policy_loss",
    "length/mean": "response_length_mean",
    "length/clip_ratio": "response_length/clip_ratio",
    "ppo/clip_fraction": "clip_ratio",
    "value/explained_variance": "value_explained_var",
    "optim/lr": "lr",
}


def rldoctor_alarms(path):
    monitor = rl_doctor.live.LiveMonitor(on_finding=lambda finding: None)
    first = {"warning": None, "critical": None}
    for iteration, metrics in iterations(path):
        record = {NAMES[name]: value for name, value in metrics.items() if name in NAMES}
        score = metrics.get("quality/heldout_reward", metrics.get("quality/judge"))
        if score is not None:
            record["eval_score"] = score
        for finding in monitor.log(record, step=iteration):
            remember(first, "critical" if finding.severity >= Severity.CRITICAL else "warning", iteration, finding.detector)
        if first["critical"]:
            break
    return first


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    labels = json.loads((folder / "labels.json").read_text())
    runs = {}
    for done, name in enumerate(labels):
        path = folder / f"{name}.jsonl"
        runs[name] = {**labels[name], "alarms": {"rlwatch": rlwatch_alarms(path), "rldoctor": rldoctor_alarms(path)}}
        if done % 20 == 0:
            print(f"{done} of {len(labels)}", file=sys.stderr)
    print(json.dumps({"versions": {name: version(name) for name in ("rlwatch", "rldoctor")}, "runs": runs}, indent=1))
