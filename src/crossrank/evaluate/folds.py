"""Queries split into folds, so that a figure always comes from queries nothing was fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.evaluate.align import Ints


@dataclass(frozen=True, slots=True)
class Folds:
    """number: int64 [Q], the fold each query is held out in; `count` folds of like size."""

    number: Ints
    count: int

    @classmethod
    def of(cls, queries: int, count: int, seed: int = 0) -> Folds:
        """Folds of `queries` queries, drawn at random by `seed`: sizes differ by one at most."""
        if count < 2:
            raise BadInput(f"2 or more folds wanted, got {count}")
        if queries < count:
            raise BadInput(f"at least as many judged queries as folds ({count}) wanted, "
                           f"got {queries}")  # fmt: skip
        order = np.random.default_rng(seed).permutation(queries)
        number = np.empty(queries, dtype=np.int64)
        number[order] = np.arange(queries) % count
        return cls(number, count)

    def held_out(self, fold: int) -> npt.NDArray[np.bool_]:
        """Which queries belong to one fold: bool [Q]. The others are those to fit on."""
        held: npt.NDArray[np.bool_] = self.number == fold
        return held
