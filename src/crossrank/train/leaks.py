"""Leakage between splits: the same query after folding, and texts that are nearly the same.

Near texts are found by MinHash over shingles of characters (Broder 1997) with banding, and
every pair found is checked against the exact Jaccard similarity of the shingle sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.train.split import folded
from crossrank.types import Ranking

Hashes = npt.NDArray[np.uint64]
SHINGLE: Final = 5
BANDS: Final = 16
ROWS: Final = 4
"""16 bands of 4: a pair of similarity .8 is missed once in 4,000, one of .5 is met two times in 3.
"""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Leak:
    """A text of one split and the text of the other that is too near; same: equal when folded."""

    first: str
    second: str
    similarity: float

    @property
    def same(self) -> bool:
        """Whether the two are equal but for case and punctuation."""
        return self.similarity == 1.0


@dataclass(frozen=True, slots=True)
class Leaks:
    """What two splits share: queries, and documents where they were asked about."""

    queries: tuple[Leak, ...]
    documents: tuple[Leak, ...] = ()

    def __len__(self) -> int:
        return len(self.queries) + len(self.documents)

    def __str__(self) -> str:
        return (
            f"{len(self.queries)} queries ({sum(leak.same for leak in self.queries)} the same) "
            f"and {len(self.documents)} documents in both"
        )


def leaks(
    first: Ranking, second: Ranking, *, documents: bool = False, similarity: float = 0.8
) -> Leaks:
    """The queries (and, where asked, the labelled documents) that two splits have in common.

    Splits over one corpus share documents rightly; look at documents for sentence pairs only.
    """
    asked = near(first.queries.texts, second.queries.texts, similarity)
    bodies: tuple[Leak, ...] = ()
    if documents:
        bodies = near(_texts(first), _texts(second), similarity)
    return Leaks(asked, bodies)


def near(first: Sequence[str], second: Sequence[str], similarity: float = 0.8) -> tuple[Leak, ...]:
    """For each text of `second` the nearest of `first`, where their shingles overlap that much."""
    ours = [folded(text) for text in first]
    theirs = [folded(text) for text in second]
    exact = {text: row for row, text in reversed(list(enumerate(ours)))}
    found: dict[int, tuple[float, int]] = {
        row: (1.0, exact[text]) for row, text in enumerate(theirs) if text in exact
    }
    for row, other in _candidates(ours, theirs):
        if row not in found or found[row][0] < 1:
            overlap = jaccard(_shingles(theirs[row]), _shingles(ours[other]))
            if overlap >= similarity and overlap > found.get(row, (0.0, 0))[0]:
                found[row] = (overlap, other)
    return tuple(
        Leak(first[other], second[row], overlap) for row, (overlap, other) in sorted(found.items())
    )


def jaccard(first: Hashes, second: Hashes) -> float:
    """Size of the intersection over size of the union of two sets of shingles."""
    both = len(np.intersect1d(first, second, assume_unique=True))
    return both / max(len(first) + len(second) - both, 1)


def signatures(texts: Sequence[str]) -> Hashes:
    """MinHash signatures: uint64 [texts, BANDS * ROWS]."""
    count = BANDS * ROWS
    out = np.empty((len(texts), count), dtype=np.uint64)
    draw = np.random.default_rng(20_250_101)
    factors = draw.integers(1, 2**63, count, dtype=np.uint64) | np.uint64(1)
    shifts = draw.integers(0, 2**63, count, dtype=np.uint64)
    for row, text in enumerate(texts):
        mixed = _shingles(text)[:, None] * factors + shifts
        out[row] = (mixed ^ (mixed >> np.uint64(29))).min(axis=0)
    return out


def _candidates(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(row of theirs, row of ours) that agree in at least one band, each pair once."""
    left, right = signatures(ours), signatures(theirs)
    seen: set[tuple[int, int]] = set()
    for band in range(BANDS):
        part = slice(band * ROWS, (band + 1) * ROWS)
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for row, key in enumerate(left[:, part]):
            buckets[key.tobytes()].append(row)
        for row, key in enumerate(right[:, part]):
            # a crowded bucket holds copies of one text: a few of them are enough to find it
            for other in buckets.get(key.tobytes(), ())[:20]:
                if (row, other) not in seen:
                    seen.add((row, other))
                    yield row, other


def _shingles(text: str) -> Hashes:
    """Hashes of all runs of 5 characters, each once; a shorter text is one shingle."""
    codes = np.frombuffer(text.ljust(SHINGLE).encode("utf-32-le"), dtype=np.uint32)
    runs = np.lib.stride_tricks.sliding_window_view(codes, SHINGLE).astype(np.uint64)
    hashed = np.zeros(len(runs), dtype=np.uint64)
    for column in runs.T:
        hashed = (hashed ^ column) * _MIX
        hashed ^= hashed >> np.uint64(32)
    return np.unique(hashed)


def _texts(data: Ranking) -> list[str]:
    return data.corpus.texts(np.unique(data.docs))
