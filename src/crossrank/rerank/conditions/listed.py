"""A list of texts ranked for one query and held to its conditions, without a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crossrank.models.scores import Ranked
from crossrank.rerank.conditions.check import Stated, stated
from crossrank.rerank.conditions.stage import Conditions
from crossrank.rerank.conditions.wanted import wanted
from crossrank.types import MemoryCorpus, Queries, Ranking, Scorer, Search

Checked = tuple[Ranked, tuple[Stated, ...]]
"""A ranked text, and what it says on each condition of the query."""


def held_to_conditions(
    query: str, ranked: Sequence[Ranked], scorer: Scorer | None = None, strength: float = 1.0
) -> list[Checked]:
    """What `CrossEncoder.rank` gave, those lower that violate a condition of the query.

    With a `scorer` texts are also scored for the thing alone, as the stage `Conditions` does it;
    new scores count standard deviations within the list (scale FUSED).
    """
    if not ranked:
        return []
    search = Search(Queries.of([query]), MemoryCorpus.of([each.text for each in ranked]))
    rows, scores = range(len(ranked)), [each.score for each in ranked]
    given = Ranking.of_lists(search, [rows], [scores], ranked[0].scale)
    found = Conditions(scorer, depth=len(ranked), strength=strength)(given)
    asked = wanted(query)
    return [
        (
            replace(ranked[row], rank=rank, score=float(score), scale=found.scale),
            stated(asked, ranked[row].text),
        )
        for rank, (row, score) in enumerate(zip(*found.query(0), strict=True), 1)
    ]
