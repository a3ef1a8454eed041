"""The pure function: rankings in, one ranking out. All that can be chosen is one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.fuse.methods import METHODS, RANK_METHODS, SCORE_METHODS
from crossrank.fuse.normalise import NORMALISERS, normalised
from crossrank.fuse.table import Reals, Table
from crossrank.types import Ranking

MISSING: Final = ("skip", "zero", "min")
AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Combination:
    """How rankings become one.

    method: one of METHODS. weights: one for each ranking, 0 or more; none for equal ones.
    normalise: "auto" (what the method comes with), one normaliser for all rankings, or one for
    each. missing: the score of a document in a ranking that lacks it: "skip" (none: it adds
    nothing and is not counted), "zero", "min" (the lowest score that ranking has for the query;
    "skip" where it has nothing at all), "auto" (what the method comes with). k: the constant of
    RRF. Methods over ranks take no normaliser and have their own rule for missing documents.
    """

    method: str = "rrf"
    weights: tuple[float, ...] = ()
    normalise: str | tuple[str, ...] = AUTO
    missing: str = AUTO
    k: float = 60.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise BadInput(f"a method ({', '.join(METHODS)}) wanted, got {self.method!r}")
        if not all(np.isfinite(w) and w >= 0 for w in self.weights):
            raise BadInput(f"weights of 0 or more wanted, got {self.weights}")
        if self.weights and not any(self.weights):
            raise BadInput(f"at least one weight above 0 wanted, got {self.weights}")
        if not (np.isfinite(self.k) and self.k >= 0):
            raise BadInput(f"k of 0 or more wanted, got {self.k}")
        if self.missing not in (AUTO, *MISSING):
            raise BadInput(f"missing: {AUTO}, {', '.join(MISSING)} wanted, got {self.missing!r}")
        self._check_normalisers()

    def _check_normalisers(self) -> None:
        chosen = (self.normalise,) if isinstance(self.normalise, str) else self.normalise
        for name in chosen:
            if name not in (AUTO, *NORMALISERS):
                raise BadInput(f"a normaliser ({', '.join(NORMALISERS)}) wanted, got {name!r}")
        if self.method in RANK_METHODS and (*chosen, self.missing) != (AUTO, AUTO):
            raise BadInput(
                f"method {self.method!r} looks at ranks only: leave normalise and missing out, "
                f"or use a method over scores ({', '.join(SCORE_METHODS)})"
            )

    def normalisers(self, count: int) -> tuple[str, ...]:
        """The normaliser of each of `count` rankings; empty for methods over ranks."""
        if self.method in RANK_METHODS:
            return ()
        own = SCORE_METHODS[self.method].normalise
        chosen = (self.normalise,) * count if isinstance(self.normalise, str) else self.normalise
        if len(chosen) != count:
            raise BadInput(f"one normaliser for each of {count} rankings wanted, got {chosen}")
        return tuple(own if name == AUTO else name for name in chosen)


def fuse(
    rankings: Sequence[Ranking],
    method: str = "rrf",
    *,
    weights: Sequence[float] = (),
    normalise: str | Sequence[str] = AUTO,
    missing: str = AUTO,
    k: float = 60.0,
) -> Ranking:
    """One ranking of the union of all documents, of scale FUSED; `Combination` says what is what.

    Ties go by ascending row. Raises BadInput unless the rankings share queries and corpus.
    """
    names = normalise if isinstance(normalise, str) else tuple(normalise)
    return combine(rankings, Combination(method, tuple(weights), names, missing, k))


def combine(rankings: Sequence[Ranking], how: Combination) -> Ranking:
    """One ranking of the union of all documents, of scale FUSED."""
    table = Table.of(rankings)
    return table.ranking(scored(table, how))


def scored(table: Table, how: Combination) -> Reals:
    """The fused score of every document of a table: float64 [U]."""
    count = len(table.rankings)
    weights = np.array(how.weights or (1.0,) * count)
    if len(weights) != count:
        raise BadInput(f"one weight for each of {count} rankings wanted, got {how.weights}")
    if how.method in RANK_METHODS:
        return RANK_METHODS[how.method](table, weights, how.k)
    names = how.normalisers(count)
    pairs = zip(table.rankings, names, strict=True)
    values = table.spread([normalised(ranking, name) for ranking, name in pairs])
    found = (~np.isnan(values)).sum(axis=0).astype(np.float64)
    method = SCORE_METHODS[how.method]
    rule = method.missing if how.missing == AUTO else how.missing
    return method.combined(filled(table, values, rule), weights, found)


def filled(table: Table, values: Reals, missing: str) -> Reals:
    """`values` (float64 [rankings, U]) with its gaps, the NaN, filled by the rule `missing`."""
    if missing == "skip":
        return values
    if missing == "zero":
        return np.where(np.isnan(values), 0.0, values)
    lowest = np.full((len(values), len(table.rankings[0].queries)), np.inf)
    for low, row in zip(lowest, values, strict=True):
        there = ~np.isnan(row)
        np.minimum.at(low, table.owner[there], row[there])
    lowest[np.isinf(lowest)] = np.nan  # nothing ranked for the query: nothing to fill in
    return np.where(np.isnan(values), lowest[:, table.owner], values)
