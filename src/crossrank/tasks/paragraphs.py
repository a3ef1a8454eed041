"""The right paragraph of a long document: overlapping windows on sentence bounds, each scored.

How a document's score is made of its windows': FirstP, MaxP and SumP are those of Dai and Callan,
"Deeper Text Understanding for IR with Contextual Neural Language Modeling" (SIGIR 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.models.scores import aggregate_scale, combine
from crossrank.rerank.scoring import score_noted
from crossrank.types import Floats, Note, Offsets, Ranking, Scale, Scorer, merge_notes

Aggregate = Literal["max", "first", "sum", "mean", "top"]
AGGREGATES: Final[tuple[Aggregate, ...]] = get_args(Aggregate)

Span = tuple[int, int]
Split = Callable[[str], Sequence[Span]]
"""Where the sentences of a text are: (start, end) of each, in order."""


def split_sentences(text: str) -> Sequence[Span]:
    """The sentences of a text, German or English: the default `Split`."""
    from crossrank.text.sentences import sentences

    return sentences(text)


@dataclass(frozen=True, slots=True)
class Windows:
    """How a text is cut: windows of whole sentences of about `words` words, at most.

    Neighbours share the sentences that make up about `overlap` words. A sentence that is longer
    than a window is cut between words.
    """

    words: int = 120
    overlap: int = 30
    split: Split = split_sentences

    def __post_init__(self) -> None:
        if self.words < 1 or not 0 <= self.overlap < self.words:
            raise BadInput(
                f"windows of 1 or more words and an overlap below that wanted, got {self.words} "
                f"and {self.overlap}"
            )

    def __call__(self, text: str) -> list[Span]:
        """The windows of a text as (start, end), in order, together covering every sentence."""
        pieces = [piece for span in self.split(text) for piece in _cut(text, span, self.words)]
        lengths = [len(text[start:end].split()) for start, end in pieces]
        found: list[Span] = []
        first = 0
        while first < len(pieces):
            last = _reach(lengths, first, self.words)
            found.append((pieces[first][0], pieces[last][1]))
            if last == len(pieces) - 1:
                break
            first = max(_step_back(lengths, last, self.overlap), first + 1)
        return found or [(0, len(text))]


def _cut(text: str, span: Span, most: int) -> list[Span]:
    """A sentence as it is, or in pieces of at most `most` words."""
    start, end = span
    words = text[start:end].split()
    if len(words) <= most:
        return [span]
    found, at = [], start
    for first in range(0, len(words), most):
        begin = text.index(words[first], at)
        at = begin
        for word in words[first : first + most]:
            at = text.index(word, at) + len(word)
        found.append((begin, at))
    return found


def _reach(lengths: Sequence[int], first: int, most: int) -> int:
    """The last piece of a window that begins with piece `first`."""
    last, total = first, lengths[first]
    while last + 1 < len(lengths) and total + lengths[last + 1] <= most:
        last += 1
        total += lengths[last]
    return last


def _step_back(lengths: Sequence[int], last: int, overlap: int) -> int:
    """Where the window after one that ends with piece `last` begins."""
    first, total = last + 1, 0
    while first > 0 and total + lengths[first - 1] <= overlap:
        first -= 1
        total += lengths[first]
    return first


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
    that of the `top` best. `Rerank(PassageScorer(scorer, split=Windows()))` is the same without
    "top" and without `passages`.
    """

    def __init__(
        self,
        scorer: Scorer,
        depth: int = 20,
        *,
        windows: Windows | None = None,
        aggregate: Aggregate = "max",
        top: int = 3,
        name: str = "long-document",
    ) -> None:
        if aggregate not in AGGREGATES:
            raise BadInput(f"an aggregate of {', '.join(AGGREGATES)} wanted, got {aggregate!r}")
        if depth < 1 or top < 1:
            raise BadInput(f"a depth and a top of 1 or more wanted, got {depth} and {top}")
        self.scorer, self.depth, self.aggregate, self.top = scorer, depth, aggregate, top
        self.windows, self.name = windows or Windows(), name

    def __call__(self, given: Ranking, /) -> Ranking:
        """The first `depth` documents of each query under the scores of their windows."""
        cut = given.top(self.depth)
        read = [self._read(cut, query) for query in range(len(cut.queries))]
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
        read = self._read(given.top(self.depth), query)
        return read.apart(np.argsort(-read.scores, kind="stable"), count)

    def documents(self, given: Ranking, query: int, passages: int = 1) -> list[LongHit]:
        """The first `depth` documents of one query, best first, each with its best passages."""
        read = self._read(given.top(self.depth), query)
        scores = aggregate(read.scores, read.starts, self.aggregate, self.top, self.scorer.scale)
        order = np.lexsort((np.array(read.rows), -scores))
        return [
            LongHit(read.rows[i], float(scores[i]), tuple(read.best(int(i), passages)))
            for i in order
        ]

    def _read(self, given: Ranking, query: int) -> _Read:
        """All windows of the candidates of one query, scored."""
        rows, _ = given.query(query)
        texts = given.corpus.texts(rows)
        cut = [self.windows(text) for text in texts]
        spans = [each[:1] if self.aggregate == "first" else each for each in cut]
        starts = np.cumsum([0, *(len(each) for each in spans)])[:-1].astype(np.int64)
        owners = [i for i, each in enumerate(spans) for _ in each]
        flat = [span for each in spans for span in each]
        parts = [texts[i][start:end] for i, (start, end) in zip(owners, flat, strict=True)]
        asked = [given.queries.texts[query]] * len(parts)
        scores, notes = score_noted(self.scorer, asked, parts)
        return _Read(rows.tolist(), owners, flat, parts, scores, starts, notes)


@dataclass(frozen=True, slots=True)
class _Read:
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
