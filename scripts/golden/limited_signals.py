"""Writes the golden values of src/stats/limited-signals.test.ts with numpy, one for each prefix of a few series.

    python3 -m pip install numpy && python3 scripts/golden/limited_signals.py > src/stats/limited-signals.fixture.json

The running means are written as weighted sums over everything so far, not as recursions.
"""
import json

import numpy as np

rng = np.random.default_rng(7)


def running_mean(x, memory):
    """Mean whose newest value has the weight 1/n up to `memory` values and 1/memory from then on."""
    n = len(x)
    newest = np.array([1 / min(i + 1, memory) for i in range(n)])
    kept = np.array([np.prod(1 - newest[i + 1 :]) for i in range(n)])
    return float(np.sum(np.asarray(x) * newest * kept))


def slew_limited(x, min_step):
    limited, moves = [x[0]], []
    for t in range(1, len(x)):
        limit = np.inf if t <= 10 else max(2 * running_mean(moves, 50), min_step)
        move = float(np.clip(x[t] - limited[-1], -limit, limit))
        moves.append(abs(move))
        limited.append(limited[-1] + move)
    return limited


def loudness(x):
    factors, counted = [1.0], []
    for t in range(1, len(x)):
        change = abs(x[t] - x[t - 1])
        counted.append(change if t <= 20 else min(change, 4 * running_mean(counted, 400)))
        usual = running_mean(counted, 400)
        factors.append(max(1.0, running_mean(counted, 20) / usual / 1.2) if usual > 0 else 1.0)
    return factors


series = []
for rho, df, burst in ((0.0, 10, False), (0.9, 3, False), (0.5, 4, True)):
    x = np.zeros(160)
    for t in range(1, 160):
        x[t] = rho * x[t - 1] + rng.standard_t(df) * (4 if burst and 100 <= t < 125 else 1)
    series.append({"values": x.tolist(), "limited": slew_limited(x, 0.1), "loudness": loudness(x)})
series.append({"values": [3.0] * 40, "limited": slew_limited([3.0] * 40, 0.0), "loudness": loudness([3.0] * 40)})
print(json.dumps({"numpy": np.__version__, "series": series}))
