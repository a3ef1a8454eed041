"""Rankings of the same queries laid side by side: one column for each (query, document)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Ranking, Rows, Scale, merge_notes

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """The union of some rankings: U documents, by query and then by row.

    owner: int64 [U], the query; docs: int32 [U]; places: for each ranking, the column of each
    of its entries.
    """

    rankings: tuple[Ranking, ...]
    owner: Ints
    docs: Rows
    places: tuple[Ints, ...]

    @classmethod
    def of(cls, rankings: Sequence[Ranking]) -> Table:
        """The table of one or more rankings. They must share queries and corpus."""
        if not rankings:
            raise BadInput("at least one ranking wanted, got none")
        first = rankings[0]
        for other in rankings[1:]:
            if other.corpus is not first.corpus or other.queries != first.queries:
                raise BadInput(
                    "rankings of the same queries over one corpus wanted, got different ones: "
                    "crossrank.evaluate.over_one_corpus makes them so"
                )
        width = max(int(each.docs.max(initial=0)) for each in rankings) + 1
        keys = [each.owners() * width + each.docs for each in rankings]
        union, places = np.unique(np.concatenate(keys), return_inverse=True)
        ends = np.cumsum([len(each) for each in keys])[:-1]
        return cls(
            tuple(rankings),
            union // width,
            (union % width).astype(np.int32),
            tuple(np.split(places.reshape(-1), ends)),
        )

    def spread(self, columns: Sequence[npt.NDArray[np.float64]]) -> Reals:
        """One value for each entry of each ranking as float64 [rankings, U], NaN elsewhere."""
        values = np.full((len(self.rankings), len(self.docs)), np.nan)
        for row, place, column in zip(values, self.places, columns, strict=True):
            row[place] = column
        return values

    def ranks(self) -> Reals:
        """The rank, from 1, in each ranking: float64 [rankings, U], NaN where it has none."""
        return self.spread([each.ranks().astype(np.float64) for each in self.rankings])

    def depths(self) -> Ints:
        """How many documents each ranking has for the query: int64 [rankings, U]."""
        return np.stack([each.depths()[self.owner] for each in self.rankings])

    def candidates(self) -> Ints:
        """How many documents the query has in all rankings together: int64 [U]."""
        counts = np.bincount(self.owner, minlength=len(self.rankings[0].queries))
        return counts[self.owner].astype(np.int64)

    def ranking(self, scores: Reals) -> Ranking:
        """The ranking of the whole union under these scores (float64 [U])."""
        first = self.rankings[0]
        counts = np.bincount(self.owner, minlength=len(first.queries))
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        notes = merge_notes([each.notes for each in self.rankings])
        return Ranking.of(first, indptr, self.docs, scores, Scale.FUSED, notes)
