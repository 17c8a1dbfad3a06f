"""Lets Telltale see a training run in Python, and stop it.

Writes what a run logs into ``.telltale/runs/<id>/``, where ``telltale watch`` and ``telltale check`` read it. Needs the standard library
alone, starts no thread, opens no connection, and never raises into the training: what cannot be written is counted and said once on
standard error.

An own loop:

>>> import tempfile, telltale
>>> with telltale.init("summaries", "first try", {"lr": 3e-6}, dir=tempfile.mkdtemp()) as run:
...     for step in range(3):
...         run.log({"reward": 0.1 * step, "kl_div": 0.01}, step)
...         if run.should_stop():
...             break
>>> run.status
'completed'

transformers and TRL: ``callbacks=[telltale.TelltaleCallback()]``. Lightning: ``callbacks=[telltale.TelltaleLightningCallback()]``.
"""

from __future__ import annotations

import atexit
import collections
import datetime
import functools
import inspect
import json
import math
import numbers
import os
import re
import secrets
import socket
import stat
import sys
import threading
import time
import weakref
from typing import (
    Any,
    Callable,
    Deque,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    NoReturn,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

__version__ = "0.1.0"
__all__ = [
    "EXIT_CODE_STOPPED",
    "Run",
    "StopOrder",
    "TelltaleCallback",
    "TelltaleLightningCallback",
    "TelltaleStop",
    "init",
    "watch_rewards",
]

# The limits of wire format v1: what is beyond them is counted, never an error.
_MAX_LINE_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 64
_MAX_NAMES = 2000
_MAX_NAME_BYTES = 250
_MAX_SAMPLES = 64
_MAX_SAMPLE_BYTES = 32 * 1024
_MAX_STEP = 2**53 - 1
# Of a configuration: plenty for every trainer's own, and an end to what is none.
_MAX_CONFIG_NODES = 20_000
_MAX_CONFIG_CHARACTERS = 1024 * 1024
# Lines that wait for numbers on a device, before the oldest is written without them.
_MAX_WAITING = 256
_MAX_CONTROL_BYTES = 64 * 1024
# Seconds that ranks wait for each other once, at the start, to agree that they stop together.
_HANDSHAKE_SECONDS = 20.0

EXIT_CODE_STOPPED = 3
"""Exit code of a process that :class:`TelltaleStop` ends: told apart from success (0), an exception (1) and a kill (128 and above)."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), check_circular=False).encode
_encode_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_PLAIN_NUMBERS = frozenset((float, int))
_getpid = os.getpid
_now = time.time


class TelltaleStop(SystemExit):
    """Leaves a training loop that cannot be asked to stop, after Telltale's order to stop was obeyed.

    It is a ``SystemExit``, so that ``except Exception`` in a loop does not swallow it, and a script that does not catch it ends with
    :data:`EXIT_CODE_STOPPED` and without a traceback.

    >>> try:
    ...     raise TelltaleStop("the KL explodes")
    ... except TelltaleStop as stop:
    ...     print(stop.reason, stop.code)
    the KL explodes 3
    """

    def __init__(self, reason: str) -> None:
        super().__init__(EXIT_CODE_STOPPED)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class StopOrder(NamedTuple):
    """An order to stop, as Telltale has left it for this process."""

    reason: str
    iteration: int
    """Iteration that the order follows from."""
    rollback_to: Optional[int]
    """Newest checkpoint from before the failure began, or None."""


class _Log:
    """The file ``events-<writer>.jsonl``: one write a call, nothing held back. What cannot be written is counted, and named by a later line."""

    def __init__(self, folder: str, run_id: str, writer: str) -> None:
        self.path = os.path.join(folder, f"events-{writer}.jsonl")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor: Optional[int] = os.open(self.path, flags, 0o644)
        tail = f',"run":"{run_id}","writer":"{writer}","seq":'
        self._heads = {
            kind: f'{{"v":1,"type":"{kind}"{tail}' for kind in ("run", "event", "samples", "announce", "stop", "gap", "end")
        }
        self.event_head = self._heads["event"]
        self.seq = 0
        self.lost_lines = 0
        self._lost_since = 0
        self._torn = False

    def write(self, kind: str, at: float, body: str) -> Optional[OSError]:
        """Writes one line. Returns what the system said where it failed."""
        self.seq += 1
        return self.write_line(f'{self._heads[kind]}{self.seq},"time":{at:.3f}{body}}}\n')

    def write_line(self, text: str, lines: int = 1) -> Optional[OSError]:
        """Writes whole lines that carry their sequence numbers already."""
        data = text.encode("utf-8", "replace")
        if self._descriptor is None or len(data) > _MAX_LINE_BYTES:
            self._lose(lines)
            return None
        healing = self._torn or self._lost_since > 0
        if healing:
            gap = f'{self._heads["gap"]}{self.seq + 1},"time":{_now():.3f},"dropped":{self._lost_since}}}\n'
            data = (b"\n" if self._torn else b"") + data + gap.encode()
        try:
            written = os.write(self._descriptor, data)
            while written < len(data):
                # From here on a failure leaves half a line, which the next one has to end.
                self._torn = True
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            self._lose(lines)
            return error
        if healing:
            self.seq += 1
            self._lost_since = 0
        self._torn = False
        return None

    def close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            try:
                os.close(descriptor)
            except OSError:
                pass  # It is gone already; there is nothing left to lose.

    def _lose(self, lines: int) -> None:
        self.lost_lines += lines
        self._lost_since += lines


class _OnDevice:
    """A number that a device is still working on: copied to the host without waiting, read once the copy is there."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._ready: Optional[Callable[[], bool]] = None
        self._wait: Optional[Callable[[], Any]] = None
        if hasattr(value, "is_ready"):  # jax
            self._ready = value.is_ready
            return
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.Tensor):
            return
        self._value = value.detach()
        try:
            # Into pinned memory, behind the work that makes the number, in the order of the current stream.
            copy = self._value.to("cpu", non_blocking=True)
            event = torch.cuda.Event() if value.device.type == "cuda" else torch.Event(value.device)
            event.record()
            self._value, self._ready, self._wait = copy, event.query, event.synchronize
        except Exception:
            # A device without events: the number is read at the end of the run.
            pass

    def ready(self) -> bool:
        return self._ready is not None and bool(self._ready())

    def read(self) -> Any:
        """The value, on the host. Waits where :meth:`ready` is false: only at the end of a run."""
        if self._wait is not None:
            self._wait()
        return self._value.tolist() if hasattr(self._value, "tolist") else self._value.item()


class _Waiting(NamedTuple):
    """An event that waits for numbers, or behind one that does: the log keeps the order of the calls."""

    at: float
    phase: str
    step: int
    metrics: Dict[str, str]
    waits: Dict[str, _OnDevice]
    extra: str
    closes: Optional[int]
    samples: Optional[Tuple[str, Union[str, _OnDevice]]]


_open_runs: "weakref.WeakSet[Run]" = weakref.WeakSet()


