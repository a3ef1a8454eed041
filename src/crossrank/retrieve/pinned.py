"""What the stages over a collection share: the pinned version, candidates, and fair cuts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from crossrank.errors import BadInput
from crossrank.types import Floats, Ranking, Rows, Scale, Search

if TYPE_CHECKING:
    from crossrank.store import Collection, Snapshot

Find = Callable[[list[int], int], list[tuple[Rows, Floats]]]
"""For the queries of these numbers the best k rows and their scores, best first."""


def pinned(given: Search, collection: Collection, name: str) -> Snapshot:
    """The version of the collection a question is about. Raises BadInput for another corpus."""
    from crossrank.store import Snapshot

    if isinstance(given.corpus, Snapshot) and given.corpus.folder == collection.path:
        return given.corpus
    raise BadInput(
        f"{name} wants a question about the corpus of {collection.path}, got another corpus "
        f"({type(given.corpus).__name__}): make the Search with collection.corpus()"
    )


def within(given: Search) -> list[Rows] | None:
    """The candidates of each query; None where every document is one."""
    return [docs for docs, _ in given] if isinstance(given, Ranking) else None


def deepest(given: Search, search: Find, depth: int, scale: Scale) -> Ranking:
    """The best `depth` of each query, of equal ones at the cut those with the lowest rows.

    An engine that is asked for k picks any of the documents that share the k-th score. So it is
    asked for one more, and where that one has the score of the last, for more until it has not.
    """
    found: dict[int, tuple[Rows, Floats]] = {}
    open_queries, k = list(range(len(given.queries))), depth + 1
    while open_queries:
        answers = dict(zip(open_queries, search(open_queries, k), strict=True))
        found |= answers
        open_queries = [query for query in open_queries if _tied(answers[query][1], depth, k)]
        k *= 4
    docs, scores = zip(*(found[q] for q in sorted(found)), strict=True) if found else ((), ())
    return Ranking.of_lists(given, docs, scores, scale).top(depth)


def _tied(scores: Floats, depth: int, asked: int) -> bool:
    """Whether documents that were not returned may share the score at the cut."""
    return len(scores) >= asked and bool(np.min(scores) == np.sort(scores)[::-1][depth - 1])
