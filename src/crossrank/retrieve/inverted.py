"""An inverted index in memory: for every term the documents that have it, as flat numpy columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.types import Floats, Offsets, Rows

_BATCH: Final = 8192

Counts = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Inverted:
    """Postings of `documents` numbered from 0: those of term t are indptr[t]:indptr[t+1].

    terms: term -> t; docs int32 [P], ascending within a term; counts int32 [P], how often the
    document has the term; lengths float32 [documents], terms of a document, repeats included.
    """

    terms: dict[str, int]
    indptr: Offsets
    docs: Rows
    counts: Counts
    lengths: Floats

    @classmethod
    def of(cls, analysed: Iterable[str]) -> Inverted:
        """The index of documents given as their terms with blanks between them."""
        terms: dict[str, int] = {}
        parts = [_counted(batch, terms) for batch in _batches(analysed)]
        empty = (np.empty((0, 3), np.int32), np.empty(0, np.float32))
        triples = np.concatenate([empty[0], *(part[0] for part in parts)])
        lengths = np.concatenate([empty[1], *(part[1] for part in parts)])
        sizes = [len(part[1]) for part in parts]
        starts = np.repeat(np.cumsum([0, *sizes])[:-1], [len(part[0]) for part in parts])
        docs = (triples[:, 0] + starts).astype(np.int32) if parts else triples[:, 0]
        order = np.argsort(triples[:, 1], kind="stable")
        indptr = np.zeros(len(terms) + 1, dtype=np.int64)
        np.cumsum(np.bincount(triples[:, 1], minlength=len(terms)), out=indptr[1:])
        return cls(terms, indptr, docs[order], triples[order, 2], lengths)

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return len(self.lengths)

    def postings(self, terms: Sequence[str]) -> list[slice]:
        """Where the postings of each term lie; terms that no document has are left out."""
        known = (self.terms[term] for term in terms if term in self.terms)
        return [slice(int(self.indptr[t]), int(self.indptr[t + 1])) for t in known]


def _batches(analysed: Iterable[str]) -> Iterable[list[str]]:
    running = iter(analysed)
    while batch := list(islice(running, _BATCH)):
        yield batch


def _counted(batch: list[str], terms: dict[str, int]) -> tuple[Counts, Floats]:
    """(document in the batch, term, count) int32 [n, 3], and the documents' lengths."""
    split = [each.split() for each in batch]
    lengths = np.array([len(each) for each in split], dtype=np.int64)
    numbers = np.array(
        [terms.setdefault(term, len(terms)) for each in split for term in each], dtype=np.int64
    )
    keys = (np.repeat(np.arange(len(batch), dtype=np.int64), lengths) << 32) | numbers
    found, counts = np.unique(keys, return_counts=True)
    triples = np.stack([found >> 32, found & 0xFFFFFFFF, counts], axis=1).astype(np.int32)
    return triples, lengths.astype(np.float32)