def init(
    project: str = "default",
    name: Optional[str] = None,
    config: Optional[Mapping[str, Any]] = None,
    *,
    run_id: Optional[str] = None,
    dir: Optional[str] = None,
    trainer: str = "own-loop",
    total_iterations: Optional[int] = None,
    stop: bool = True,
) -> Run:
    """Begins a run. Never raises: a run that cannot be written says so once on standard error, and its calls do nothing.

    :param project: what the run belongs to.
    :param name: of the run, for people; its id by default.
    :param config: the hyper-parameters. What is no plain data is named by its type.
    :param run_id: 1 to 64 letters, digits, ``_`` or ``-``; made from the time by default, or ``TELLTALE_RUN_ID``. The id of a run that is
        there continues it as its next attempt.
    :param dir: data directory; ``TELLTALE_DIR``, or ``.telltale`` in the current folder.
    :param trainer: whose names the metrics have (``own-loop``, ``trl-grpo``, ``trl-ppo``, ...); ``telltale doctor`` lists what they mean.
    :param total_iterations: how many there will be, if that is known.
    :param stop: whether an order to stop is obeyed. ``TELLTALE_STOP=off`` has the last word.

    With ``torch.distributed`` (or under ``torchrun``) rank 0 writes and the others are silent; call it on every rank, so that all stop at
    the same step.

    >>> import tempfile
    >>> run = init("summaries", config={"lr": 3e-6, "model": object()}, dir=tempfile.mkdtemp(), run_id="r1")
    >>> run.id, os.path.basename(run.folder)
    ('r1', 'r1')
    >>> run.finish()
    """
    return Run(project, name, config, run_id, dir, trainer, total_iterations, stop)


