"""Writes the golden values of src/stats/stats.test.ts with numpy and scipy.

    python3 -m pip install numpy scipy && python3 scripts/golden/theil_sen.py > src/stats/stats.fixture.json
"""
import json

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(1)
cases = []
for n in (4, 5, 9, 30, 200):
    for slope in (0.0, 0.3, -2.0):
        x = np.sort(rng.choice(np.arange(3 * n), n, replace=False)).astype(float)
        y = slope * x + rng.standard_t(5, n)
        if n == 30:
            y = np.round(y)  # ties
        fit = stats.theilslopes(y, x)
        cases.append({"x": x.tolist(), "y": y.tolist(), "slope": fit.slope, "low": fit.low_slope, "high": fit.high_slope, "median": float(np.median(y)), "q10": float(np.quantile(y, 0.1))})
t = [{"degrees": d, "t": float(stats.t.ppf(0.975, d))} for d in (1, 2, 4, 10, 29, 30, 31, 50, 200, 10000)]
print(json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "theilSen": cases, "t": t}))
