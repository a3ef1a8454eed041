"""The columnar core: queries, a corpus, and rankings over it, as frozen numpy columns.

Inside the program a document is an int32 row of its corpus; string ids live at the edges.
A `Search` asks (every document is a candidate), a `Ranking` answers (best first, ties by row).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput

Rows = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Scale(StrEnum):
    """What a score means. It travels with the scores; nothing guesses it."""

    RAW = "raw"  # no stated meaning: only the order counts
    BM25 = "bm25"  # >= 0, unbounded
    COSINE = "cosine"  # [-1, 1]
    DOT = "dot"  # inner product, unbounded
    MAXSIM = "maxsim"  # sum over query tokens of the best cosine
    LOGIT = "logit"  # log-odds of relevance, unbounded
    PROBABILITY = "probability"  # sigmoid or softmax of a logit, [0, 1], not calibrated
    CALIBRATED = "calibrated"  # probability fitted on labelled data, [0, 1]
    REGRESSION = "regression"  # a value on the scale of the training labels
    GRADE = "grade"  # human relevance grade (qrels), or the grade a model expects
    FUSED = "fused"  # a combination of other scores

    @property
    def bounded(self) -> bool:
        """Whether a fixed threshold on these scores means the same for every query."""
        return self in (Scale.PROBABILITY, Scale.CALIBRATED)


@dataclass(frozen=True, slots=True)
class Queries:
    """Queries in a fixed order: `ids` are unique strings, `texts` what people typed."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.texts):
            raise BadInput(
                f"as many ids as texts wanted, got {len(self.ids)} and {len(self.texts)}"
            )
        if len(set(self.ids)) != len(self.ids):
            raise BadInput(f"query ids must be unique; repeated: {_repeated(self.ids)!r}")

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Queries numbered "0", "1", ... in the order given."""
        return cls(tuple(map(str, range(len(texts)))), tuple(texts))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> Queries:
        return Queries(self.ids[part], self.texts[part])


@runtime_checkable
class Corpus(Protocol):
    """Documents by int32 row: in memory, or fetched on demand from a store."""

    def __len__(self) -> int:
        """The number of documents."""
        ...

    def rows(self) -> Rows:
        """The rows of all documents, ascending. They need not be contiguous."""
        ...

    def ids(self, rows: Rows) -> list[str]:
        """The string ids of `rows`, in their order."""
        ...

    def texts(self, rows: Rows) -> list[str]:
        """What a re-ranker reads for `rows`, in their order: title and text."""
        ...

    def find(self, ids: Sequence[str]) -> Rows:
        """The row of each id, -1 where the corpus has no such document."""
        ...


class MemoryCorpus:
    """A corpus held in memory: row i is the i-th document."""

    __slots__ = ("_by_id", "_ids", "_texts")

    def __init__(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        if len(ids) != len(texts):
            raise BadInput(f"as many ids as texts wanted, got {len(ids)} and {len(texts)}")
        self._ids, self._texts = tuple(ids), tuple(texts)
        self._by_id: Mapping[str, int] = {name: row for row, name in enumerate(self._ids)}
        if len(self._by_id) != len(self._ids):
            raise BadInput(f"document ids must be unique; repeated: {_repeated(self._ids)!r}")

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """A corpus whose ids are "0", "1", ... in the order given."""
        return cls([str(i) for i in range(len(texts))], texts)

    def __len__(self) -> int:
        return len(self._ids)

    def rows(self) -> Rows:
        """All rows, 0 to len - 1."""
        return np.arange(len(self), dtype=np.int32)

    def ids(self, rows: Rows) -> list[str]:
        """The string ids of `rows`."""
        return [self._ids[row] for row in rows]

    def texts(self, rows: Rows) -> list[str]:
        """The texts of `rows`."""
        return [self._texts[row] for row in rows]

    def find(self, ids: Sequence[str]) -> Rows:
        """The row of each id, -1 where there is none."""
        return np.array([self._by_id.get(name, -1) for name in ids], dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Search:
    """The question: these queries over this corpus, every document a candidate."""

    queries: Queries
    corpus: Corpus

    def __len__(self) -> int:
        return len(self.queries)

    def select(self, part: slice) -> Search:
        """The same question for some of the queries."""
        return Search(self.queries[part], self.corpus)


@dataclass(frozen=True, slots=True)
class Note:
    """Something a user should know about a result: so many pairs truncated, say."""

    kind: str
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Ranking(Search):
    """The answer so far: for query q the documents docs[indptr[q]:indptr[q+1]], best first.

    indptr: int64 [Q+1]; docs: int32 [N], rows of the corpus, unique within a query;
    scores: float32 [N], finite, descending within a query, ties by ascending row.
    Use `Ranking.of` to build one from unsorted columns.
    """

    indptr: Offsets
    docs: Rows
    scores: Floats
    scale: Scale = Scale.RAW
    notes: tuple[Note, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.indptr.shape != (len(self.queries) + 1,):
            raise BadInput(
                f"indptr of {len(self.queries) + 1} entries wanted, got {self.indptr.shape}"
            )
        if not (self.docs.shape == self.scores.shape == (int(self.indptr[-1]),)):
            raise BadInput(
                f"docs and scores of shape ({int(self.indptr[-1])},) wanted, "
                f"got {self.docs.shape} and {self.scores.shape}"
            )

    @classmethod
    def of(
        cls,
        search: Search,
        indptr: npt.ArrayLike,
        docs: npt.ArrayLike,
        scores: npt.ArrayLike,
        scale: Scale = Scale.RAW,
        notes: tuple[Note, ...] = (),
    ) -> Ranking:
        """A ranking from columns in any order within a query: sorted, ties by row, checked.

        Raises BadInput for scores that are not finite and for documents ranked twice.
        """
        offsets = np.asarray(indptr, dtype=np.int64)
        rows = np.asarray(docs, dtype=np.int32)
        values = np.asarray(scores, dtype=np.float32)
        if not np.isfinite(values).all():
            raise BadInput(
                f"finite scores wanted, got {int((~np.isfinite(values)).sum())} that are not"
            )
        owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        order = np.lexsort((rows, -values, owner))
        ranking = cls(
            search.queries, search.corpus, offsets, rows[order], values[order], scale, notes
        )
        _refuse_duplicates(ranking, owner)
        return ranking

    @classmethod
    def of_lists(
        cls,
        search: Search,
        docs: Sequence[npt.ArrayLike],
        scores: Sequence[npt.ArrayLike],
        scale: Scale = Scale.RAW,
        notes: tuple[Note, ...] = (),
    ) -> Ranking:
        """A ranking from one list of rows and one of scores for each query."""
        rows = [np.asarray(each, dtype=np.int32).reshape(-1) for each in docs]
        values = [np.asarray(each, dtype=np.float32).reshape(-1) for each in scores]
        indptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(each) for each in rows], out=indptr[1:])
        flat_rows = np.concatenate([np.empty(0, np.int32), *rows])
        flat_values = np.concatenate([np.empty(0, np.float32), *values])
        return cls.of(search, indptr, flat_rows, flat_values, scale, notes)

    @classmethod
    def everything(cls, search: Search) -> Ranking:
        """Every document of the corpus as a candidate of every query, all scores 0."""
        rows = search.corpus.rows()
        n, q = len(rows), len(search.queries)
        return cls(
            search.queries,
            search.corpus,
            np.arange(q + 1, dtype=np.int64) * n,
            np.tile(rows, q),
            np.zeros(n * q, dtype=np.float32),
        )

    @classmethod
    def concat(cls, parts: Sequence[Ranking]) -> Ranking:
        """One ranking over the queries of all parts, in order. They must share corpus and scale."""
        if not parts:
            raise BadInput("at least one ranking wanted to concatenate, got none")
        first = parts[0]
        if any(part.corpus is not first.corpus or part.scale != first.scale for part in parts):
            raise BadInput("rankings over one corpus and one scale wanted, got several")
        queries = Queries(
            tuple(name for part in parts for name in part.queries.ids),
            tuple(text for part in parts for text in part.queries.texts),
        )
        lengths = np.concatenate([part.depths() for part in parts])
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return cls(
            queries,
            first.corpus,
            indptr.astype(np.int64),
            np.concatenate([part.docs for part in parts]),
            np.concatenate([part.scores for part in parts]),
            first.scale,
            merge_notes(part.notes for part in parts),
        )

    def depths(self) -> Offsets:
        """How many documents each query has: int64 [Q]."""
        return np.diff(self.indptr)

    def owners(self) -> Offsets:
        """The query index of each entry of `docs`: int64 [N]."""
        return np.repeat(np.arange(len(self.queries), dtype=np.int64), self.depths())

    def ranks(self) -> Offsets:
        """The rank of each entry of `docs` within its query, from 1: int64 [N]."""
        return np.arange(len(self.docs), dtype=np.int64) - self.indptr[self.owners()] + 1

    def query(self, index: int) -> tuple[Rows, Floats]:
        """The rows and scores of one query, best first."""
        start, stop = self.indptr[index], self.indptr[index + 1]
        return self.docs[start:stop], self.scores[start:stop]

    def top(self, depth: int) -> Ranking:
        """The first `depth` documents of each query: an exact prefix."""
        if depth < 0:
            raise BadInput(f"a depth of 0 or more wanted, got {depth}")
        keep = self.ranks() <= depth
        indptr = np.concatenate(
            [np.zeros(1, np.int64), np.cumsum(np.minimum(self.depths(), depth))]
        )
        return replace(
            self,
            indptr=indptr.astype(np.int64),
            docs=self.docs[keep],
            scores=self.scores[keep],
        )

    def select(self, part: slice) -> Ranking:
        """The same ranking for some of the queries."""
        chosen = range(len(self.queries))[part]
        docs, scores = zip(*(self.query(i) for i in chosen), strict=True) if chosen else ((), ())
        return Ranking.of_lists(
            Search(self.queries[part], self.corpus), docs, scores, self.scale, self.notes
        )

    def rescored(
        self, scores: npt.ArrayLike, scale: Scale, notes: tuple[Note, ...] = ()
    ) -> Ranking:
        """The same candidates under new scores (one for each entry of `docs`), sorted anew."""
        return Ranking.of(self, self.indptr, self.docs, scores, scale, (*self.notes, *notes))

    def __iter__(self) -> Iterator[tuple[Rows, Floats]]:
        return (self.query(i) for i in range(len(self.queries)))


class Scorer(Protocol):
    """Scores pairs of texts: what a stage, a server and a distillation job share."""

    @property
    def scale(self) -> Scale:
        """What the scores mean."""
        ...

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        """One score for each (queries[i], documents[i]): float32 [n], in input order."""
        ...


class Encoder(Protocol):
    """Turns texts into vectors of unit length or of free length, one for each text."""

    @property
    def name(self) -> str:
        """A name that changes whenever the vectors would: stored beside them."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    @property
    def scale(self) -> Scale:
        """COSINE when vectors have unit length, else DOT."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """float32 [n, dimension], with the query prompt of the model."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> Floats:
        """float32 [n, dimension], with the document prompt of the model."""
        ...


def merge_notes(
    groups: Iterator[tuple[Note, ...]] | Sequence[tuple[Note, ...]],
) -> tuple[Note, ...]:
    """All notes, those of the same kind and text added up."""
    counts: dict[tuple[str, str], int] = {}
    for group in groups:
        for note in group:
            counts[note.kind, note.text] = counts.get((note.kind, note.text), 0) + note.count
    return tuple(Note(kind, count, text) for (kind, text), count in counts.items())


def _refuse_duplicates(ranking: Ranking, owner: Offsets) -> None:
    by_row = np.lexsort((ranking.docs, owner))
    same = (np.diff(ranking.docs[by_row]) == 0) & (np.diff(owner[by_row]) == 0)
    if same.any():
        at = by_row[int(np.flatnonzero(same)[0])]
        query = ranking.queries.ids[int(owner[at])]
        raise BadInput(f"row {int(ranking.docs[at])} is ranked twice for query {query!r}")


def _repeated(names: Sequence[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
