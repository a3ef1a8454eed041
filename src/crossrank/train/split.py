"""Splits by query, never by row: all rows of a query, and of its respellings, go together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import numpy as np

from crossrank.errors import BadInput
from crossrank.text.fold import normalise
from crossrank.types import Queries, Ranking, Search

_NOT_WORDS = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """A text without case, punctuation and doubled blanks: what makes two queries the same."""
    return _NOT_WORDS.sub(" ", normalise(text).casefold()).strip()


def split(data: Ranking, shares: Mapping[str, float], seed: int = 0) -> dict[str, Ranking]:
    """Parts of labelled data by name, with about these shares of the queries (they sum to 1).

    The side a query falls on depends on its folded text and the seed only: it stays when data is
    added, and queries that differ in case or punctuation never fall on two sides.
    """
    if not shares or any(share <= 0 for share in shares.values()):
        raise BadInput(f"shares above 0 wanted, got {dict(shares)}")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise BadInput(f"shares that sum to 1 wanted, got {dict(shares)}")
    ends = np.cumsum(list(shares.values()))
    places = np.array([_place(text, seed) for text in data.queries.texts])
    side = np.minimum(np.searchsorted(ends, places, side="right"), len(ends) - 1)
    return {name: chosen(data, np.flatnonzero(side == i)) for i, name in enumerate(shares)}


def chosen(data: Ranking, queries: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Ranking:
    """The labelled data of some of its queries, by their numbers, in that order."""
    names = tuple(data.queries.ids[i] for i in queries)
    texts = tuple(data.queries.texts[i] for i in queries)
    parts = [data.query(int(i)) for i in queries]
    search = Search(Queries(names, texts), data.corpus)
    docs = [docs for docs, _ in parts]
    return Ranking.of_lists(search, docs, [labels for _, labels in parts], data.scale)


def _place(text: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}\0{folded(text)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64
