"""Numbers on a device are never waited for: they are copied, written once they are there, and counted."""

from __future__ import annotations

from typing import Any, List

import torch

import telltale


class Device:
    type = "cuda"


class OnDevice:
    """As a tensor on a GPU, for what the client may ask of one: reading it would stop the training until the device is done."""

    device = Device()

    def __init__(self, value: float) -> None:
        self.value = value
        self.there = False

    def numel(self) -> int:
        return 1

    def is_ready(self) -> bool:
        return self.there

    def tolist(self) -> float:
        assert self.there, "read before it was there"
        return self.value

    def item(self) -> float:
        raise AssertionError("waited for a device")

    __float__ = __int__ = __bool__ = __repr__ = __str__ = item  # type: ignore[assignment]


def steps_of(lines: Any) -> List[Any]:
    return [(line["phase"], line["iteration"], line.get("metrics")) for line in lines if line["type"] == "event"][1:]


def test_a_number_on_a_device_is_written_when_it_is_there_and_in_order(lines_of: Any) -> None:
    first, second = OnDevice(1.5), OnDevice(float("nan"))
    with telltale.init() as run:
        run.log({"host": 1, "device": first}, 0)
        run.log({"host": 2, "device": second}, 1)
        run.log({"host": 3}, 2)
        run.samples(["p"], ["r"], [1.0], 2)
        assert steps_of(lines_of(run.folder)) == []
        second.there = True
        run.log({"more": 1}, 2)
        assert steps_of(lines_of(run.folder)) == []
        first.there = True
        run.log({"host": 4}, 3)
        assert run.counts == {"values_deferred": 2}
        assert steps_of(lines_of(run.folder)) == [
            ("policy_update", 0, {"host": 1, "device": 1.5}),
            ("iteration_end", 0, None),
            ("policy_update", 1, {"host": 2, "device": "NaN"}),
            ("iteration_end", 1, None),
            ("policy_update", 2, {"host": 3}),
            ("response_generated", 2, None),
            ("policy_update", 2, {"more": 1}),
            ("iteration_end", 2, None),
            ("policy_update", 3, {"host": 4}),
        ]
    lines = lines_of(run.folder)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_a_number_that_never_comes_holds_up_at_most_so_many_lines(lines_of: Any) -> None:
    never = OnDevice(1.0)
    run = telltale.init()
    run.log({"host": 1, "device": never}, 0)
    for step in range(1, 400):
        run.log({"host": 1}, step)
    written = steps_of(lines_of(run.folder))
    assert written[0] == ("policy_update", 0, {"host": 1}) and len(written) > 200
    assert run.counts == {"values_deferred": 1, "values_never_ready": 1, "values_rejected": 1}
    run.finish()
    assert len(steps_of(lines_of(run.folder))) == 2 * 400 + 1


def test_rewards_on_a_device_come_with_their_answers(lines_of: Any) -> None:
    rewards = OnDevice(0.0)
    with telltale.init() as run:
        run.samples(["p", "p"], ["a", "b"], rewards, 0)
        run.log({"a": 1}, 0)
        assert len(lines_of(run.folder)) == 2
        rewards.value, rewards.there = [0.5, float("inf")], True  # type: ignore[assignment]
    samples = next(line for line in lines_of(run.folder) if line["type"] == "samples")
    assert samples["rewards"] == [0.5, "Infinity"] and samples["responses"] == ["a", "b"]


def test_a_tensor_that_has_no_value_costs_itself(lines_of: Any) -> None:
    with telltale.init() as run:
        run.log({"host": 1, "meta": torch.empty((), device="meta"), "many": torch.empty(3, device="meta")}, 0)
        run.log({"host": 2}, 1)
    assert [metrics for phase, _, metrics in steps_of(lines_of(run.folder)) if phase == "policy_update"] == [{"host": 1}, {"host": 2}]
    assert run.counts["values_rejected"] == 2 and run.status == "completed"


def test_rewards_and_steps_on_a_device_are_not_read(lines_of: Any) -> None:
    with telltale.init() as run:
        run.log({"a": 1}, OnDevice(3))  # type: ignore[arg-type]
        run.samples(["p"], ["r"], [OnDevice(1.0)], 0)
    samples = next(line for line in lines_of(run.folder) if line["type"] == "samples")
    assert samples["rewards"] == ["NaN"] and run.counts == {"steps_rejected": 1, "values_rejected": 1}