class Run:
    """A run that is being logged; made by :func:`init`. No method raises.

    >>> import tempfile
    >>> run = init("p", dir=tempfile.mkdtemp())
    >>> run.log({"loss": float("nan"), "note": "no number"}, step=0)
    >>> run.finish()
    >>> run.counts["values_rejected"]
    1
    """

    id: str
    folder: str
    """Folder of the run. It is not there where nothing can be written, and on ranks above 0."""
    writer: str
    """Random name of this process in the log: the control file is named after it."""

    def __init__(
        self,
        project: str,
        name: Optional[str],
        config: Optional[Mapping[str, Any]],
        run_id: Optional[str],
        dir: Optional[str],
        trainer: str,
        total_iterations: Optional[int],
        stop: bool,
    ) -> None:
        self._pid = _getpid()
        self._lock = threading.RLock()
        self._busy = False
        self._log: Optional[_Log] = None
        self._names: Set[str] = set()
        self._open: Optional[int] = None
        self._closed = -1
        self._last = -1
        self._waiting: Deque[_Waiting] = collections.deque()
        self._warned: Set[str] = set()
        self._counts: Dict[str, int] = collections.Counter()
        self._status = "running"
        self._at_exit = "completed"
        self._stop: Optional[StopOrder] = None
        self._obeys = False
        self._ranks = _Ranks(self._warn)
        self.writer = secrets.token_hex(6)
        self.id = "run"
        self.folder = ""
        try:
            self._obeys = bool(stop) and os.environ.get("TELLTALE_STOP", "").lower() not in ("off", "0", "no", "false")
            self.id = self._choose_id(run_id)
            base = dir or os.environ.get("TELLTALE_DIR") or ".telltale"
            self.folder = os.path.join(os.path.abspath(os.fspath(base)), "runs", self.id)
            if _rank() == 0:
                self._begin(os.fspath(base), project, name, config, trainer, total_iterations)
        except Exception as error:
            if self._log is not None:
                self._log.close()
                self._log = None
            self._warn(
                "init",
                f"nothing of this run is logged: {self.folder or 'the run folder'} cannot be written ({_say(error)}). "
                "Set TELLTALE_DIR to a folder that you may write to.",
            )

    def _choose_id(self, run_id: Optional[str]) -> str:
        wanted = run_id or os.environ.get("TELLTALE_RUN_ID")
        if wanted is None or wanted == "":
            stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
            return f"run-{stamp}-{secrets.token_hex(2)}"
        wanted = str(wanted)
        if _ID.fullmatch(wanted):
            return wanted
        chosen = re.sub(r"[^A-Za-z0-9_-]", "-", wanted)[:64]
        self._warn("id", f"the run id {wanted[:80]!r} becomes {chosen}: expected 1 to 64 letters, digits, _ or -")
        return chosen

    def _begin(
        self,
        base: str,
        project: str,
        name: Optional[str],
        config: Optional[Mapping[str, Any]],
        trainer: str,
        total_iterations: Optional[int],
    ) -> None:
        if not os.path.isdir(base):
            # What people train on is theirs alone.
            os.makedirs(base, mode=0o700, exist_ok=True)
        os.makedirs(self.folder, exist_ok=True)
        attempt = 1 + max((_attempt_of(path, self.id) for path in _logs_in(self.folder)), default=0)
        self._log = _Log(self.folder, self.id, self.writer)
        header = {"attempt": attempt, "project": _label(project, "default"), "name": _label(name, self.id)}
        self._write("run", f",{_encode({**header, 'trainer': _label(trainer, 'own-loop'), 'client': f'python {__version__}', 'process': _process()})[1:-1]}")
        metadata: Dict[str, Any] = {}
        if config is not None:
            metadata["config"] = _Plain(self._count).of(config)
        if isinstance(total_iterations, int) and total_iterations > 0:
            metadata["totalIterations"] = total_iterations
        self._write("event", f',"phase":"training_start","iteration":0,"metadata":{_encode(metadata)}')
        _open_runs.add(self)

    @property
    def status(self) -> str:
        """``running``, ``completed``, ``stopped`` or ``failed``."""
        return self._status

    @property
    def stop_order(self) -> Optional[StopOrder]:
        """The order that this run has obeyed, or None."""
        return self._stop

    @property
    def counts(self) -> Dict[str, int]:
        """What was not logged as it came: ``values_rejected``, ``names_dropped``, ``samples_cut``, ``lines_lost``, ``values_deferred`` and others.

        Values on a device are *deferred*: copied without waiting for the device, and written a step later.
        """
        counts = dict(self._counts)
        if self._log is not None and self._log.lost_lines > 0:
            counts["lines_lost"] = self._log.lost_lines
        return counts

    def log(self, metrics: Mapping[str, Any], step: Optional[int] = None) -> None:
        """Logs numbers of a step. Several calls of one step belong together; the step is over when a later one begins.

        :param metrics: numbers by name: Python's, numpy's, one-element tensors. NaN and infinity are values. A tensor on a device is never
            waited for: it is written once its copy has arrived, usually a step later.
        :param step: counts from 0 and does not fall; one more than the last by default.
        """
        log = self._log
        if log is None or self._pid != _getpid():
            return
        try:
            with self._lock:
                if self._busy:
                    # A signal handler has come between two instructions of another call: its numbers would take that one's place.
                    self._count("lines_lost_in_handlers")
                    return
                self._busy = True
                try:
                    self._log_step(log, metrics, step)
                finally:
                    self._busy = False
        except Exception as error:
            self._failed(error)

    def _log_step(self, log: _Log, metrics: Mapping[str, Any], step: Optional[int]) -> None:
        if type(step) is not int or not 0 <= step <= _MAX_STEP:
            step = self._step(step)
        closes = None
        opened = self._open
        if opened != step:
            if opened is not None and step > opened:
                closes = opened
            if step > self._closed and (opened is None or step > opened):
                self._open = step
        if step > self._last:
            self._last = step
        if type(metrics) is dict and not self._waiting and self._names.issuperset(metrics):
            if _PLAIN_NUMBERS.issuperset(map(type, metrics.values())):
                try:
                    text = _encode(metrics)
                except ValueError:
                    pass  # NaN or infinity, which JSON has not: the long way.
                else:
                    self._write_step(log, step, closes, text)
                    return
        numbers_, waits = self._numbers(metrics)
        self._event("policy_update", step, numbers_, waits, closes=closes)

    def _write_step(self, log: _Log, step: int, closes: Optional[int], text: str) -> None:
        at = f'"time":{_now():.3f}'
        end = ""
        if closes is not None:
            # The end of the step before goes with it, in one write.
            self._closed = closes
            log.seq += 1
            end = f'{log.event_head}{log.seq},{at},"phase":"iteration_end","iteration":{closes}}}\n'
        log.seq += 1
        line = f'{end}{log.event_head}{log.seq},{at},"phase":"policy_update","iteration":{step},"metrics":{text}}}\n'
        error = log.write_line(line, 1 if closes is None else 2)
        if error is not None:
            self._said(error)

    def samples(
        self,
        prompts: Optional[Sequence[Any]] = None,
        responses: Optional[Sequence[Any]] = None,
        rewards: Optional[Any] = None,
        step: Optional[int] = None,
    ) -> None:
        """Logs what was asked, what was answered, and one reward an answer.

        At most 64 answers a call and 32 kB a text are kept. Prompts and answers may be texts or lists of chat messages. ``step`` is the
        step that they belong to; the open one by default.

        >>> import tempfile
        >>> with init(dir=tempfile.mkdtemp()) as run:
        ...     run.samples(["2 + 2 = "], ["4"], [1.0], step=0)
        ...     run.log({"reward": 1.0}, step=0)
        """
        if self._log is None or self._pid != _getpid():
            return
        try:
            with self._lock:
                if step is None:
                    step = self._open if self._open is not None else self._closed + 1
                else:
                    step = self._step(step)
                closes = self._open if self._open is not None and step > self._open else None
                if step > self._closed and (self._open is None or step > self._open):
                    self._open = step
                self._last = max(self._last, step)
                text = ""
                for field, values in (("prompts", prompts), ("responses", responses)):
                    kept = self._texts(values)
                    if kept:
                        text += f',"{field}":{_encode_text(kept)}'
                wanted = self._rewards(rewards)
                if text == "" and wanted == "":
                    return
                self._event("response_generated", step, {}, {}, closes=closes, samples=(text, wanted))
        except Exception as error:
            self._failed(error)

    def checkpoint(self, step: int, path: Optional[str] = None, removed: Iterable[int] = ()) -> None:
        """Says that a checkpoint of a step was saved, and of which steps there is none any more: an alert names where to go back to."""
        if self._log is None or self._pid != _getpid():
            return
        try:
            metadata: Dict[str, Any] = {"path": str(path)} if path is not None else {}
            gone = [int(one) for one in removed]
            if gone:
                metadata["removed"] = gone
            with self._lock:
                self._event("checkpoint_saved", self._step(step), {}, {}, extra=f',"metadata":{_encode(metadata)}')
        except Exception as error:
            self._failed(error)

    def announce(self, what: str) -> None:
        """Says that something was changed on purpose (``learning-rate``, ``prompt-mix``, ``reward-model``, ...), so that it is no failure."""
        if self._log is None or self._pid != _getpid():
            return
        try:
            with self._lock:
                self._drain(wait=False, force=True)
                self._write("announce", f',"what":{_encode(str(what)[:2000])}')
        except Exception as error:
            self._failed(error)

    def should_stop(self, *, agree: bool = True) -> bool:
        """Whether Telltale has ordered this run to stop. Ask once at the end of each step, after the step was logged.

        Under ``torch.distributed`` every rank has to ask, and all get the same answer at the same step, one after rank 0 has seen the order.

        :param agree: False where the loop tells the other ranks itself: then the answer of rank 0 is its own.
        """
        if self._pid != _getpid():
            return False
        try:
            self._close_step()
            return self._poll(self._closed, agree)
        except Exception as error:
            self._failed(error)
            return False

    def _poll(self, step: int, agree: bool = True) -> bool:
        if self._stop is not None:
            return True
        order = self._ranks.order(self._take_order() if self._obeys else None, agree)
        if order is None:
            return False
        self._obey(order, max(step, 0))
        return True

    def _take_order(self) -> Optional[StopOrder]:
        """Reads and removes the control file, where there is one for this run and this process."""
        if self._log is None:
            return None
        path = os.path.join(self.folder, f"control-{self.writer}.json")
        try:
            # Neither through a link nor into a pipe.
            if not stat.S_ISREG(os.lstat(path).st_mode):
                return None
            with open(path, "rb") as file:
                said = json.loads(file.read(_MAX_CONTROL_BYTES))
            if said["v"] != 1 or said["type"] != "stop":
                raise ValueError("expected v 1 and an order to stop")
            if said["run"] != self.id or said["writer"] != self.writer:
                raise ValueError("it is for another run or process")
            iteration, rollback = said.get("iteration"), said.get("rollbackTo")
            order = StopOrder(
                str(said.get("reason", ""))[:2000],
                iteration if type(iteration) is int and 0 <= iteration <= _MAX_STEP else max(self._last, 0),
                rollback if type(rollback) is int and 0 <= rollback <= _MAX_STEP else None,
            )
        except FileNotFoundError:
            return None
        except Exception as error:
            self._warn("control", f"the order in {path} is not obeyed: {_say(error)}")
            return None
        try:
            os.unlink(path)
        except OSError as error:
            self._warn("unlink", f"the order {path} was obeyed and cannot be removed: {_say(error)}")
        return order

    def _obey(self, order: StopOrder, step: int) -> None:
        self._stop = order
        if self._log is None:
            return
        back = "" if order.rollback_to is None else f" Go back to the checkpoint of step {order.rollback_to}."
        self._warn("stop", f"run {self.id} stops at step {step}: {order.reason}.{back}")
        said = {"reason": order.reason, "severity": "critical", "iteration": order.iteration, "rollbackTo": order.rollback_to}
        with self._lock:
            self._write("stop", f",{_encode(said)[1:-1]}")

    def finish(self, status: str = "completed", error: Optional[str] = None) -> None:
        """Ends the run; further calls do nothing. After an obeyed order a run that is ``completed`` is ``stopped``.

        :param status: ``completed``, ``stopped`` or ``failed``.
        :param error: what it failed of.
        """
        if self._status != "running" or self._pid != _getpid():
            return
        try:
            if status not in ("completed", "stopped", "failed"):
                status = "completed"
            if self._stop is not None and status == "completed":
                status = "stopped"
            with self._lock:
                self._status = status
                _open_runs.discard(self)
                if self._log is None:
                    return
                self._close_step()
                # The training is over: now there is time to wait for a device.
                self._drain(wait=True)
                metadata: Dict[str, Any] = {"status": status}
                if error is not None:
                    metadata["error"] = str(error)[:2000]
                if self.counts:
                    metadata["client"] = self.counts
                self._write("event", f',"phase":"training_end","iteration":{max(self._last, 0)},"metadata":{_encode(metadata)}')
                self._write("end", f',"status":"{status}"')
                self._say_counts()
                self._log.close()
        except Exception as error_:
            self._failed(error_)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is None:
            self.finish()
        elif isinstance(error, (TelltaleStop, KeyboardInterrupt)):
            self.finish("stopped")
        else:
            self.finish("failed", _say(error))

    # What follows is called with the lock held, but for _count, _warn and _failed.

    def _write(self, kind: str, body: str) -> None:
        if self._log is not None:
            self._said(self._log.write(kind, _now(), body))

    def _said(self, error: Optional[OSError]) -> None:
        if error is not None:
            self._warn(
                "write",
                f"{self._log.path if self._log else self.folder} cannot be written ({_say(error)}). The training goes on; what is lost is "
                "counted, and logging goes on as soon as there is room.",
            )

    def _event(
        self,
        phase: str,
        step: int,
        metrics: Dict[str, str],
        waits: Dict[str, _OnDevice],
        *,
        extra: str = "",
        closes: Optional[int] = None,
        samples: Optional[Tuple[str, Union[str, _OnDevice]]] = None,
    ) -> None:
        if closes is not None:
            self._closed = closes
        self._waiting.append(_Waiting(_now(), phase, step, metrics, waits, extra, closes, samples))
        self._drain()

    def _drain(self, wait: bool = False, force: bool = False) -> None:
        """Writes what waits, as far as its numbers are there, and in order."""
        waiting = self._waiting
        while waiting:
            event = waiting[0]
            late = len(waiting) > _MAX_WAITING or force
            there = wait or all(one.ready() for one in event.waits.values())
            if event.samples is not None and isinstance(event.samples[1], _OnDevice):
                there = there and (wait or event.samples[1].ready())
            if not there and not late:
                return
            waiting.popleft()
            self._write_event(event, wait)

    def _write_event(self, event: _Waiting, wait: bool) -> None:
        log = self._log
        if log is None:
            return
        metrics = event.metrics
        for name, one in event.waits.items():
            number = self._read(one, wait)
            if isinstance(number, list) and len(number) == 1:
                number = number[0]
            encoded = None if number is None or isinstance(number, list) else _number(number)
            if encoded is None:
                self._count("values_rejected")
            else:
                metrics[name] = encoded
        if event.closes is not None:
            self._said(log.write("event", event.at, f',"phase":"iteration_end","iteration":{event.closes}'))
        extra = event.extra
        if event.samples is not None:
            text, rewards = event.samples
            if isinstance(rewards, _OnDevice):
                rewards = self._rewards(self._read(rewards, wait))
            body = f',"iteration":{event.step}{text}{rewards if isinstance(rewards, str) else ""}'
            if 4 * len(body) > _MAX_LINE_BYTES and len(body.encode("utf-8", "replace")) > _MAX_LINE_BYTES - 1000:
                self._count("samples_cut", _MAX_SAMPLES)
                return
            self._said(log.write("samples", event.at, body))
            extra += f',"samples":{log.seq}'
        text = f',"metrics":{{{",".join(f"{_encode(name)}:{value}" for name, value in metrics.items())}}}' if metrics else ""
        self._said(log.write("event", event.at, f',"phase":"{event.phase}","iteration":{event.step}{text}{extra}'))

    def _read(self, one: _OnDevice, wait: bool) -> Any:
        try:
            if wait or one.ready():
                return one.read()
        except Exception as error:
            self._failed(error)
            return None
        self._count("values_never_ready")
        return None

    def _close_step(self) -> None:
        """The open step is over: detectors may see it."""
        with self._lock:
            if self._log is None or self._open is None:
                return
            step, self._open = self._open, None
            self._closed = step
            self._event("iteration_end", step, {}, {})

    def _step(self, step: Any) -> int:
        if step is None:
            return min(self._last + 1, _MAX_STEP)
        try:
            if not isinstance(step, numbers.Integral):
                if isinstance(step, (str, bytes)):
                    raise TypeError
                device = getattr(getattr(step, "device", None), "type", "cpu")
                if device != "cpu" or float(step) != int(step):
                    raise ValueError
            whole = int(step)
            if 0 <= whole <= _MAX_STEP:
                return whole
        except Exception:
            pass
        self._count("steps_rejected")
        self._warn("step", f"a step is {_glimpse(step)}; expected an integer of at least 0. The last step, {max(self._last, 0)}, is taken")
        return max(self._last, 0)

    def _numbers(self, metrics: Mapping[str, Any]) -> Tuple[Dict[str, str], Dict[str, _OnDevice]]:
        """The numbers among the values, encoded, and those on a device, which are not there yet."""
        encoded: Dict[str, str] = {}
        waits: Dict[str, _OnDevice] = {}
        if not isinstance(metrics, collections.abc.Mapping):
            self._count("values_rejected")
            self._warn("metrics", f"metrics are {_glimpse(metrics)}; expected a mapping of names to numbers")
            return encoded, waits
        for key, value in metrics.items():
            if value is None:
                continue
            number = None
            name = ""
            try:
                known = self._name(key)
                if known is None:
                    continue
                name = known
                if _on_device(value):
                    if _count_of(value) == 1:
                        waits[name] = _OnDevice(value)
                        self._count("values_deferred")
                        continue
                else:
                    number = _number(value)
            except Exception:
                pass  # What cannot be looked at is no number.
            if number is None:
                self._count("values_rejected")
                self._warn("value", f"{_glimpse(key)} is {_glimpse(value)}, which is no number: values like it are left out and counted")
            else:
                encoded[name] = number
        return encoded, waits

    def _name(self, key: Any) -> Optional[str]:
        name = key if type(key) is str else str(key)
        if name in self._names:
            return name
        if len(self._names) >= _MAX_NAMES or len(name) > _MAX_NAME_BYTES or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
            self._count("names_dropped")
            self._warn(
                "names",
                f"{_glimpse(name)} is not logged: a run has at most {_MAX_NAMES} names of at most {_MAX_NAME_BYTES} bytes. What is beyond is counted",
            )
            return None
        self._names.add(name)
        return name

    def _texts(self, values: Optional[Sequence[Any]]) -> List[str]:
        if values is None:
            return []
        if isinstance(values, (str, bytes)):
            values = [values]
        kept: List[str] = []
        for value in values:
            if len(kept) == _MAX_SAMPLES:
                self._count("samples_cut", max(1, _length(values) - _MAX_SAMPLES))
                break
            text = _text_of(value)
            if len(text) * 4 > _MAX_SAMPLE_BYTES:
                data = text[:_MAX_SAMPLE_BYTES].encode("utf-8", "replace")
                if len(data) > _MAX_SAMPLE_BYTES or len(text) > _MAX_SAMPLE_BYTES:
                    self._count("samples_cut")
                    text = data[:_MAX_SAMPLE_BYTES].decode("utf-8", "ignore")
            kept.append(text)
        return kept

    def _rewards(self, rewards: Any) -> Union[str, _OnDevice]:
        if rewards is None:
            return ""
        if _on_device(rewards):
            self._count("values_deferred", _count_of(rewards))
            return _OnDevice(rewards)
        if hasattr(rewards, "tolist"):
            rewards = rewards.tolist()
        if not isinstance(rewards, (list, tuple)):
            rewards = [rewards]
        kept: List[str] = []
        for value in rewards[:_MAX_SAMPLES]:
            # A place is kept for each answer: a reward on a device cannot be read now, and is not waited for.
            number = None if value is None or _on_device(value) else _number(value)
            if number is None and value is not None:
                self._count("values_rejected")
            kept.append('"NaN"' if number is None else number)
        return f',"rewards":[{",".join(kept)}]' if kept else ""

    def _count(self, what: str, by: int = 1) -> None:
        self._counts[what] = self._counts.get(what, 0) + by

    def _say_counts(self) -> None:
        counts = {what: n for what, n in self.counts.items() if what != "values_deferred"}
        if counts:
            said = ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in sorted(counts.items()))
            self._warn("counts", f"of run {self.id} not everything was logged: {said}")

    def _failed(self, error: BaseException) -> None:
        self._count("calls_failed")
        self._warn("failed", f"a call could not be logged and was left out ({_say(error)}). The training goes on")

    def _warn(self, kind: str, message: str) -> None:
        """One line on standard error, once for each kind of problem."""
        if kind in self._warned:
            return
        self._warned.add(kind)
        _print(message)


