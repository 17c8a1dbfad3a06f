"""What the client writes, and that nothing it is given reaches the training as an exception."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import datetime
import enum
import fractions
import json
import os
import pathlib
import random
import signal
import stat
import subprocess
import sys
import threading
from typing import Any

import pytest

import telltale


def metrics_of(lines: Any, phase: str = "policy_update") -> Any:
    return [(line["iteration"], line["metrics"]) for line in lines if line.get("phase") == phase]


def test_a_run_begins_says_its_numbers_and_ends(lines_of: Any) -> None:
    with telltale.init("summaries", "first", {"lr": 3e-6}, run_id="r-1", trainer="trl-ppo", total_iterations=3) as run:
        run.log({"a": 1.5}, 0)
        run.log({"b": 2}, 0)
        run.log({"a": 2.5}, 1)
        assert pathlib.Path(run.folder) == pathlib.Path(".telltale/runs/r-1").absolute()
        # On disk at once: nothing is held back for an end that a killed process does not reach.
        assert len(lines_of(run.folder)) == 6
    lines = lines_of(run.folder)
    assert [line["seq"] for line in lines] == list(range(1, 10))
    assert {(line["v"], line["run"], line["writer"]) for line in lines} == {(1, "r-1", run.writer)}
    head = lines[0]
    assert (head["type"], head["attempt"], head["project"], head["name"], head["trainer"]) == ("run", 1, "summaries", "first", "trl-ppo")
    assert lines[1]["metadata"] == {"config": {"lr": 3e-6}, "totalIterations": 3}
    assert [(line.get("phase"), line["iteration"]) for line in lines[1:-1]] == [
        ("training_start", 0),
        ("policy_update", 0),
        ("policy_update", 0),
        ("iteration_end", 0),
        ("policy_update", 1),
        ("iteration_end", 1),
        ("training_end", 1),
    ]
    assert lines[-2]["metadata"] == {"status": "completed"}
    assert (lines[-1]["type"], lines[-1]["status"], run.status) == ("end", "completed", "completed")
    assert stat.S_IMODE(os.stat(".telltale").st_mode) == 0o700


def test_the_folder_the_id_and_the_stop_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, order: Any) -> None:
    monkeypatch.setenv("TELLTALE_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TELLTALE_RUN_ID", "from-env")
    monkeypatch.setenv("TELLTALE_STOP", "off")
    with telltale.init() as run:
        assert run.folder == str(tmp_path / "data" / "runs" / "from-env")
        order(run)
        assert not run.should_stop()


def test_an_id_that_is_there_is_continued(lines_of: Any) -> None:
    for _ in range(2):
        with telltale.init(run_id="again") as run:
            run.log({"a": 1})
    assert sorted(line["attempt"] for line in lines_of(run.folder) if line["type"] == "run") == [1, 2]


def test_a_hostile_id_becomes_a_name(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    with telltale.init(run_id="../../\x1b[31mup" + "x" * 100) as run:
        pass
    assert run.id == ("------" + "-[31mup".replace("[", "-") + "x" * 100)[:64]
    assert pathlib.Path(run.folder).parent == tmp_path / ".telltale" / "runs"
    error = capsys.readouterr().err
    assert "becomes" in error and "\x1b" not in error


def test_numbers_of_every_kind_arrive_and_others_are_counted(lines_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np
    import torch

    class Hostile:
        def __float__(self) -> float:
            raise RuntimeError("no")

        def __repr__(self) -> str:
            raise RuntimeError("no")

    good = {
        "bool": (True, 1),
        "nan": (float("nan"), "NaN"),
        "inf": (float("inf"), "Infinity"),
        "-inf": (-float("inf"), "-Infinity"),
        "-0": (-0.0, -0.0),
        "huge": (10**400, "Infinity"),
        "-huge": (-(10**400), "-Infinity"),
        "big": (2**60, float(2**60)),
        "fraction": (fractions.Fraction(1, 4), 0.25),
        "np32": (np.float32(0.5), 0.5),
        "np_int": (np.int64(3), 3),
        "np_nan": (np.float64("nan"), "NaN"),
        "np_array": (np.array([2.0]), 2.0),
        "torch": (torch.tensor(0.25, requires_grad=True), 0.25),
        "torch_bf16": (torch.tensor([1.5], dtype=torch.bfloat16), 1.5),
        "__proto__": (1.0, 1.0),
        "\x1b[31m<b>": (1.0, 1.0),
        "\ud800": (1.0, 1.0),
        "": (1.0, 1.0),
    }
    bad = ["1.0", b"1", [1.0], {"a": 1}, Hostile(), object(), torch.zeros(2), np.zeros(3), 1j, lambda: 1]
    with telltale.init() as run:
        run.log({name: value for name, (value, _) in good.items()}, 0)
        for i, value in enumerate(bad):
            run.log({f"bad{i}": value, "ok": i, "none": None}, i + 1)
        run.log({3: 1.0, Hostile(): 2.0}, 20)  # type: ignore[dict-item]
        run.log([("a", 1)], 21)  # type: ignore[arg-type]
        run.log(None, 22)  # type: ignore[arg-type]
    lines = lines_of(run.folder)
    logged = dict(metrics_of(line for line in lines if "metrics" in line))
    assert logged[0] == {name: wanted for name, (_, wanted) in good.items()}
    assert [logged[i + 1] for i in range(len(bad))] == [{"ok": i} for i in range(len(bad))]
    assert logged[20]["3"] == 1.0
    # A name that cannot be asked for is one more that is no number.
    assert run.counts == {"values_rejected": len(bad) + 3}
    error = capsys.readouterr().err
    assert error.count("is no number") == 1 and error.count("expected a mapping") == 1
    assert f"{len(bad) + 3} values rejected" in error
    assert lines[-2]["metadata"]["client"] == run.counts


def test_steps_count_on_and_what_is_none_is_said(lines_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    with telltale.init() as run:
        run.log({"a": 1})
        run.log({"a": 2})
        run.log({"a": 3}, np.int64(5))  # type: ignore[arg-type]
        run.log({"a": 4}, 6.0)  # type: ignore[arg-type]
        for step in (-1, float("nan"), "7", 2**53, object()):
            run.log({"a": 5}, step)  # type: ignore[arg-type]
        run.log({"late": 1}, 2)
        run.log({"a": 6}, 7)
    lines = lines_of(run.folder)
    assert [step for step, _ in metrics_of(lines)] == [0, 1, 5, 6, 6, 6, 6, 6, 6, 2, 7]
    assert [line["iteration"] for line in lines if line.get("phase") == "iteration_end"] == [0, 1, 5, 6, 7]
    assert run.counts == {"steps_rejected": 5}
    assert capsys.readouterr().err.count("a step is") == 1


def test_the_limits_of_the_format_are_kept_and_counted(lines_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with telltale.init() as run:
        run.log({f"m{i}": i for i in range(1500)}, 0)
        run.log({"é" * 126: 1, "é" * 125: 2}, 0)
        run.log({f"n{i}": i for i in range(1000)}, 1)
        run.log({"m0": 1}, 2)
        run.samples(["p"] * 100, ["x" * 40_000, "é" * 20_000, "ok"], list(range(100)), 2)
    names = {name for _, metrics in metrics_of(line for line in lines_of(run.folder) if "metrics" in line) for name in metrics}
    assert len(names) == 2000 and "é" * 125 in names and "é" * 126 not in names
    samples = next(line for line in lines_of(run.folder) if line["type"] == "samples")
    assert (len(samples["prompts"]), len(samples["rewards"])) == (64, 64)
    assert [len(text.encode()) for text in samples["responses"]] == [32768, 32768, 2]
    assert run.counts == {"names_dropped": 502, "samples_cut": 38}
    assert "at most 2000 names" in capsys.readouterr().err


def test_answers_that_do_not_fit_one_line_are_left_out(lines_of: Any) -> None:
    with telltale.init() as run:
        run.samples(["\x01" * 32_768] * 64, ["\x02" * 32_768] * 64, None, 0)
        run.log({"a": 1}, 0)
    assert not any(line["type"] == "samples" for line in lines_of(run.folder))
    assert run.counts["samples_cut"] == 64 and metrics_of(lines_of(run.folder)) == [(0, {"a": 1})]


def test_answers_are_texts_or_chat(lines_of: Any) -> None:
    chat = [{"role": "system", "content": "be kind"}, {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image"}]}]
    with telltale.init() as run:
        run.samples([chat, "plain \ud800"], [[{"role": "assistant", "content": "hello"}], None], [None, float("nan")], 3)
        run.log({"a": 1}, 3)
        run.samples(step=4)
        run.samples(None, None, [1.0], 4)
    lines = lines_of(run.folder)
    first = lines.index(next(line for line in lines if line["type"] == "samples"))
    assert lines[first]["prompts"] == ["system: be kind\nuser: hi\n", "plain ?"]
    assert lines[first]["responses"] == ["hello", ""] and lines[first]["rewards"] == ["NaN", "NaN"]
    event = lines[first + 1]
    assert (event["phase"], event["iteration"], event["samples"]) == ("response_generated", 3, lines[first]["seq"])


def test_a_configuration_may_be_anything(lines_of: Any) -> None:
    class Color(enum.Enum):
        RED = "red"

    @dataclasses.dataclass
    class Optimiser:
        lr: float = 0.1
        betas: Any = (0.9, 0.99)

    class Hostile:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    circle: Any = {}
    circle["me"] = circle
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    config = {
        "color": Color.RED,
        "optimiser": Optimiser(),
        "path": pathlib.Path("a/b"),
        "when": datetime.date(2026, 1, 2),
        "nan": float("nan"),
        "big": 2**70,
        "huge": 10**5000,
        "args": argparse.Namespace(x=1),
        "set": {1},
        "model": object(),
        "function": len,
        "hostile": Hostile(),
        "circle": circle,
        "deep": deep,
        1: "number as a name",
        "text": "x" * 3_000_000,
        "many": list(range(100_000)),
    }
    with telltale.init("p", config=config) as run:  # type: ignore[arg-type]
        run.log({"a": 1})
    said = lines_of(run.folder)[1]["metadata"]["config"]
    assert said["color"] == "red" and said["optimiser"] == {"lr": 0.1, "betas": [0.9, 0.99]} and said["path"] == "a/b"
    assert said["when"] == "2026-01-02" and said["nan"] == "NaN" and said["big"] == str(2**70) and said["args"] == {"x": 1}
    assert said["set"] == [1] and said["model"] == "<builtins.object>" and said["1"] == "number as a name"
    assert said["circle"] == {"me": None} and len(said["text"]) <= 1024 * 1024
    assert run.counts["config_cut"] > 0
    assert os.path.getsize(next(pathlib.Path(run.folder).glob("events-*"))) < 4_000_000


def test_a_configuration_that_cannot_be_read_at_all_costs_itself(lines_of: Any) -> None:
    class Broken(dict):  # type: ignore[type-arg]
        def items(self) -> Any:
            raise RuntimeError("no items")

    with telltale.init(config=Broken(a=1)) as run:
        run.log({"a": 1})
    assert metrics_of(lines_of(run.folder)) == [(0, {"a": 1})]


@pytest.mark.parametrize("place", ["file/below", "/proc/telltale", "\0"])
def test_a_folder_that_cannot_be_written_is_said_once_and_harms_nothing(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    pathlib.Path("file").write_text("")
    with telltale.init("p", dir=place) as run:
        for step in range(3):
            run.log({"a": 1}, step)
            run.samples(["p"], ["r"], [1.0])
            run.checkpoint(step)
            run.announce("learning-rate")
            assert not run.should_stop()
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "nothing of this run is logged" in error and "TELLTALE_DIR" in error


FULL = """
import resource, sys, telltale
run = telltale.init("p", run_id="full", dir=sys.argv[1])
for step in range(20):
    run.log({"a": step}, step)
