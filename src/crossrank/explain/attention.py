"""The attention a cross-encoder pays between query and document, by layer and head.

Attention says where a model looked, not why the score is what it is (Jain and Wallace 2019): read
it beside the attributions. `reading` gets it: the graph is run as it is, attention made an output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.types import Floats

SPECIAL: Final = -1


@dataclass(frozen=True, slots=True)
class Token:
    """A token the model read: `text[start:end]` of the query (side 0) or document (side 1), or a
    special token (side -1), whose `piece` is its name."""

    piece: str
    side: int
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Meeting:
    """A query token and a document token that look at each other, and how much: token indices."""

    query: int
    document: int
    weight: float


@dataclass(frozen=True, slots=True)
class Match:
    """The document token most like a query token, by the cosine of their states: indices."""

    query: int
    document: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Attention:
    """Attention of one pair: weights float32 [layers, heads, tokens, tokens], rows sum to 1.

    cosines: by name of a view, float32 [tokens, tokens], where the model's head compares token
    states itself: the score then holds, for each query token, its best cosine.
    """

    tokens: tuple[Token, ...]
    weights: Floats
    cosines: Mapping[str, Floats] = field(default_factory=dict)

    def places(self, side: int) -> npt.NDArray[np.intp]:
        """Where the tokens of the query (0) or the document (1) are."""
        return np.array([i for i, token in enumerate(self.tokens) if token.side == side], np.intp)

    def between(self) -> Floats:
        """float32 [layers, heads, query tokens, document tokens]: the mean of the attention a
        query token pays to a document token and of that paid back."""
        query, document = self.places(0), self.places(1)
        there = self.weights[:, :, query[:, None], document]
        back = self.weights[:, :, document[:, None], query].transpose(0, 1, 3, 2)
        mean: Floats = (there + back) / np.float32(2)
        return mean

    def averaged(self) -> Floats:
        """float32 [query tokens, document tokens]: `between` over all layers and heads."""
        mean: Floats = self.between().mean(axis=(0, 1))
        return mean

    def matches(self, view: str) -> tuple[Match, ...]:
        """For every query token the document token with the best cosine, in query order."""
        query, document = self.places(0), self.places(1)
        if not len(document):
            return ()
        found = self.cosines[view][np.ix_(query, document)]
        return tuple(
            Match(int(q), int(document[best]), float(row[best]))
            for q, row, best in zip(query, found, found.argmax(axis=1), strict=True)
        )

    def meetings(self, count: int = 10) -> tuple[Meeting, ...]:
        """The pairs of query and document tokens that met most, on the average of all heads."""
        met = self.averaged()
        query, document = self.places(0), self.places(1)
        order = np.argsort(-met, axis=None, kind="stable")[:count]
        rows, columns = np.unravel_index(order, met.shape)
        return tuple(
            Meeting(int(query[r]), int(document[c]), float(met[r, c]))
            for r, c in zip(rows, columns, strict=True)
        )
