"""Scores for rows of a ranking, a bounded number of texts in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

import numpy as np

from crossrank.types import Floats, Note, Offsets, Rows, Scorer, Search, merge_notes

_CHUNK: Final = 8192


class Noted(Protocol):
    """Scores in input order and what a user should know about them."""

    @property
    def values(self) -> Floats:
        """float32 [n]."""
        ...

    def notes(self) -> tuple[Note, ...]:
        """How many pairs were cut, say."""
        ...


@runtime_checkable
class NotingScorer(Protocol):
    """A scorer that tells more than the scores."""

    def score_noted(self, queries: Sequence[str], documents: Sequence[str]) -> Noted:
        """The scores of (queries[i], documents[i]) and notes on them."""
        ...


def score_noted(
    scorer: Scorer, queries: Sequence[str], documents: Sequence[str]
) -> tuple[Floats, tuple[Note, ...]]:
    """The scores of pairs, with notes where the scorer has any."""
    if isinstance(scorer, NotingScorer):
        found = scorer.score_noted(queries, documents)
        return found.values, found.notes()
    return scorer.score_texts(queries, documents), ()


def score_rows(
    scorer: Scorer, search: Search, owners: Offsets, docs: Rows
) -> tuple[Floats, tuple[Note, ...]]:
    """The score of document docs[i] for query owners[i]: float32 [n], and notes."""
    values = [np.empty(0, np.float32)]
    notes: list[tuple[Note, ...]] = []
    for start in range(0, len(docs), _CHUNK):
        part = slice(start, start + _CHUNK)
        rows, at = np.unique(docs[part], return_inverse=True)
        texts = search.corpus.texts(rows.astype(np.int32))
        asked = [search.queries.texts[owner] for owner in owners[part]]
        found, noted = score_noted(scorer, asked, [texts[i] for i in at])
        values.append(found)
        notes.append(noted)
    return np.concatenate(values), merge_notes(notes)
