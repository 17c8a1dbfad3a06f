"""The callback and the wrapper of reward functions, where a trainer of its own is not needed."""

from __future__ import annotations

import asyncio
import math
import pathlib
import pickle
from types import SimpleNamespace
from typing import Any, List

import pytest

import telltale


def state(step: int) -> Any:
    return SimpleNamespace(global_step=step, max_steps=100)


def begin(tmp_path: pathlib.Path, kind: str = "TrainingArguments", **options: Any) -> Any:
    args = type(kind, (), {"output_dir": str(tmp_path / "project" / "out"), "run_name": None, "hub_token": "secret"})()
    args.__dict__.update(learning_rate=1e-6, hub_token="secret")
    callback = telltale.TelltaleCallback(run_id="r", **options)
    control = SimpleNamespace(should_save=False, should_training_stop=False)
    callback.on_train_begin(args, state(0), control, model=None)
    return callback, args, control


def test_it_has_every_event_that_a_trainer_may_send() -> None:
    transformers = pytest.importorskip("transformers")
    callback = telltale.TelltaleCallback()
    for name in dir(transformers.TrainerCallback):
        if name.startswith("on_"):
            assert callable(getattr(callback, name))
    callback.on_something_new(1, 2, a=3)
    with pytest.raises(AttributeError):
        callback.other  # noqa: B018
    assert not hasattr(callback, "state")


@pytest.mark.parametrize(("kind", "trainer"), [("GRPOConfig", "trl-grpo"), ("PPOConfig", "trl-ppo"), ("TrainingArguments", "own-loop")])
def test_it_names_project_run_and_trainer_and_keeps_secrets(kind: str, trainer: str, tmp_path: pathlib.Path, lines_of: Any) -> None:
    callback, _, _ = begin(tmp_path, kind, config={"mine": 1})
    callback.on_train_end(None, state(1), None)
    lines = lines_of(callback.run.folder)
    assert (lines[0]["project"], lines[0]["name"], lines[0]["trainer"]) == ("project", "out", trainer)
    assert lines[1]["metadata"] == {"config": {"learning_rate": 1e-6, "mine": 1}, "totalIterations": 100}


def test_an_evaluation_comes_on_top_and_what_ends_a_step_ends_it(tmp_path: pathlib.Path, lines_of: Any) -> None:
    callback, args, control = begin(tmp_path)
    callback.on_log(args, state(5), control, {"loss": 1.0, "learning_rate": 0.1})
    callback.on_log(args, state(5), control, {"eval_loss": 2.0})
    callback.on_log(args, state(5), control, {"mine": 3.0})
    callback.on_log(args, state(10), control, {"lr": 1.0, "objective/kl": math.nan})
    callback.on_log(args, state(10), control, None)
    callback.on_train_end(args, state(10), control)
    said = [(line["phase"], line["iteration"], line.get("metrics")) for line in lines_of(callback.run.folder) if line["type"] == "event"]
    assert said[1:-1] == [
        ("iteration_end", 5, {"loss": 1.0, "learning_rate": 0.1}),
        ("evaluation", 5, {"eval_loss": 2.0}),
        ("evaluation", 5, {"mine": 3.0}),
        ("iteration_end", 10, {"lr": 1.0, "objective/kl": "NaN"}),
    ]


def test_checkpoints_are_said_and_those_that_were_removed(tmp_path: pathlib.Path, lines_of: Any) -> None:
    callback, args, control = begin(tmp_path)
    out = pathlib.Path(args.output_dir)
    (out / "checkpoint-5").mkdir(parents=True)
    callback.on_save(args, state(5), control)
    (out / "checkpoint-5").rmdir()
    (out / "checkpoint-10").mkdir()
    callback.on_save(args, state(10), control)
    saved = [(line["iteration"], line["metadata"].get("removed")) for line in lines_of(callback.run.folder) if line.get("phase") == "checkpoint_saved"]
    assert saved == [(5, None), (10, [5])]


def test_a_trainer_is_asked_to_save_and_to_stop(tmp_path: pathlib.Path, order: Any) -> None:
    callback, args, control = begin(tmp_path)
    callback.on_step_end(args, state(3), control)
    assert not control.should_training_stop
    order(callback.run)
    callback.on_step_end(args, state(4), control)
    assert control.should_save and control.should_training_stop and callback.stopped
    callback.on_save(args, state(4), control)
    callback.on_train_end(args, state(4), control)
    assert callback.run.status == "stopped"


def test_a_loop_that_goes_on_all_the_same_is_left(tmp_path: pathlib.Path, order: Any) -> None:
    callback, args, control = begin(tmp_path, checkpoint=False)
    order(callback.run)
    callback.on_step_end(args, state(4), control)
    assert not control.should_save
    with pytest.raises(telltale.TelltaleStop, match="the KL explodes") as left:
        callback.on_step_end(args, state(5), control)
    assert left.value.code == telltale.EXIT_CODE_STOPPED == 3 and callback.run.status == "stopped"