size = __import__("os").path.getsize(run._log.path)
# In the middle of a line.
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 150, resource.RLIM_INFINITY))
for step in range(20, 40):
    run.log({"a": step}, step)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for step in range(40, 60):
    run.log({"a": step}, step)
run.finish()
print(run.counts)
"""


def test_a_full_disk_costs_what_came_meanwhile_and_is_named(tmp_path: pathlib.Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    lost = ast.literal_eval(done.stdout)["lines_lost"]
    log = next((tmp_path / "runs" / "full").glob("events-*.jsonl"))
    whole, torn = [], 0
    for text in log.read_text().splitlines():
        try:
            whole.append(json.loads(text))
        except ValueError:
            torn += 1
    assert torn == 1
    assert [line["seq"] for line in whole] == sorted({line["seq"] for line in whole})
    gap = [line for line in whole if line["type"] == "gap"]
    assert [line["dropped"] for line in gap] == [lost] and lost > 30
    steps = [line["iteration"] for line in whole if line.get("phase") == "policy_update"]
    assert set(range(20)) | set(range(41, 60)) <= set(steps)
    assert done.stderr.count("cannot be written") == 1 and "File too large" in done.stderr
    assert f"{lost} lines lost" in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_silent(lines_of: Any) -> None:
    run = telltale.init()
    run.log({"a": 1}, 0)
    before = lines_of(run.folder)
    child = os.fork()
    if child == 0:
        try:
            run.log({"child": 1}, 1)
            run.samples(["p"], ["r"], [1.0])
            run.announce("child")
            run.checkpoint(1)
            silent = not run.should_stop()
            run.finish()
        finally:
            os._exit(0 if silent else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert lines_of(run.folder) == before
    run.log({"a": 2}, 1)
    run.finish()
    assert metrics_of(lines_of(run.folder)) == [(0, {"a": 1}), (1, {"a": 2})]


def test_threads_do_not_mix_their_lines(lines_of: Any) -> None:
    with telltale.init() as run:

        def work(name: str) -> None:
            for i in range(500):
                run.log({name: float(i), f"{name}/nan": float("nan") if i % 3 == 0 else 1.0}, 0)

        threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = lines_of(run.folder)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert len(metrics_of(lines)) == 2000


def test_a_signal_between_two_instructions_does_not_break_the_order(lines_of: Any) -> None:
    with telltale.init() as run:
        signal.signal(signal.SIGALRM, lambda *_: run.log({"handler": 1.0}, 0))
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            for i in range(20_000):
                run.log({"a": float(i), "b": float("nan")}, 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    lines = lines_of(run.folder)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    handled = sum("handler" in metrics for _, metrics in metrics_of(lines))
    assert handled + run.counts.get("lines_lost_in_handlers", 0) > 0


ENDS = {
    "returns": ("pass", 0, "completed"),
    "raises": ("raise ValueError('boom')", 1, "failed"),
    "exits": ("sys.exit(5)", 5, "completed"),
    "stops": ("raise telltale.TelltaleStop('the KL explodes')", 3, "completed"),
    "interrupted": ("raise KeyboardInterrupt", None, "stopped"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_run_that_nobody_ends_is_ended_with_python(name: str, tmp_path: pathlib.Path, lines_of: Any) -> None:
    last, code, status = ENDS[name]
    script = f"import sys, telltale\nrun = telltale.init('p', run_id='r', dir={str(tmp_path)!r})\nrun.log({{'a': 1}})\n{last}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    if code is not None:
        assert done.returncode == code
    lines = lines_of(tmp_path / "runs" / "r")
    assert (lines[-1]["type"], lines[-1]["status"]) == ("end", status)
    assert lines[-2]["metadata"].get("error") == ("boom" if name == "raises" else None)


def test_what_was_logged_survives_a_kill(tmp_path: pathlib.Path, lines_of: Any) -> None:
    script = f"import os, signal, telltale\nrun = telltale.init('p', run_id='r', dir={str(tmp_path)!r})\n" + (
        "for i in range(1000): run.log({'a': i, 'b': float('nan')}, i)\nprint('logged', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "logged\n" and done.returncode == -signal.SIGKILL
    assert len(metrics_of(lines_of(tmp_path / "runs" / "r"))) == 1000


def test_an_exception_in_the_block_is_how_the_run_failed(lines_of: Any) -> None:
    with pytest.raises(ZeroDivisionError), telltale.init() as run:
        1 / 0
    assert run.status == "failed" and lines_of(run.folder)[-2]["metadata"]["error"] == "division by zero"
    with pytest.raises(telltale.TelltaleStop), telltale.init() as run:
        raise telltale.TelltaleStop("enough")
    assert run.status == "stopped"


def test_nothing_follows_the_end(lines_of: Any) -> None:
    run = telltale.init()
    run.finish()
    lines = lines_of(run.folder)
    run.log({"a": 1})
    run.samples(["p"], ["r"], [1.0])
    run.announce("x")
    run.finish("failed")
    assert lines_of(run.folder) == lines and run.status == "completed"


def test_only_rank_0_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    with telltale.init() as run:
        run.log({"a": 1})
        run.samples(["p"], ["r"])
        assert not run.should_stop()
    assert not os.path.exists(".telltale") and run.status == "completed"


def test_checkpoints_and_announcements_are_said(lines_of: Any) -> None:
    with telltale.init() as run:
        run.checkpoint(10, "out/checkpoint-10")
        run.checkpoint(20, removed=[10])
        run.announce("learning-rate")
        run.checkpoint("x")  # type: ignore[arg-type]
    lines = lines_of(run.folder)
    saved = [(line["iteration"], line.get("metadata")) for line in lines if line.get("phase") == "checkpoint_saved"]
    assert saved[:2] == [(10, {"path": "out/checkpoint-10"}), (20, {"removed": [10]})]
    assert [line["what"] for line in lines if line["type"] == "announce"] == ["learning-rate"]


def test_random_numbers_come_back_as_they_were(lines_of: Any) -> None:
    chance = random.Random(1)
    values = [chance.uniform(-1, 1) * 10 ** chance.randint(-300, 300) for _ in range(2000)]
    with telltale.init() as run:
        for value in values:
            run.log({"fast": value})
            run.log({"slow": value, "nan": float("nan")})
    logged = [metrics.get("fast", metrics.get("slow")) for _, metrics in metrics_of(lines_of(run.folder))]
    assert logged == [value for value in values for _ in range(2)]


def test_the_source_is_python_3_9() -> None:
    source = pathlib.Path(telltale.__file__).read_text()
    ast.parse(source, feature_version=(3, 9))
    wanted = {alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for alias in node.names}
    wanted |= {str(node.module) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert wanted <= set(sys.stdlib_module_names)