class _Ranks:
    """Lets all ranks of a distributed training leave at the same step, which is the next one after rank 0 has seen the order.

    The order travels by an asynchronous broadcast among the hosts: sent at one step and read at the next, so that no step waits for it.
    """

    _handshakes = 0

    def __init__(self, warn: Callable[[str, str], None]) -> None:
        self._warn = warn
        self._state = "new"
        self._group: Any = None
        self._sent: Any = None
        self._order: Optional[StopOrder] = None

    def order(self, seen: Optional[StopOrder], agree: bool) -> Optional[StopOrder]:
        distributed = _distributed()
        if not agree or distributed is None or distributed.get_world_size() < 2:
            return seen
        if seen is not None:
            self._order = seen
        try:
            if self._state == "new":
                self._state = "together" if self._meet(distributed) else "alone"
            if self._state == "alone":
                if self._order is not None:
                    self._warn("alone", "the order to stop is not obeyed: the ranks have not agreed to stop together, and one alone would leave the others waiting")
                return None
            return self._exchange(distributed)
        except Exception as error:
            self._state = "alone"
            self._warn("ranks", f"this run can no longer be stopped: the ranks cannot be told ({_say(error)})")
            return None

    def _exchange(self, distributed: Any) -> Optional[StopOrder]:
        if self._sent is not None:
            work, flags = self._sent
            work.wait()
            iteration, rollback, said = flags.tolist()
            if said == 1:
                return self._order or StopOrder("ordered on rank 0", iteration, None if rollback < 0 else rollback)
        torch = sys.modules["torch"]
        order = self._order
        back = -1 if order is None or order.rollback_to is None else order.rollback_to
        flags = torch.tensor([0 if order is None else order.iteration, back, 0 if order is None else 1], dtype=torch.int64)
        self._sent = (distributed.broadcast(flags, 0, group=self._group, async_op=True), flags)
        return None

    def _meet(self, distributed: Any) -> bool:
        """Makes sure that every rank is asked, since a broadcast that one rank does not take part in would hang the others."""
        _Ranks._handshakes += 1
        world, rank = distributed.get_world_size(), distributed.get_rank()
        store = distributed.distributed_c10d._get_default_store()
        key = f"telltale/{_Ranks._handshakes}"
        store.set(f"{key}/{rank}", "here")
        if rank == 0:
            wanted = [f"{key}/{other}" for other in range(world)]
            end = time.monotonic() + _HANDSHAKE_SECONDS
            here = store.check(wanted)
            while not here and time.monotonic() < end:
                time.sleep(0.02)
                here = store.check(wanted)
            store.set(f"{key}/answer", "yes" if here else "no")
        else:
            store.wait([f"{key}/answer"], datetime.timedelta(seconds=3 * _HANDSHAKE_SECONDS))
            here = store.get(f"{key}/answer") == b"yes"
        if not here:
            self._warn(
                "meet",
                f"this run is logged but cannot be stopped: not all of its {world} ranks use Telltale. Call telltale.init, or add the callback, on every rank",
            )
            return False
        # Of hosts: a broadcast between GPUs would have to be waited for.
        self._group = distributed.new_group(backend="gloo")
        return True


