"""The right paragraph of a long document: overlapping windows on sentence bounds, each scored.

How a document's score is made of its windows': FirstP, MaxP and SumP are those of Dai and Callan,
"Deeper Text Understanding for IR with Contextual Neural Language Modeling" (SIGIR 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.models.scores import aggregate_scale, combine
from crossrank.rerank.scoring import score_noted
from crossrank.text.passages import passages
from crossrank.types import Floats, Note, Offsets, Ranking, Scale, Scorer, merge_notes

Aggregate = Literal["max", "first", "sum", "mean", "top"]
AGGREGATES: Final[tuple[Aggregate, ...]] = get_args(Aggregate)

Span = tuple[int, int]
Split = Callable[[str], Sequence[Span]]
"""Where the windows of a text are: (start, end) of each, in order."""

WORDS: Final = 120
OVERLAP: Final = 30


def windows(words: int = WORDS, overlap: int = OVERLAP) -> Split:
    """Windows of whole sentences, of at most `words` words, that share about `overlap` words.

    Raises BadInput for an overlap that is no part of a window.
    """
    if words < 1 or not 0 <= overlap < words:
        raise BadInput(
            f"windows of 1 or more words and an overlap below that wanted, got {words} and "
            f"{overlap}"
        )
    return partial(passages, size=words, overlap=overlap)


@dataclass(frozen=True, slots=True)
class Passage:
    """A window of a document, text[start:end] of what the corpus gives for `row`, with its score.

    number: which window it is, from 1, of `count`.
    """

    row: int
    start: int
    end: int
    score: float
    number: int
    count: int
    text: str

    def overlaps(self, other: Passage) -> bool:
        """Whether both have some of the same document."""
        return self.row == other.row and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class LongHit:
    """A long document by row, its score, and the windows that speak for it, best first."""

    row: int
    score: float
    passages: tuple[Passage, ...]


class LongDocument:
    """Re-ranks long documents by their windows, so that no word of them goes unread; a stage.

    aggregate: "max" (MaxP) takes the best window, "first" (FirstP) the first one, which is all
    that is scored then, "sum" (SumP) adds up probabilities, "mean" is that of all scores and "top"
    that of the `top` best. `Rerank(PassageScorer(scorer, split=windows()))` is the same without
    "top" and without `passages`.
    """

    def __init__(
        self,
        scorer: Scorer,
        depth: int = 20,
        *,
        split: Split | None = None,
        aggregate: Aggregate = "max",
        top: int = 3,
        name: str = "long-document",
    ) -> None:
        if aggregate not in AGGREGATES:
            raise BadInput(f"an aggregate of {', '.join(AGGREGATES)} wanted, got {aggregate!r}")
        if depth < 1 or top < 1:
            raise BadInput(f"a depth and a top of 1 or more wanted, got {depth} and {top}")
        self.scorer, self.depth, self.aggregate, self.top = scorer, depth, aggregate, top
        self.split, self.name = split or windows(), name

    def __call__(self, given: Ranking, /) -> Ranking:
        """The first `depth` documents of each query under the scores of their windows."""
        cut = given.top(self.depth)
        read = [self.read(cut, query) for query in range(len(cut.queries))]
        scale = self.scorer.scale
        scores = [aggregate(e.scores, e.starts, self.aggregate, self.top, scale) for e in read]
        count = sum(len(each.scores) for each in read)
        windows = Note("windows", count, "windows of documents were scored")
        return cut.rescored(
            np.concatenate([np.empty(0, np.float32), *scores]),
            scale if self.aggregate == "top" else aggregate_scale(self.aggregate, scale),
            merge_notes([(windows,), *(each.notes for each in read)]),
        )

    def passages(self, given: Ranking, query: int, count: int) -> list[Passage]:
        """The best windows of the first `depth` documents of one query, the best first.

        Of windows that overlap only the best is given.
        """
        read = self.read(given.top(self.depth), query)
        return read.apart(np.argsort(-read.scores, kind="stable"), count)

    def documents(self, given: Ranking, query: int, passages: int = 1) -> list[LongHit]:
        """The first `depth` documents of one query, best first, each with its best passages."""
        read = self.read(given.top(self.depth), query)
        scores = aggregate(read.scores, read.starts, self.aggregate, self.top, self.scorer.scale)
        order = np.lexsort((np.array(read.rows), -scores))
        return [
            LongHit(read.rows[i], float(scores[i]), tuple(read.best(int(i), passages)))
            for i in order
        ]

    def read(self, given: Ranking, query: int) -> ReadWindows:
        """All windows of the candidates of one query, scored."""
        rows, _ = given.query(query)
        texts = given.corpus.texts(rows)
        cut = [self.split(text) or [(0, len(text))] for text in texts]
        spans = [each[:1] if self.aggregate == "first" else each for each in cut]
        starts = np.cumsum([0, *(len(each) for each in spans)])[:-1].astype(np.int64)
        owners = [i for i, each in enumerate(spans) for _ in each]
        flat = [span for each in spans for span in each]
        parts = [texts[i][start:end] for i, (start, end) in zip(owners, flat, strict=True)]
        asked = [given.queries.texts[query]] * len(parts)
        scores, notes = score_noted(self.scorer, asked, parts)
        return ReadWindows(rows.tolist(), owners, flat, parts, scores, starts, notes)


@dataclass(frozen=True, slots=True)
class ReadWindows:
    """The windows of some documents: `owners` says which document, `starts` where each begins."""

    rows: list[int]
    owners: list[int]
    spans: list[Span]
    texts: list[str]
    scores: Floats
    starts: Offsets
    notes: tuple[Note, ...]

    def best(self, owner: int, count: int) -> list[Passage]:
        """The best windows of one document that do not overlap."""
        inside = np.flatnonzero(np.asarray(self.owners) == owner)
        return self.apart(inside[np.argsort(-self.scores[inside], kind="stable")], count)

    def apart(self, order: npt.NDArray[np.intp], count: int) -> list[Passage]:
        """The first `count` windows in an order, without those that overlap one before."""
        found: list[Passage] = []
        for i in order:
            if len(found) == count:
                break
            passage = self.passage(int(i))
            if not any(passage.overlaps(each) for each in found):
                found.append(passage)
        return found

    def passage(self, index: int) -> Passage:
        """One window with its document."""
        owner = self.owners[index]
        first = int(self.starts[owner])
        start, end = self.spans[index]
        return Passage(
            self.rows[owner],
            start,
            end,
            float(self.scores[index]),
            index - first + 1,
            self.owners.count(owner),
            self.texts[index],
        )


def aggregate(scores: Floats, starts: Offsets, how: Aggregate, top: int, scale: Scale) -> Floats:
    """One score for each document, whose windows begin at `starts`: float32 [documents]."""
    if how != "top":
        return combine(scores, starts, how, scale)
    parts = np.split(scores, starts[1:]) if len(starts) else []
    return np.array([np.sort(each)[::-1][:top].mean() for each in parts], dtype=np.float32)
