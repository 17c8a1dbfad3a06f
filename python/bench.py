"""What one call of ``run.log`` costs the training: microseconds at the median and at p99, with 1, 20 and 100 numbers.

``python bench.py [--calls 20000] [--json]``, beside ``telltale`` or with the package installed. The goal is 25 microseconds at the median
and 100 at p99, with 20 numbers.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import tempfile
import time

import telltale


def measure(numbers: int, calls: int, step_of_each: bool) -> dict[str, object]:
    chance = random.Random(0)
    rows = [{f"group/metric_{i}": chance.gauss(0, 1) for i in range(numbers)} for _ in range(256)]
    times = []
    with tempfile.TemporaryDirectory() as folder, telltale.init("bench", dir=folder) as run:
        for call in range(calls + 200):
            row = rows[call % len(rows)]
            step = call if step_of_each else 0
            start = time.perf_counter_ns()
            run.log(row, step)
            times.append(time.perf_counter_ns() - start)
    times = sorted(times[200:])
    return {
        "numbers": numbers,
        "step": "a new one each call" if step_of_each else "the same",
        "p50_us": round(times[len(times) // 2] / 1000, 2),
        "p99_us": round(times[len(times) * 99 // 100] / 1000, 2),
        "max_us": round(times[-1] / 1000, 2),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=20_000)
    options.add_argument("--json", action="store_true")
    said = options.parse_args()
    rows = [measure(numbers, said.calls, each) for numbers in (1, 20, 100) for each in (True, False)]
    if said.json:
        print(json.dumps({"python": platform.python_version(), "machine": platform.machine(), "calls": said.calls, "rows": rows}))
        return
    for row in rows:
        print("{numbers:>4} numbers, step {step:<20} p50 {p50_us:>8} us   p99 {p99_us:>8} us   max {max_us:>9} us".format(**row))


if __name__ == "__main__":
    main()
