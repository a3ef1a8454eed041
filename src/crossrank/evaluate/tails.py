"""Probabilities in the tails of three distributions, in numpy alone.

SciPy would be 35 MB more to install for these few lines; the tests check them against it.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from crossrank.evaluate.align import Reals

EXACT_UP_TO: Final = 300
"""Differences up to which the signed-rank distribution is computed exactly."""


def student_t(statistic: float, freedom: int) -> float:
    """Two-sided p of Student's t: P(|T| >= |statistic|) with `freedom` degrees of freedom."""
    square = statistic * statistic
    near, far = freedom / (freedom + square), square / (freedom + square)
    return _incomplete_beta(freedom / 2, 0.5, near, far)


def signed_rank(ranks: Reals, positive: float) -> float:
    """Two-sided p of Wilcoxon's signed-rank statistic: the sum of the ranks with a plus sign.

    ranks: float64 [n], mid-ranks where there are ties. Exact (ties included) for up to
    `EXACT_UP_TO` ranks, beyond that by the normal approximation.
    """
    total = float(ranks.sum())
    if len(ranks) <= EXACT_UP_TO:
        return _signed_rank_exact(ranks, min(positive, total - positive))
    deviation = math.sqrt(float((ranks**2).sum()) / 4)  # with ties this is the corrected one
    return math.erfc(abs(positive - total / 2) / deviation / math.sqrt(2))


def _signed_rank_exact(ranks: Reals, lower: float) -> float:
    # twice the mid-ranks are whole numbers; chance[s] = P(sum of those with a plus sign = s)
    doubled = np.rint(2 * ranks).astype(np.int64)
    chance = np.zeros(int(doubled.sum()) + 1)
    chance[0] = 1.0
    reached = 0
    for rank in doubled:
        reached += int(rank)
        shifted = chance[: reached + 1 - rank].copy()
        chance[: reached + 1] /= 2
        chance[rank : reached + 1] += shifted / 2
    return min(1.0, 2 * float(chance[: round(2 * lower) + 1].sum()))


def _incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """The regularised incomplete beta function I_x(a, b) with y = 1 - x, which x alone would
    round away (DLMF 8.17.22, a continued fraction).
    """
    if x <= 0 or y <= 0:
        return float(y <= 0)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side only
        return 1 - _incomplete_beta(b, a, y, x)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logarithm + a * math.log(x) + b * math.log(y)) / a
    return front / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float, steps: int = 400) -> float:
    # evaluated from its tail, so that no rescaling is needed
    value = 1.0
    for step in range(steps, 0, -1):
        m, odd = divmod(step, 2)
        if odd:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        value = 1 + term / value
    return value
