from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import Any, Callable, Dict, Iterator, List

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
# Processes that the tests start find the module where these do.
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")])

Lines = List[Dict[str, Any]]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in ("TELLTALE_DIR", "TELLTALE_RUN_ID", "TELLTALE_STOP", "RANK"):
        monkeypatch.delenv(name, raising=False)
    yield


@pytest.fixture
def lines_of() -> Callable[[Any], Lines]:
    def read(folder: Any) -> Lines:
        logs = sorted(pathlib.Path(str(folder)).glob("events-*.jsonl"))
        return [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines()]

    return read


@pytest.fixture
def order() -> Callable[..., pathlib.Path]:
    """Leaves an order to stop, as Telltale does."""

    def leave(run: Any, /, **more: Any) -> pathlib.Path:
        path = pathlib.Path(run.folder) / f"control-{run.writer}.json"
        said = {"v": 1, "type": "stop", "run": run.id, "writer": run.writer, "reason": "the KL explodes", "iteration": 7, "rollbackTo": 4}
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps({**said, "time": 1.5, **more}))
        draft.rename(path)
        return path

    return leave
