"""Scores of different scales made comparable, query by query.

A list whose scores are all the same (a single document, say) says that its documents were found
and nothing more; each normaliser states what it makes of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Ranking, Scale

Reals = npt.NDArray[np.float64]
Normaliser = Callable[[Ranking], Reals]


def normalised(ranking: Ranking, normaliser: str) -> Reals:
    """The scores of `ranking` under the normaliser of that name: float64 [N], as its `docs`.

    Every normaliser keeps the order within a query. Raises BadInput for unknown names.
    """
    if normaliser not in NORMALISERS:
        raise BadInput(f"a normaliser ({', '.join(NORMALISERS)}) wanted, got {normaliser!r}")
    return NORMALISERS[normaliser](ranking)


def _none(ranking: Ranking) -> Reals:
    return ranking.scores.astype(np.float64)


def _min_max(ranking: Ranking) -> Reals:
    """(s - min) / (max - min): 1 for the first, 0 for the last; all 1 if all scores are one."""
    low, high = _ends(ranking)
    return _divided(_none(ranking) - low, high - low, otherwise=1.0)


def _z_score(ranking: Ranking) -> Reals:
    """(s - mean) / standard deviation; all 0 if all scores are one."""
    centred, variance = _moments(ranking, bessel=0)
    return _divided(centred, np.sqrt(variance), otherwise=0.0)


def _dbsf(ranking: Ranking) -> Reals:
    """0 at three standard deviations below the mean and 1 at three above, as Qdrant's
    distribution-based score fusion (sample variance); all 0.5 if all scores are one.
    """
    centred, variance = _moments(ranking, bessel=1)
    return 0.5 + _divided(centred, 6 * np.sqrt(variance), otherwise=0.0)


def _sum(ranking: Ranking) -> Reals:
    """(s - min) / sum of (s - min): adds up to 1; all 1 / n if all scores are one."""
    low, _ = _ends(ranking)
    shifted = _none(ranking) - low
    count = ranking.depths()[ranking.owners()]
    return _divided(shifted, _sums(ranking, shifted), otherwise=1 / np.maximum(count, 1))


def _max(ranking: Ranking) -> Reals:
    """s / max; where no score is above zero, s / |min| (dividing by the max would turn them)."""
    low, high = _ends(ranking)
    return _divided(_none(ranking), np.where(high > 0, high, np.abs(low)), otherwise=0.0)


def _rank(ranking: Ranking) -> Reals:
    """1 - (rank - 1) / n: 1 for the first, 1 / n for the last."""
    count = ranking.depths()[ranking.owners()]
    return 1 - (ranking.ranks() - 1) / count


def _sigmoid(ranking: Ranking) -> Reals:
    """1 / (1 + exp(-s)) of a logit: does not depend on the other documents.

    Probabilities stay as they are; a scale that is known to be neither is refused.
    """
    if ranking.scale.bounded:
        return _none(ranking)
    if ranking.scale not in (Scale.LOGIT, Scale.RAW):
        raise BadInput(
            f"logits wanted for the sigmoid, got scores of scale {ranking.scale.value!r}: "
            "use min-max or z-score for them"
        )
    # by tanh: exp would overflow for large negative logits
    values: Reals = 0.5 + 0.5 * np.tanh(_none(ranking) / 2)
    return values


NORMALISERS: Final[dict[str, Normaliser]] = {
    "none": _none,
    "min-max": _min_max,
    "z-score": _z_score,
    "dbsf": _dbsf,
    "sum": _sum,
    "max": _max,
    "rank": _rank,
    "sigmoid": _sigmoid,
}


def _ends(ranking: Ranking) -> tuple[Reals, Reals]:
    """The lowest and the highest score of the query of each entry (they are sorted)."""
    owner = ranking.owners()
    scores = _none(ranking)
    return scores[ranking.indptr[1:][owner] - 1], scores[ranking.indptr[:-1][owner]]


def _moments(ranking: Ranking, *, bessel: int) -> tuple[Reals, Reals]:
    """For each entry its distance from the mean of its query, and the query's variance."""
    scores = _none(ranking)
    count = ranking.depths()[ranking.owners()]
    centred = scores - _sums(ranking, scores) / count
    low, high = _ends(ranking)
    variance = _sums(ranking, centred**2) / np.maximum(count - bessel, 1)
    return centred, np.where(high > low, variance, 0.0)  # rounding must not make a spread


def _sums(ranking: Ranking, values: Reals) -> Reals:
    owner = ranking.owners()
    sums = np.bincount(owner, weights=values, minlength=len(ranking.queries))
    return sums.astype(np.float64)[owner]


def _divided(top: Reals, bottom: Reals, *, otherwise: float | Reals) -> Reals:
    out = np.array(np.broadcast_to(otherwise, top.shape), dtype=np.float64)
    return np.divide(top, bottom, out=out, where=bottom > 0)