def _distributed() -> Any:
    """``torch.distributed`` where it is up; torch is never loaded for it."""
    distributed = sys.modules.get("torch.distributed")
    try:
        if distributed is not None and distributed.is_available() and distributed.is_initialized():
            return distributed
    except Exception:
        pass
    return None


def _rank() -> int:
    distributed = _distributed()
    if distributed is not None:
        return int(distributed.get_rank())
    try:
        return int(os.environ.get("RANK", "0"))
    except ValueError:
        return 0


class TelltaleCallback:
    """Logs a training of transformers' ``Trainer`` or of TRL, and stops it when Telltale orders it.

    ``GRPOTrainer(..., callbacks=[telltale.TelltaleCallback()])``

    What the trainer logs is logged, at the same steps. On an order to stop it asks for a checkpoint and then ends the training: through
    ``should_training_stop``, or, in a loop that never reads that (TRL's PPO), by raising :class:`TelltaleStop` once the checkpoint is saved.
    It is no subclass of transformers' ``TrainerCallback``, so that this module needs nothing installed, but has all that one has.

    :param project: what the run belongs to; the name of the output folder's parent by default.
    :param name: of the run; the trainer's ``run_name`` by default.
    :param run_id: as for :func:`init`. The id of a run that is there continues it, as after ``resume_from_checkpoint``.
    :param dir: data directory, as for :func:`init`.
    :param config: further hyper-parameters beside the trainer's arguments.
    :param stop: whether an order to stop is obeyed.
    :param checkpoint: whether a checkpoint is saved before the training is stopped.

    >>> callback = TelltaleCallback(project="summaries")
    >>> callback.run is None, callback.stopped
    (True, False)
    """

    def __init__(
        self,
        project: Optional[str] = None,
        name: Optional[str] = None,
        *,
        run_id: Optional[str] = None,
        dir: Optional[str] = None,
        config: Optional[Mapping[str, Any]] = None,
        stop: bool = True,
        checkpoint: bool = True,
    ) -> None:
        self._options = (project, name, run_id, dir, config, stop, checkpoint)
        self._run: Optional[Run] = None
        self._model: Any = None
        self._ignores_stop = False
        self._stopped_at: Optional[int] = None
        self._saved: Set[int] = set()

    @property
    def run(self) -> Optional[Run]:
        """The run that is being logged, or the last one; None before the training."""
        return self._run

    @property
    def stopped(self) -> bool:
        """Whether the training was stopped by an order of Telltale."""
        return self._run is not None and self._run.stop_order is not None

    def __getattr__(self, event: str) -> Callable[..., None]:
        # Whatever else this or a later transformers calls: `on_epoch_begin`, `on_predict`, ...
        if event.startswith("on_"):
            return _nothing
        raise AttributeError(event)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        try:
            project, name, run_id, dir, config, stop, _ = self._options
            if self._run is not None:
                self._run.finish("stopped")
            kinds = [kind.__name__ for kind in type(args).__mro__]
            self._ignores_stop = "PPOConfig" in kinds
            self._stopped_at = None
            self._model = kwargs.get("model")
            output = str(getattr(args, "output_dir", None) or "")
            self._saved = set(_checkpoints_in(output))
            said_name = getattr(args, "run_name", None)
            run = Run(
                project or os.path.basename(os.path.dirname(os.path.abspath(output))) or "default",
                name or (said_name if said_name and said_name != output else None) or os.path.basename(output) or None,
                {**_arguments(args), **(config or {})},
                run_id,
                dir,
                next((_TRL[kind] for kind in kinds if kind in _TRL), "own-loop"),
                getattr(state, "max_steps", None),
                stop,
            )
            run._at_exit = "stopped"
            self._run = run
        except Exception as error:
            _print(f"this training is not logged: {_say(error)}")

    def on_log(self, args: Any, state: Any, control: Any, logs: Optional[Mapping[str, Any]] = None, **kwargs: Any) -> None:
        run = self._run
        if run is None or logs is None:
            return
        # What the trainer logs of a step ends it. An evaluation, a summary and what people log beside it come on top of one.
        ends = any(name in logs for name in ("learning_rate", "lr", "loss"))
        self._event(run, "iteration_end" if ends else "evaluation", logs, state)

    def _event(self, run: Run, phase: str, logs: Mapping[str, Any], state: Any) -> None:
        if run._log is None or run._pid != _getpid() or run._status != "running":
            return
        try:
            with run._lock:
                step = run._step(state.global_step)
                run._last = max(run._last, step)
                if phase == "iteration_end":
                    run._open = None
                    run._closed = max(run._closed, step)
                numbers_, waits = run._numbers(logs)
                run._event(phase, step, numbers_, waits)
        except Exception as error:
            run._failed(error)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        run = self._run
        if run is None:
            return None
        if self._stopped_at is not None:
            # The loop goes on although it was asked to end.
            if state.global_step > self._stopped_at:
                self._leave(run)
            return None
        try:
            if run._pid != _getpid() or not run._poll(int(state.global_step)):
                return None
            self._stopped_at = int(state.global_step)
            if self._options[-1]:
                control.should_save = True
            control.should_training_stop = True
        except Exception as error:
            run._failed(error)
        if self._ignores_stop and self._stopped_at is not None and not self._options[-1]:
            self._leave(run)
        return control

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        run = self._run
        if run is None:
            return
        try:
            output = str(getattr(args, "output_dir", None) or "")
            there = set(_checkpoints_in(output))
            step = int(state.global_step)
            run.checkpoint(step, os.path.join(output, f"checkpoint-{step}"), sorted(self._saved - there - {step}))
            self._saved = there
        except Exception as error:
            run._failed(error)
        if self._ignores_stop and self._stopped_at is not None:
            self._leave(run)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._run is not None:
            self._run.finish()

    def _leave(self, run: Run) -> NoReturn:
        run.finish("stopped")
        raise TelltaleStop(run.stop_order.reason if run.stop_order else "stopped")

    def _in_evaluation(self) -> bool:
        return self._model is not None and getattr(self._model, "training", True) is False


