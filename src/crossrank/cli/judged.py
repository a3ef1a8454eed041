"""A judged set and a collection of its documents, as several commands need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crossrank.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress

    from crossrank.store import Collection
    from crossrank.types import Queries, Ranking


def judged_collection(
    bar: Progress, dataset: str, split: str, language: str, encoders: Sequence[str]
) -> tuple[Queries, Ranking, Collection]:
    """The judged queries, the judgements, and the documents indexed (kept in the cache)."""
    from crossrank.evaluate.datasets import indexed
    from crossrank.io.judged import judged_set

    judged = judged_set(dataset, split)
    opened = indexed(judged, language, encoders, output.counter(bar, "indexing"))
    return judged.queries, judged.qrels, opened
