"""Training data in memory: queries, documents, and a label for each judged pair.

It is a `Ranking` whose scores are the labels (scale GRADE): what is judged, sorted, cut and
written like any other ranking can be used for training, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.io.problems import Problems
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search

CONFLICT: Final = "conflicting label"
REPEATED: Final = "repeated row"


@dataclass(slots=True)
class Builder:
    """Collects labelled pairs one at a time; equal texts are kept once.

    Rows without ids are told apart by their texts. A pair that comes again with the same label
    is counted as repeated, with another one as conflicting; the first label stands.
    """

    problems: Problems
    _queries: dict[str, str] = field(default_factory=dict)  # id -> text
    _documents: dict[str, str] = field(default_factory=dict)
    _query_ids: dict[str, str] = field(default_factory=dict)  # text -> id it was given
    _document_ids: dict[str, str] = field(default_factory=dict)
    _labels: dict[str, dict[str, float]] = field(default_factory=dict)

    def query(self, text: str, name: str = "") -> str:
        """The id of a query: its own, or one for its text."""
        return _known(self._queries, self._query_ids, text, name)

    def document(self, text: str, name: str = "") -> str:
        """The id of a document: its own, or one for its text."""
        return _known(self._documents, self._document_ids, text, name)

    def add(self, query: str, document: str, label: float, place: str, again: bool = False) -> None:
        """Notes the label of a pair of ids; `place` is `file:line`.

        `again` says that the pair may come more than once with one label.
        """
        judged = self._labels.setdefault(query, {})
        if document not in judged:
            judged[document] = label
        elif judged[document] != label:
            found = f"label {label:g} for a pair that had {judged[document]:g}, which is kept"
            self.problems.report(CONFLICT, place, found)
        elif not again:
            self.problems.report(REPEATED, place, "this pair had the same label before")

    def ranking(self) -> Ranking:
        """All labelled pairs as a ranking of scale GRADE; queries without a label are left out."""
        kept = [name for name in self._queries if name in self._labels]
        queries = Queries(tuple(kept), tuple(self._queries[name] for name in kept))
        corpus = MemoryCorpus(list(self._documents), list(self._documents.values()))
        docs = [corpus.find(list(self._labels[name])) for name in kept]
        labels = [np.fromiter(self._labels[name].values(), np.float32) for name in kept]
        return Ranking.of_lists(Search(queries, corpus), docs, labels, Scale.GRADE)


def _known(texts: dict[str, str], given: dict[str, str], text: str, name: str) -> str:
    if name:
        texts.setdefault(name, text)
        return name
    if text not in given:
        given[text] = f"#{len(given)}"
        texts[given[text]] = text
    return given[text]


def merged(parts: Sequence[Ranking]) -> Ranking:
    """Several labelled sets as one; ids get the number of their set so that none collide.

    A single set comes back as it is. Raises BadInput for none.
    """
    if not parts:
        raise BadInput("at least one labelled set wanted, got none")
    if len(parts) == 1:
        return parts[0]
    names: list[str] = []
    texts: list[str] = []
    ids: list[str] = []
    bodies: list[str] = []
    docs: list[npt.NDArray[np.int64]] = []
    base = 0
    for number, part in enumerate(parts):
        names += [f"{number}/{name}" for name in part.queries.ids]
        texts += part.queries.texts
        rows, local = np.unique(part.docs, return_inverse=True)
        ids += [f"{number}/{name}" for name in part.corpus.ids(rows)]
        bodies += part.corpus.texts(rows)
        docs.append(local + base)
        base += len(rows)
    search = Search(Queries(tuple(names), tuple(texts)), MemoryCorpus(ids, bodies))
    depths = np.concatenate([part.depths() for part in parts])
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(depths)])
    labels = np.concatenate([part.scores for part in parts])
    return Ranking.of(search, indptr, np.concatenate(docs), labels, Scale.GRADE)


def rescaled(data: Ranking, low: float, high: float) -> Ranking:
    """The same data with labels mapped from low..high to 0..1."""
    if not high > low:
        raise BadInput(f"a label range with low < high wanted, got {low:g} to {high:g}")
    outside = int(((data.scores < low) | (data.scores > high)).sum())
    if outside:
        raise BadInput(
            f"labels from {low:g} to {high:g} wanted, got {outside} outside "
            f"({data.scores.min():g} to {data.scores.max():g})"
        )
    return data.rescored((data.scores - low) / (high - low), Scale.GRADE)