# The tables of names that Telltale has for TRL, by the class of a trainer's arguments.
_TRL = {
    "GRPOConfig": "trl-grpo",
    "RLOOConfig": "trl-rloo",
    "DPOConfig": "trl-dpo",
    "OnlineDPOConfig": "trl-online-dpo",
    "PPOConfig": "trl-ppo",
    "SFTConfig": "trl-sft",
    "RewardConfig": "trl-reward",
}


def watch_rewards(
    reward_funcs: Any, to: Union[TelltaleCallback, Run], weights: Optional[Sequence[float]] = None
) -> Any:
    """Wraps reward functions of TRL's GRPO or RLOO, so that what was answered arrives with its reward: without answers, reward hacking
    cannot be seen.

    Give the result to the trainer as ``reward_funcs``. One function or a list, asynchronous ones too; reward *models* are passed on as they
    are, and then the answers arrive without rewards. The functions see what they saw before and return what they returned.

    :param to: the callback of the same training, or a run.
    :param weights: as the trainer's ``reward_weights``; all 1 by default.

    >>> import tempfile
    >>> run = init(dir=tempfile.mkdtemp())
    >>> def short(completions, **kwargs):
    ...     return [-float(len(text)) for text in completions]
    >>> watched = watch_rewards(short, run)
    >>> watched(prompts=["a"], completions=["bc"]), watched.__name__
    ([-2.0], 'short')
    >>> run.finish()
    """
    functions = list(reward_funcs) if isinstance(reward_funcs, (list, tuple)) else [reward_funcs]
    batch = _Batch(to, functions, weights)
    wrapped = [batch.wrap(i, one) for i, one in enumerate(functions)]
    return wrapped if isinstance(reward_funcs, (list, tuple)) else wrapped[0]


class _Batch:
    """Puts together what the functions say of the same answers, and logs it once the last has spoken."""

    def __init__(self, to: Union[TelltaleCallback, Run], functions: Sequence[Any], weights: Optional[Sequence[float]]) -> None:
        self._to = to
        self._watched = {i for i, one in enumerate(functions) if _is_plain_function(one)}
        self._whole = len(self._watched) == len(functions)
        self._weights = [float(weight) for weight in weights] if weights is not None else [1.0] * len(functions)
        self._lock = threading.Lock()
        self._answers: Any = None
        self._rewards: Dict[int, List[float]] = {}

    def wrap(self, index: int, function: Any) -> Any:
        if index not in self._watched:
            return function
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def watched_async(*args: Any, **kwargs: Any) -> Any:
                rewards = await function(*args, **kwargs)
                self._take(index, rewards, kwargs)
                return rewards

            return watched_async

        @functools.wraps(function, updated=())
        def watched(*args: Any, **kwargs: Any) -> Any:
            rewards = function(*args, **kwargs)
            self._take(index, rewards, kwargs)
            return rewards

        if not hasattr(function, "__name__"):
            watched.__name__ = type(function).__name__
        return watched

    def _take(self, index: int, rewards: Any, said: Mapping[str, Any]) -> None:
        run = self._to if isinstance(self._to, Run) else self._to.run
        if run is None or run._log is None or run._pid != _getpid() or run._status != "running":
            return
        try:
            completions = said.get("completions")
            with self._lock:
                if completions is not self._answers:
                    self._answers = completions
                    self._rewards = {}
                self._rewards[index] = [math.nan if one is None else _plain_float(one) for one in rewards]
                if len(self._rewards) < len(self._watched):
                    return
                by_function, self._rewards, self._answers = self._rewards, {}, None
            if isinstance(self._to, TelltaleCallback) and self._to._in_evaluation():
                return
            state = said.get("trainer_state")
            # Answers are made before the step that they are used in has counted.
            step = None if state is None else int(state.global_step) + 1
            run.samples(said.get("prompts"), completions, self._sum(by_function) if self._whole else None, step)
        except Exception as error:
            run._failed(error)

    def _sum(self, by_function: Mapping[int, Sequence[float]]) -> List[float]:
        """The weighted sum, as the trainer makes it: a function that has no reward for an answer is left out, and without any there is none."""
        sums: List[float] = []
        for column in zip(*(by_function[i] for i in sorted(by_function))):
            there = [weight * reward for weight, reward in zip(self._weights, column) if not math.isnan(reward)]
            sums.append(math.fsum(there) if there else math.nan)
        return sums


def _is_plain_function(one: Any) -> bool:
    torch = sys.modules.get("torch")
    if isinstance(one, str) or (torch is not None and isinstance(one, torch.nn.Module)):
        return False
    return callable(one)


