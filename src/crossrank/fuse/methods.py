"""How the values a document has in several rankings become one: over ranks, or over scores.

NaN marks a ranking that does not have the document. `weights` is float64 [rankings].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossrank.fuse.table import Reals, Table

# -- over ranks -------------------------------------------------------------------------------
ByRank = Callable[[Table, Reals, float], Reals]


def _rrf(table: Table, weights: Reals, k: float) -> Reals:
    """Sum of w / (k + rank) (Cormack, Clarke & Büttcher 2009)."""
    return _total(weights, 1 / (k + table.ranks()))


def _isr(table: Table, weights: Reals, k: float) -> Reals:
    """Number of lists times the sum of w / rank^2 (Mourão, Martins & Magalhães 2015)."""
    return _found(table.ranks()) * _inverse_squares(table, weights)


def _log_isr(table: Table, weights: Reals, k: float) -> Reals:
    """log(number of lists) times the sum of w / rank^2; 0 for a document of one list (2015)."""
    return np.log(_found(table.ranks())) * _inverse_squares(table, weights)


def _logn_isr(table: Table, weights: Reals, k: float) -> Reals:
    """log(number of lists + 0.01) times the sum of w / rank^2 (Mourão et al. 2015)."""
    return np.log(_found(table.ranks()) + 0.01) * _inverse_squares(table, weights)


def _borda(table: Table, weights: Reals, k: float) -> Reals:
    """Candidates - rank + 1 points; documents a list lacks share what it left over equally
    (Aslam & Montague 2001).
    """
    candidates = table.candidates()
    points = candidates - table.ranks() + 1
    left = (candidates - table.depths() + 1) / 2
    return _total(weights, np.where(np.isnan(points), left, points))


def _inverse_squares(table: Table, weights: Reals) -> Reals:
    return _total(weights, table.ranks() ** -2.0)


RANK_METHODS: Final[dict[str, ByRank]] = {
    "rrf": _rrf,
    "isr": _isr,
    "log-isr": _log_isr,
    "logn-isr": _logn_isr,
    "borda": _borda,
}

# -- over scores ------------------------------------------------------------------------------
ByScore = Callable[[Reals, Reals, Reals], Reals]  # values, weights, number of lists that found it


def _sum(values: Reals, weights: Reals, found: Reals) -> Reals:
    return _total(weights, values)


def _mnz(values: Reals, weights: Reals, found: Reals) -> Reals:
    return found * _total(weights, values)


def _anz(values: Reals, weights: Reals, found: Reals) -> Reals:
    shares = (weights[:, None] * ~np.isnan(values)).sum(axis=0)
    total = _total(weights, values)
    mean: Reals = np.divide(total, shares, out=np.zeros_like(total), where=shares > 0)
    return mean


def _max(values: Reals, weights: Reals, found: Reals) -> Reals:
    return np.asarray(np.nanmax(weights[:, None] * values, axis=0), np.float64)


def _min(values: Reals, weights: Reals, found: Reals) -> Reals:
    return np.asarray(np.nanmin(weights[:, None] * values, axis=0), np.float64)


def _med(values: Reals, weights: Reals, found: Reals) -> Reals:
    return np.asarray(np.nanmedian(weights[:, None] * values, axis=0), np.float64)


@dataclass(frozen=True, slots=True)
class ScoreMethod:
    """A combination of scores, with the normaliser and the missing-score rule it comes with."""

    combined: ByScore
    normalise: str = "min-max"
    missing: str = "skip"


SCORE_METHODS: Final[dict[str, ScoreMethod]] = {
    "sum": ScoreMethod(_sum, missing="min"),  # CombSUM (Fox & Shaw 1993); weighted sum
    "mnz": ScoreMethod(_mnz),  # CombMNZ (1993): the sum times the number of lists that found it
    "anz": ScoreMethod(_anz),  # CombANZ (1993): the mean over the lists that found it
    "max": ScoreMethod(_max),  # CombMAX (1993)
    "min": ScoreMethod(_min),  # CombMIN (1993)
    "med": ScoreMethod(_med),  # CombMED (1993)
    "dbsf": ScoreMethod(_sum, normalise="dbsf"),  # distribution-based score fusion (Qdrant)
}

METHODS: Final = (*RANK_METHODS, *SCORE_METHODS)


def _total(weights: Reals, values: Reals) -> Reals:
    return np.asarray(np.nansum(weights[:, None] * values, axis=0), np.float64)


def _found(values: Reals) -> Reals:
    return np.asarray((~np.isnan(values)).sum(axis=0), np.float64)
