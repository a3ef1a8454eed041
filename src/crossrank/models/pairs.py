"""Joins the tokens of queries and documents to inputs that fit a model, and says what was cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.models.template import Template
from crossrank.models.tokens import Ids, TokenBatch
from crossrank.types import Offsets

Flags = npt.NDArray[np.bool_]
QUERY_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Joined:
    """The inputs of some pairs: input j belongs to pair owner[j]; a pair has one or more.

    owner: int64 [m], ascending; truncated: bool [n], whether some of a pair was left out.
    """

    batch: TokenBatch
    owner: Offsets
    truncated: Flags


@dataclass(frozen=True, slots=True)
class Joiner:
    """Makes inputs of at most `max_length` tokens.

    The document is cut first (`only_second`). The query is cut only where both do not fit, and
    then to `query_share` of the room. With `windows` no document is cut: it is read in as many
    overlapping windows as it takes.
    """

    template: Template
    max_length: int
    query_share: float = QUERY_SHARE
    windows: bool = False
    overlap: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.query_share < 1:
            raise BadInput(f"a query share between 0 and 1 wanted, got {self.query_share}")
        if self.room < 4:
            raise BadInput(
                f"a length above {self.template.specials + 4} tokens wanted ("
                f"{self.template.specials} of them are special tokens), got {self.max_length}"
            )

    @property
    def room(self) -> int:
        """The tokens of an input that are left for the two texts."""
        return self.max_length - self.template.specials

    def join(self, queries: Sequence[Ids], documents: Sequence[Ids]) -> Joined:
        """The inputs of all pairs (queries[i], documents[i])."""
        inputs: list[tuple[Ids, Ids]] = []
        owner: list[int] = []
        truncated = np.zeros(len(queries), dtype=np.bool_)
        for at, (query, document) in enumerate(zip(queries, documents, strict=True)):
            short, left = self._query(query, document)
            parts = list(self._documents(document, left))
            inputs += [self.template.join(short, part) for part in parts]
            owner += [at] * len(parts)
            cut = len(document) > left and not self.windows
            truncated[at] = cut or len(short) < len(query)
        return Joined(TokenBatch.of(inputs), np.array(owner, np.int64), truncated)

    def _query(self, query: Ids, document: Ids) -> tuple[Ids, int]:
        """The query as it fits, and the room that it leaves."""
        fits = max(int(self.room * self.query_share), self.room - len(document))
        short = query[:fits]
        return short, self.room - len(short)

    def _documents(self, document: Ids, left: int) -> Iterator[Ids]:
        if len(document) <= left or not self.windows:
            yield document[:left]
            return
        for start in window_starts(len(document), left, int(left * self.overlap)):
            yield document[start : start + left]


def window_starts(length: int, size: int, overlap: int) -> list[int]:
    """Where windows of `size` start to cover `length`, evenly, sharing at least `overlap`."""
    step = max(size - overlap, 1)
    count = max(-(-(length - size) // step), 0) + 1
    starts = np.linspace(0, max(length - size, 0), count)
    return [int(start) for start in starts]
