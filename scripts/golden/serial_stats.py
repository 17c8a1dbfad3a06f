"""Writes the golden values of src/stats/serial-stats.test.ts with numpy and scipy, one for each prefix of a few series.

    python3 -m pip install numpy scipy && python3 scripts/golden/serial_stats.py > src/stats/serial-stats.fixture.json
"""
import json

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(2)


def autoregressive(n, rho, df):
    innovations = rng.standard_t(df, n)
    x = np.zeros(n)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + innovations[t]
    return x


def difference_variance(x, lag):
    d = x[lag:] - x[:-lag]
    distances = np.abs(d - np.median(d))
    spread = 1.4826 * np.median(distances)
    return float(np.mean(np.minimum(distances, 3 * spread if spread > 0 else np.inf) ** 2))


def serial_scale(x, longest):
    lags = [lag for lag in (1, 2, 4, 8) if lag <= longest and len(x) - lag >= 3]
    observed = np.array([difference_variance(x, lag) for lag in lags])
    weights = np.sqrt([(len(x) - lag) / lag for lag in lags])
    fits = []
    for i in range(20):
        shape = np.array([2 * (1 - (i / 20) ** lag) for lag in lags])
        # Weighted least squares of observed = variance * shape.
        variance = np.linalg.lstsq((weights * shape)[:, None], weights * observed, rcond=None)[0][0]
        fits.append((float(np.sum((weights * (variance * shape - observed)) ** 2)), i / 20, max(0.0, float(variance))))
    # Of equal fits the smallest autocorrelation.
    _, rho, variance = min(fits, key=lambda fit: (round(fit[0], 12), fit[1]))
    return {"sd": float(np.sqrt(variance)), "autocorrelation": rho}


def change_point(y):
    n = len(y)
    best = None
    for j in range(2, n - 1):
        for power in (0, 1):
            t = np.arange(n)
            x = np.where(t <= j, 0.0, 1.0 if power == 0 else (t - j).astype(float))
            design = np.stack([np.ones(n), x], axis=1)
            coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
            left = y - design @ coefficients if coefficients[1] > 0 else y - np.mean(y)
            loss = float(np.sum(left**2))
            if best is None or loss < best[0] - 1e-9:
                best = (loss, j)
    return best[1]


series = []
for rho, df in ((0.0, 10), (0.6, 4), (0.9, 3)):
    x = autoregressive(60, rho, df)
    series.append({"values": x.tolist(), "long": [serial_scale(x[:n], 8) for n in range(4, 61)], "short": [serial_scale(x[:n], 2) for n in range(4, 61)], "medians": [float(np.median(x[:n])) for n in range(1, 61)]})
changes = []
for size, ramp in ((4.0, False), (0.5, True), (2.0, False)):
    y = rng.standard_normal(40)
    y[25:] += size * (np.arange(1, 16) if ramp else 1.0)
    changes.append({"values": y.tolist(), "at": [change_point(y[:n]) for n in range(4, 41)]})
variances = []
for rho in (0.0, 0.3, 0.9):
    for n in range(1, 33):
        covariance = rho ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        variances.append({"rho": rho, "n": n, "variance": float(covariance.mean())})
x, y = autoregressive(50, 0.5, 5), autoregressive(50, 0.5, 5)
pearson = {"x": x.tolist(), "y": (y + x).tolist(), "r": [float(stats.pearsonr(x[:n], (y + x)[:n]).statistic) for n in range(3, 51)]}
print(json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "series": series, "changes": changes, "variances": variances, "pearson": pearson}))
