"""Adaptive depth: a query stops being re-ranked when its head has not changed for a while.

There is no bound on what a cross-encoder may think of a document that it has not read, so this
is a rule of thumb, and its price is measured: `choose_patience` re-ranks sample queries in full
and gives the least patience that keeps the wanted share of their top k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.rerank.scoring import score_rows
from crossrank.rerank.stage import first
from crossrank.types import Floats, Note, Ranking, Rows, Scorer, merge_notes

_PATIENCES: Final = 20


class AdaptiveRerank:
    """Re-ranks block by block; a query is done when `patience` blocks in a row changed nothing.

    "Nothing" means that no document of the block scored above the k-th best so far. The result
    holds the documents that were scored. A note counts the pairs that were not.
    """

    __slots__ = ("block", "depth", "k", "name", "patience", "scorer")

    def __init__(
        self,
        scorer: Scorer,
        k: int = 10,
        depth: int = 100,
        block: int = 10,
        patience: int = 2,
        name: str = "adaptive cross-encoder",
    ) -> None:
        sizes = {"k": k, "depth": depth, "block": block, "patience": patience}
        for what, size in sizes.items():
            if size < 1:
                raise BadInput(f"a {what} of 1 or more wanted, got {size}")
        self.scorer, self.k, self.depth, self.block = scorer, k, depth, block
        self.patience, self.name = patience, name

    def __call__(self, given: Ranking, /) -> Ranking:
        """The documents that were scored, best first."""
        head = first(given, self.depth)
        lists = [docs for docs, _ in head]
        found: list[Floats] = [np.empty(0, np.float32) for _ in lists]
        notes: list[tuple[Note, ...]] = []
        active = [at for at, docs in enumerate(lists) if len(docs)]
        while active:
            blocks = [lists[at][len(found[at]) :][: self.block] for at in active]
            owners = np.repeat(active, [len(block) for block in blocks])
            docs = np.concatenate(blocks)
            values, noted = score_rows(self.scorer, head, owners, docs)
            notes.append(noted)
            for at, part in zip(active, _split(values, blocks), strict=True):
                found[at] = np.concatenate([found[at], part])
            active = [at for at in active if not self._done(found[at], lists[at])]
        scored = [docs[: len(scores)] for docs, scores in zip(lists, found, strict=True)]
        all_notes = merge_notes([head.notes, *notes, self._skipped(lists, found)])
        return Ranking.of_lists(head, scored, found, self.scorer.scale, all_notes)

    def _done(self, scores: Floats, docs: Rows) -> bool:
        return len(scores) >= min(len(docs), stop_depth(scores, self.k, self.block, self.patience))

    def _skipped(self, lists: Sequence[Rows], found: Sequence[Floats]) -> tuple[Note, ...]:
        count = sum(map(len, lists)) - sum(map(len, found))
        text = "candidates were not re-ranked: the head of their query had settled"
        return (Note("skipped", count, text),) if count else ()


def stop_depth(scores: Floats, k: int, block: int, patience: int) -> int:
    """How many of `scores` (in the order of scoring) are read before the rule says stop.

    A number above len(scores) says that it has not stopped yet.
    """
    quiet = 0
    for start in range(0, len(scores), block):
        before, new = scores[:start], scores[start : start + block]
        settled = len(before) >= k and new.max() <= np.partition(before, -k)[-k]
        quiet = quiet + 1 if settled else 0
        if quiet == patience:
            return min(start + block, len(scores))
    return len(scores) + 1


@dataclass(frozen=True, slots=True)
class PatienceReport:
    """What a patience costs and saves on the sample queries, against re-ranking to full depth.

    kept: mean share of the full top k that is still found; scored: share of the pairs scored.
    """

    patience: int
    kept: float
    scored: float


def choose_patience(
    scorer: Scorer, sample: Ranking, *, k: int = 10, block: int = 10, keep: float = 0.99
) -> PatienceReport:
    """The least patience that keeps at least `keep` of the top k on sample queries.

    `sample` is the ranking that comes in, of queries like those to come, cut to the full depth.
    The figure is an average over these queries: a single one may lose more.
    """
    if not len(sample.docs):
        raise BadInput("sample queries with candidates wanted, got none")
    values, _ = score_rows(scorer, sample, sample.owners(), sample.docs)
    lists = [values[a:b] for a, b in zip(sample.indptr, sample.indptr[1:], strict=False) if b > a]
    return _least(lambda patience: _simulate(lists, k, block, patience), keep)


def _least(simulate: Callable[[int], PatienceReport], keep: float) -> PatienceReport:
    for patience in range(1, _PATIENCES):
        report = simulate(patience)
        if report.kept >= keep:
            return report
    return simulate(1 << 30)


def _simulate(lists: Sequence[Floats], k: int, block: int, patience: int) -> PatienceReport:
    kept, scored = [], 0
    for scores in lists:
        depth = min(stop_depth(scores, k, block, patience), len(scores))
        best = np.argsort(-scores, kind="stable")[:k]
        kept.append(float((best < depth).mean()))
        scored += depth
    return PatienceReport(patience, float(np.mean(kept)), scored / sum(map(len, lists)))


def _split(values: Floats, blocks: Sequence[Rows]) -> list[Floats]:
    ends = np.cumsum([len(block) for block in blocks])
    return np.split(values, ends[:-1])
