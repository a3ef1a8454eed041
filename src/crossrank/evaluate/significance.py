"""Whether a difference between two runs is more than chance: tests over the same queries.

Every function takes differences: float64 [tests, queries], one row for each pair of runs (and
measure), one column for each query. (Smucker, Allan & Carterette 2007 compare the tests.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.evaluate.align import Reals
from crossrank.evaluate.tails import signed_rank, student_t

SAMPLES: Final = 100_000
RESAMPLES: Final = 10_000
_CELLS: Final = 2_000_000  # signs or counts held at once
_EQUAL: Final = 1e-12


def t_test(differences: Reals) -> Reals:
    """Two-sided p of Student's paired t-test, a row each; 1 where no query differs."""
    return np.array([_t_test(row) for row in _checked(differences)])


def wilcoxon(differences: Reals) -> Reals:
    """Two-sided p of Wilcoxon's signed-rank test; queries without a difference are left out."""
    return np.array([_wilcoxon(row) for row in _checked(differences)])


def randomisation(differences: Reals, samples: int = SAMPLES, seed: int = 0) -> Reals:
    """Two-sided p of Fisher's randomisation test on the mean: signs flipped at random.

    The p of a row is (1 + samples at least as extreme) / (1 + samples), so it is never 0. Exact,
    over all 2^n signs, where that is fewer than `samples` for the n queries that differ anywhere.
    """
    rows = _checked(differences)
    if samples < 1:
        raise BadInput(f"1 or more samples wanted, got {samples}")
    live = rows[:, np.any(rows != 0, axis=0)]
    if live.shape[1] < 62 and 2 ** live.shape[1] <= samples:
        exact: Reals = _extreme(live, _all_signs(live.shape[1])) / 2.0 ** live.shape[1]
        return exact
    signs = _random_signs(live.shape[1], samples, np.random.default_rng(seed))
    return (_extreme(live, signs) + 1) / (samples + 1)


def holm(p_values: Reals) -> Reals:
    """Holm's step-down adjusted p (1979): the family-wise error stays below any level chosen."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    factors = len(p) - np.arange(len(p))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted


def bootstrap(
    values: Reals, level: float = 0.95, samples: int = RESAMPLES, seed: int = 0
) -> tuple[Reals, Reals]:
    """Percentile bootstrap interval of the mean of each row: (low, high), float64 [rows] each."""
    rows = _checked(values)
    if not 0 < level < 1:
        raise BadInput(f"a level between 0 and 1 wanted, got {level}")
    if samples < 1:
        raise BadInput(f"1 or more samples wanted, got {samples}")
    rng = np.random.default_rng(seed)
    count = rows.shape[1]
    means = [counts @ rows.T / count for counts in _resampled(count, samples, rng)]
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail], axis=0)
    return low, high


def _checked(differences: Reals) -> Reals:
    rows = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    if rows.ndim != 2 or not rows.shape[1]:
        raise BadInput(f"differences [tests, queries] wanted, got the shape {rows.shape}")
    return rows


def _t_test(row: Reals) -> float:
    mean, count = row.mean(), len(row)
    if not np.any(row) or count < 2:
        return 1.0
    error = row.std(ddof=1) / np.sqrt(count)
    return student_t(float(mean / error), count - 1) if error > 0 else 0.0


def _wilcoxon(row: Reals) -> float:
    # values that differ by rounding only are ties, as they are on paper
    kept = np.round(row[np.abs(row) > _EQUAL], 12)
    if not len(kept):
        return 1.0
    _, place, counts = np.unique(np.abs(kept), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return signed_rank(ranks, float(ranks[kept > 0].sum()))


def _extreme(rows: Reals, signs: Iterator[Reals]) -> Reals:
    """How many of the signs give a sum at least as far from zero as the one observed."""
    observed = np.abs(rows.sum(axis=1))
    limit = observed - _EQUAL * np.maximum(np.abs(rows).sum(axis=1), 1)
    found = np.zeros(len(rows))
    for chunk in signs:
        found += (np.abs(chunk @ rows.T) >= limit).sum(axis=0)
    return found


def _all_signs(count: int) -> Iterator[Reals]:
    size = max(_CELLS // max(count, 1), 1)
    for start in range(0, 2**count, size):
        numbers = np.arange(start, min(start + size, 2**count), dtype=np.int64)
        yield _signs((numbers[:, None] >> np.arange(count)) & 1)


def _random_signs(count: int, samples: int, rng: np.random.Generator) -> Iterator[Reals]:
    size = max(_CELLS // max(count, 1), 1)
    for start in range(0, samples, size):
        rows = min(size, samples - start)
        bits = np.frombuffer(rng.bytes(-(-rows * count // 8)), dtype=np.uint8)
        yield _signs(np.unpackbits(bits, count=rows * count).reshape(rows, count))


def _signs(bits: npt.NDArray[np.integer[Any]]) -> Reals:
    return np.asarray(1.0 - 2.0 * bits, dtype=np.float64)


def _resampled(count: int, samples: int, rng: np.random.Generator) -> Iterator[Reals]:
    """How often each query was drawn, a row for each resample."""
    size = max(_CELLS // count, 1)
    for start in range(0, samples, size):
        rows = min(size, samples - start)
        drawn = rng.integers(0, count, (rows, count)) + np.arange(rows)[:, None] * count
        counts = np.bincount(drawn.reshape(-1), minlength=rows * count)
        yield counts.reshape(rows, count).astype(np.float64)
