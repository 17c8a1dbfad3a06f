"""Orders to stop: obeyed by the process that they name and by no other."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pytest

import telltale


def test_an_order_is_obeyed_said_and_removed(order: Any, lines_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with telltale.init() as run:
        run.log({"a": 1}, 8)
        assert not run.should_stop()
        run.log({"a": 1}, 9)
        path = order(run)
        assert run.should_stop() and run.should_stop()
        assert not path.exists()
    assert run.stop_order == telltale.StopOrder("the KL explodes", 7, 4) and run.status == "stopped"
    lines = lines_of(run.folder)
    stop = [line for line in lines if line["type"] == "stop"]
    assert [(one["reason"], one["severity"], one["iteration"], one["rollbackTo"]) for one in stop] == [("the KL explodes", "critical", 7, 4)]
    assert lines[-1]["status"] == "stopped"
    assert "stops at step 9: the KL explodes. Go back to the checkpoint of step 4." in capsys.readouterr().err


def test_asking_closes_the_step_so_that_detectors_see_it(lines_of: Any) -> None:
    with telltale.init() as run:
        for step in range(3):
            run.log({"a": 1}, step)
            run.should_stop()
            assert lines_of(run.folder)[-1]["phase"] == "iteration_end"
    closed = [line["iteration"] for line in lines_of(run.folder) if line.get("phase") == "iteration_end"]
    assert closed == [0, 1, 2]


@pytest.mark.parametrize(
    "more",
    [{"run": "another"}, {"writer": "another"}, {"type": "tick"}, {"v": 2}],
    ids=["another run", "another process", "another type", "another version"],
)
def test_an_order_for_somebody_else_is_neither_obeyed_nor_removed(order: Any, more: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with telltale.init() as run:
        path = order(run, **more)
        assert not run.should_stop() and not run.should_stop()
        assert path.exists()
    assert run.status == "completed" and capsys.readouterr().err.count("is not obeyed") == 1


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"stop"', b'{"v":1', b" " * 10**7, b"[" * 100_000])
def test_garbage_is_no_order(text: bytes) -> None:
    with telltale.init() as run:
        pathlib.Path(run.folder, f"control-{run.writer}.json").write_bytes(text)
        assert not run.should_stop()


def test_a_link_a_pipe_and_a_folder_are_no_order(order: Any) -> None:
    with telltale.init() as run:
        path = order(run)
        there = path.with_name("elsewhere")
        path.rename(there)
        path.symlink_to(there)
        assert not run.should_stop()
        path.unlink()
        os.mkfifo(path)
        assert not run.should_stop()
        path.unlink()
        path.mkdir()
        assert not run.should_stop()


def test_an_order_may_say_odd_things(order: Any, lines_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with telltale.init() as run:
        run.log({"a": 1}, 3)
        order(run, reason="\x1b[31m" + "x" * 10_000, iteration=-1, rollbackTo="4", extra=[1])
        assert run.should_stop()
    assert run.stop_order is not None
    assert (len(run.stop_order.reason), run.stop_order.iteration, run.stop_order.rollback_to) == (2000, 3, None)
    assert "\x1b" not in capsys.readouterr().err


def test_an_order_is_not_obeyed_where_nobody_wants_it(order: Any) -> None:
    with telltale.init(stop=False) as run:
        path = order(run)
        assert not run.should_stop() and path.exists()


def test_an_order_of_an_earlier_process_is_let_be(order: Any) -> None:
    with telltale.init(run_id="r") as first:
        path = order(first)
    with telltale.init(run_id="r") as second:
        assert not second.should_stop() and json.loads(path.read_text())["writer"] == first.writer