class TelltaleLightningCallback:
    """Logs a training of Lightning, and stops it when Telltale orders it.

    ``Trainer(callbacks=[telltale.TelltaleLightningCallback()])``, with ``lightning`` or ``pytorch_lightning`` imported before.

    It is logged what Lightning gives its loggers, at the same steps, also with ``logger=False``. On an order to stop a checkpoint is saved
    beside the trainer's own ones (``telltale-stopped-step=N.ckpt``), ``trainer.should_stop`` is set, and where Lightning goes on all the same,
    because of ``min_steps`` or ``min_epochs``, :class:`TelltaleStop` is raised after the next batch. The options are those of
    :class:`TelltaleCallback`.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> TelltaleLightningCallback:
        base = _lightning("Callback")
        if base is None or issubclass(cls, base):
            return object.__new__(cls)
        # Lightning takes only callbacks of its own class, which this module must not need.
        made: TelltaleLightningCallback = object.__new__(type(cls.__name__, (cls, base), {"__module__": cls.__module__}))
        return made

    def __init__(
        self,
        project: Optional[str] = None,
        name: Optional[str] = None,
        *,
        run_id: Optional[str] = None,
        dir: Optional[str] = None,
        config: Optional[Mapping[str, Any]] = None,
        stop: bool = True,
        checkpoint: bool = True,
    ) -> None:
        super().__init__()
        self._said = (project, name, run_id, dir, config, stop, checkpoint)
        self._run: Optional[Run] = None
        self._stopped_at: Optional[int] = None

    def __reduce__(self) -> Any:
        project, name, run_id, dir, config, stop, checkpoint = self._said
        options: Dict[str, Any] = {"run_id": run_id, "dir": dir, "config": config, "stop": stop, "checkpoint": checkpoint}
        return functools.partial(TelltaleLightningCallback, project, name, **options), ()

    @property
    def run(self) -> Optional[Run]:
        """The run that is being logged, or the last one; None before the training."""
        return self._run

    @property
    def stopped(self) -> bool:
        """Whether the training was stopped by an order of Telltale."""
        return self._run is not None and self._run.stop_order is not None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        try:
            project, name, run_id, dir, config, stop, _ = self._said
            hparams = getattr(pl_module, "hparams", None)
            total = trainer.max_steps if isinstance(trainer.max_steps, int) and trainer.max_steps > 0 else None
            self._stopped_at = None
            run = Run(
                project or type(pl_module).__name__,
                name,
                {**(dict(hparams) if hparams else {}), **(config or {})},
                run_id,
                dir,
                "lightning",
                total,
                stop,
            )
            run._at_exit = "stopped"
            self._run = run
            logger = _lightning_logger(run)
            if logger is not None:
                trainer.loggers = [one for one in trainer.loggers if not hasattr(one, "_telltale_run")] + [logger]
        except Exception as error:
            _print(f"this training is not logged: {_say(error)}")

    def on_train_batch_start(self, trainer: Any, pl_module: Any, *args: Any, **kwargs: Any) -> None:
        if self._run is not None and self._run._pid == _getpid():
            self._run._close_step()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: Any, **kwargs: Any) -> None:
        run = self._run
        if run is None:
            return
        if self._stopped_at is not None:
            run.finish("stopped")
            raise TelltaleStop(run.stop_order.reason if run.stop_order else "stopped")
        try:
            if run._pid != _getpid() or not run._poll(int(trainer.global_step)):
                return
            self._stopped_at = int(trainer.global_step)
            trainer.should_stop = True
        except Exception as error:
            run._failed(error)
            return
        if self._said[-1]:
            # All ranks are here at the same step, as saving needs it. A failure to save is the training's to know.
            path = os.path.join(str(trainer.default_root_dir), f"telltale-stopped-step={self._stopped_at}.ckpt")
            trainer.save_checkpoint(path)

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: Any) -> None:
        if self._run is not None:
            self._run.checkpoint(int(trainer.global_step))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        if self._run is not None and self._run._pid == _getpid():
            self._run._close_step()

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        if self._run is not None:
            self._run.finish()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if self._run is not None:
            stopped = isinstance(exception, (KeyboardInterrupt, TelltaleStop))
            self._run.finish("stopped" if stopped else "failed", _say(exception))


def _lightning(name: str) -> Any:
    """A class of the Lightning that is loaded: there are two packages of it, which do not know each other's classes."""
    for package in ("lightning.pytorch", "pytorch_lightning"):
        module = sys.modules.get(package)
        if module is not None:
            where = module if name == "Callback" else module.loggers
            return getattr(where, name, None)
    return None


def _lightning_logger(run: Run) -> Any:
    base = _lightning("Logger")
    if base is None:
        return None

    def log_metrics(self: Any, metrics: Mapping[str, Any], step: Optional[int] = None) -> None:
        run.log(metrics, step)

    members = {
        "_telltale_run": run,
        "name": "telltale",
        "version": run.id,
        "log_hyperparams": _nothing,
        "log_metrics": log_metrics,
    }
    return type("TelltaleLogger", (base,), members)()


def _nothing(*args: Any, **kwargs: Any) -> None:
    pass


def _arguments(args: Any) -> Dict[str, Any]:
    """A trainer's arguments without its secrets."""
    said = args.to_dict() if callable(getattr(args, "to_dict", None)) else getattr(args, "__dict__", {})
    return {name: value for name, value in dict(said).items() if not str(name).endswith("_token")}


def _checkpoints_in(folder: str) -> List[int]:
    try:
        return [int(match[1]) for match in map(re.compile(r"checkpoint-(\d{1,15})").fullmatch, os.listdir(folder)) if match]
    except OSError:
        return []


def _logs_in(folder: str) -> List[str]:
    return [
        os.path.join(folder, name) for name in sorted(os.listdir(folder)) if re.fullmatch(r"events-[A-Za-z0-9_-]+\.jsonl", name)
    ]


def _process() -> Dict[str, Any]:
    """Which process this is, so that a run that ended without a word can be told from one that goes on. Never fails; starts no program."""
    secret = re.compile("key|token|secret|passw|credential", re.IGNORECASE)
    command = []
    hide = False
    for arg in getattr(sys, "orig_argv", None) or [sys.executable, *sys.argv]:
        name, equals, _ = arg.partition("=")
        if equals and secret.search(name):
            command.append(f"{name}=***")
        elif hide and not arg.startswith("-"):
            command.append("***")
        else:
            command.append(arg)
        hide = arg.startswith("-") and not equals and secret.search(arg) is not None
    versions = {"python": sys.version.split()[0], "telltale-client": __version__}
    for library in ("torch", "transformers", "trl", "verl", "openrlhf", "lightning", "vllm"):
        # Only what the training has loaded itself.
        version = getattr(sys.modules.get(library), "__version__", None)
        if version is not None:
            versions[library] = str(version)[:40]
    commit = _git_commit()
    return {
        "host": socket.gethostname()[:255],
        "pid": os.getpid(),
        "pidNamespace": _or_none(lambda: os.readlink("/proc/self/ns/pid")),
        "startTicks": _or_none(_start_ticks),
        "command": " ".join(command)[:2000],
        "git": None if commit is None else {"commit": commit, "dirty": None},
        "versions": versions,
    }


def _start_ticks() -> str:
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
        text = file.read()
    return text[text.rindex(")") + 2 :].split(" ")[19]