@pytest.mark.parametrize("checkpoint", [True, False])
def test_the_loop_of_ppo_is_left_after_its_checkpoint(checkpoint: bool, tmp_path: pathlib.Path, order: Any) -> None:
    callback, args, control = begin(tmp_path, "PPOConfig", checkpoint=checkpoint)
    callback.on_save(args, state(2), control)
    order(callback.run)
    if not checkpoint:
        with pytest.raises(telltale.TelltaleStop):
            callback.on_step_end(args, state(4), control)
        return
    callback.on_step_end(args, state(4), control)
    assert control.should_save
    with pytest.raises(telltale.TelltaleStop):
        callback.on_save(args, state(4), control)


def test_a_second_training_is_a_second_attempt(tmp_path: pathlib.Path, lines_of: Any) -> None:
    callback, args, control = begin(tmp_path)
    callback.on_train_begin(args, state(0), control)
    assert sorted(line["attempt"] for line in lines_of(callback.run.folder) if line["type"] == "run") == [1, 2]


def test_arguments_that_cannot_be_read_do_not_reach_the_training(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        output_dir = None

        def to_dict(self) -> Any:
            raise RuntimeError("no")

    callback = telltale.TelltaleCallback()
    callback.on_train_begin(Broken(), state(0), None)
    callback.on_log(None, state(0), None, {"loss": 1})
    callback.on_step_end(None, state(0), None)
    callback.on_save(None, state(0), None)
    callback.on_train_end(None, state(0), None)
    assert "is not logged: no" in capsys.readouterr().err


def samples_of(lines: Any) -> List[Any]:
    return [(line["iteration"], line.get("prompts"), line.get("responses"), line.get("rewards")) for line in lines if line["type"] == "samples"]


def test_rewards_of_several_functions_are_summed_as_the_trainer_does(lines_of: Any) -> None:
    def length(completions: List[str], **_: Any) -> List[Any]:
        return [len(one) for one in completions]

    async def sometimes(completions: List[str], **_: Any) -> List[Any]:
        return [None, 4.0, None]

    def never(completions: List[str], **_: Any) -> List[Any]:
        return [None, None, None]

    with telltale.init() as run:
        first, second, third = telltale.watch_rewards([length, sometimes, never], run, weights=[1.0, 0.5, 9.0])
        assert (first.__name__, second.__name__) == ("length", "sometimes") and asyncio.iscoroutinefunction(second)
        said = {"prompts": ["p", "q", "r"], "completions": ["a", "bb", ""], "trainer_state": state(6)}
        assert first(**said) == [1, 2, 0]
        assert third(**said) == [None, None, None]
        assert samples_of(lines_of(run.folder)) == []
        assert asyncio.run(second(**said)) == [None, 4.0, None]
    assert samples_of(lines_of(run.folder)) == [(7, ["p", "q", "r"], ["a", "bb", ""], [1.0, 4.0, 0.0])]


def test_rewards_that_no_function_gave_are_no_number(lines_of: Any) -> None:
    with telltale.init() as run:
        watched = telltale.watch_rewards(lambda **_: [None, "x"], run)
        watched(prompts=["p"], completions=["a"])
        watched = telltale.watch_rewards(lambda **_: [None], run)
        watched(prompts=["p"], completions=["a"])
    assert samples_of(lines_of(run.folder)) == [(0, ["p"], ["a"], ["NaN"])]
    assert run.counts["calls_failed"] == 1


def test_a_function_that_raises_raises_in_the_training(lines_of: Any) -> None:
    def broken(**_: Any) -> List[float]:
        raise ValueError("mine")

    with telltale.init() as run, pytest.raises(ValueError, match="mine"):
        telltale.watch_rewards(broken, run)(prompts=["p"], completions=["a"])


def test_models_are_passed_on_and_answers_come_without_rewards(lines_of: Any) -> None:
    import torch

    model = torch.nn.Linear(1, 1)

    class Judge:
        def __call__(self, **_: Any) -> List[float]:
            return [1.0]

    with telltale.init() as run:
        judge, passed, name = telltale.watch_rewards([Judge(), model, "some/model"], run)
        assert passed is model and name == "some/model" and judge.__name__ == "Judge"
        judge(prompts=["p"], completions=["a"])
    assert samples_of(lines_of(run.folder)) == [(0, ["p"], ["a"], None)]


def test_answers_of_an_evaluation_are_not_those_of_the_training(tmp_path: pathlib.Path, lines_of: Any) -> None:
    callback, args, control = begin(tmp_path)
    watched = telltale.watch_rewards(lambda **_: [1.0], callback)
    for training in (True, False):
        callback._model = SimpleNamespace(training=training)
        watched(prompts=["p"], completions=["training" if training else "evaluation"], trainer_state=state(1))
    assert [responses for _, _, responses, _ in samples_of(lines_of(callback.run.folder))] == [["training"]]


def test_the_lightning_callback_travels_to_other_processes() -> None:
    callback: Any = telltale.TelltaleLightningCallback("p", "n", run_id="r", checkpoint=False)
    rebuilt = pickle.loads(pickle.dumps(callback))
    assert rebuilt._said == callback._said == ("p", "n", "r", None, None, True, False)