def _git_commit() -> Optional[str]:
    """Commit of the folder's repository, read from its files: to start a program would fork a training."""

    def read(path: str) -> str:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1_000_000)

    try:
        folder = os.getcwd()
        while not os.path.isdir(os.path.join(folder, ".git")):
            folder, before = os.path.dirname(folder), folder
            if folder == before:
                return None
        git = os.path.join(folder, ".git")
        head = read(os.path.join(git, "HEAD")).strip()
        if head.startswith("ref: "):
            name = head[5:]
            if ".." in name or not name.startswith("refs/"):
                return None
            loose = os.path.join(git, name)
            if os.path.isfile(loose):
                head = read(loose).strip()
            else:
                packed = re.search(rf"^([0-9a-f]{{40,64}}) {re.escape(name)}$", read(os.path.join(git, "packed-refs")), re.MULTILINE)
                head = packed[1] if packed else ""
        return head if re.fullmatch("[0-9a-f]{40,64}", head) else None
    except (OSError, ValueError):
        return None


def _or_none(ask: Callable[[], str]) -> Optional[str]:
    try:
        return ask()
    except (OSError, ValueError, IndexError):
        return None


def _attempt_of(path: str, run_id: str) -> int:
    """Attempt of a log that is there; 0 where it is of another run or no log."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return 0
        with open(path, "rb") as file:
            head = file.read(4096).decode("utf-8", "replace")
    except OSError:
        return 0
    run = re.match(r'\{"v":1,"type":"run","run":"([A-Za-z0-9_-]{1,64})"', head)
    attempt = re.match(r'[^\n]{0,300}?"attempt":(\d{1,9})', head)
    return int(attempt[1]) if run and attempt and run[1] == run_id else 0


class _Plain:
    """Makes plain data of anything, within a budget: a configuration may hold models, cycles, tensors or megabytes."""

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count
        self._nodes = _MAX_CONFIG_NODES
        self._characters = _MAX_CONFIG_CHARACTERS
        self._path: List[int] = []

    def of(self, value: Any) -> Any:
        self._nodes -= 1
        if self._nodes < 0 or self._characters < 0:
            self._count("config_cut")
            return None
        try:
            return self._one(value)
        except Exception:
            self._count("config_cut")
            return None

    def _one(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            if isinstance(value, int) and abs(value) > _MAX_STEP:
                return str(value) if abs(value) < 10**100 else "a huge integer"
            return float(value) if math.isfinite(value) and isinstance(value, float) else json.loads(_number(value) or "null")
        if isinstance(value, str):
            kept = value[: max(0, self._characters)]
            self._characters -= len(kept)
            if len(kept) < len(value):
                self._count("config_cut")
            return str(kept)
        if isinstance(value, os.PathLike):
            return self._one(os.fsdecode(os.fspath(value)))
        if isinstance(value, (datetime.date, datetime.time)):
            return value.isoformat()
        if hasattr(value, "name") and hasattr(value, "value") and type(type(value)).__name__ in ("EnumMeta", "EnumType"):
            return self._one(value.value)
        if isinstance(value, (collections.abc.Mapping, list, tuple, set, frozenset)):
            return self._many(value)
        fields = getattr(type(value), "__dataclass_fields__", None)
        if fields is not None:
            return self._many({name: getattr(value, name, None) for name in fields})
        # argparse's, and whatever else only holds names; a model or a tensor is named by its type.
        if type(value).__name__ == "Namespace":
            return self._many(vars(value))
        self._count("config_cut")
        return f"<{type(value).__module__}.{type(value).__qualname__}>"

    def _many(self, value: Any) -> Any:
        if len(self._path) >= _MAX_DEPTH - 4 or id(value) in self._path:
            self._count("config_cut")
            return None
        self._path.append(id(value))
        try:
            if isinstance(value, collections.abc.Mapping):
                record: Dict[str, Any] = {}
                for key, item in value.items():
                    name = str(key)[:1000]
                    self._characters -= len(name)
                    if self._nodes <= 0:
                        self._count("config_cut")
                        break
                    record[name] = self.of(item)
                return record
            items: List[Any] = []
            for item in value:
                if self._nodes <= 0:
                    self._count("config_cut")
                    break
                items.append(self.of(item))
            return items
        finally:
            self._path.pop()


def _number(value: Any) -> Optional[str]:
    """A number as the wire has it: non-finite ones as texts. None for what is none."""
    if isinstance(value, (str, bytes)):
        return None
    if type(value) is not float:
        if isinstance(value, numbers.Integral):
            try:
                return repr(int(value)) if abs(int(value)) <= _MAX_STEP else repr(float(value))
            except OverflowError:
                return '"Infinity"' if int(value) > 0 else '"-Infinity"'
        if not isinstance(value, numbers.Real) and not hasattr(value, "__float__"):
            return None
        if hasattr(value, "full_tensor") or _count_of(value) != 1:
            # Of a tensor that is spread over ranks the value would have to be fetched.
            return None
        value = float(value.item()) if hasattr(value, "item") else float(value)
    if value != value:
        return '"NaN"'
    if value in (math.inf, -math.inf):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    return repr(float(value))


def _on_device(value: Any) -> bool:
    """Whether reading a value would wait for a device."""
    if isinstance(value, (float, int, str)):
        return False
    if callable(getattr(value, "is_ready", None)):
        return True
    device = getattr(value, "device", None)
    return device is not None and str(getattr(device, "type", device)) != "cpu"


def _count_of(value: Any) -> int:
    for name in ("numel", "size"):
        said = getattr(value, name, None)
        if callable(said):
            said = said()
        if isinstance(said, numbers.Integral):
            return int(said)
    return 1


def _plain_float(value: Any) -> float:
    return math.nan if _on_device(value) else float(value)


def _length(values: Any) -> int:
    try:
        return len(values)
    except Exception:
        return 0


def _text_of(value: Any) -> str:
    """A text, or what chat messages say: of several, each after its role."""
    if isinstance(value, str):
        return value
    if isinstance(value, collections.abc.Mapping):
        return _text_of(value.get("content", value.get("text", "")))
    if isinstance(value, (list, tuple)):
        parts = [one for one in value if isinstance(one, (str, collections.abc.Mapping))]
        if len(parts) == 1:
            return _text_of(parts[0])
        return "\n".join(
            f"{one['role']}: {_text_of(one)}" if isinstance(one, collections.abc.Mapping) and "role" in one else _text_of(one)
            for one in parts
        )
    return ""


def _label(value: Any, fallback: str) -> str:
    if value is None:
        return fallback
    return str(value).replace("\0", "")[:250].strip() or fallback


def _say(error: BaseException) -> str:
    try:
        return (str(error) or type(error).__name__)[:500]
    except Exception:
        return type(error).__name__


def _glimpse(value: Any) -> str:
    """What something is, shortly, without asking an object that may be on a device or huge."""
    if isinstance(value, str):
        return repr(value[:60]) + ("..." if len(value) > 60 else "")
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**30):
        return repr(value)
    return f"a {type(value).__name__}"


def _print(message: str) -> None:
    try:
        clean = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", message[:1500])
        sys.stderr.write(f"telltale: {clean}\n")
        sys.stderr.flush()
    except Exception:
        pass  # There is nobody to tell.


def _finish_open_runs() -> None:
    """Ends what was left open when Python ends: an exception that nobody caught is why the run failed."""
    error = getattr(sys, "last_value", None)
    for run in list(_open_runs):
        if error is None:
            run.finish(run._at_exit)
        elif isinstance(error, KeyboardInterrupt):
            run.finish("stopped")
        else:
            run.finish("failed", _say(error))


atexit.register(_finish_open_runs)
