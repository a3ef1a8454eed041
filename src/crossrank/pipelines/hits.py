"""The results of one query as a person reads them: where each document stood in every stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossrank.stage import Step, Trace
from crossrank.types import Ranking, Rows, Scale


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stage put a document: its rank from 1, the score, and what the score means."""

    stage: str
    rank: int
    score: float
    scale: Scale


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: `places` lists every stage that ranked it, in the order they ran.

    `moved` is how many ranks the last stage lifted it (negative: lowered) against the stage
    before it; 0 where the stage before it did not rank it.
    """

    rank: int
    row: int
    id: str
    score: float
    scale: Scale
    places: tuple[Place, ...]

    @property
    def moved(self) -> int:
        """Ranks gained in the last stage."""
        return self.places[-2].rank - self.places[-1].rank if len(self.places) > 1 else 0


def hits(trace: Trace, query: int, k: int) -> tuple[Hit, ...]:
    """The first `k` results of query number `query`, each with its path through the stages."""
    final = trace.ranking
    rows, scores = final.query(query)
    rows, scores = rows[:k], scores[:k]
    columns = [_places(step, query, rows) for step in trace.steps]
    names = final.corpus.ids(rows)
    return tuple(
        Hit(
            rank=i + 1,
            row=int(rows[i]),
            id=names[i],
            score=float(scores[i]),
            scale=final.scale,
            places=tuple(place for column in columns for place in column[i]),
        )
        for i in range(len(rows))
    )


def _places(step: Step, query: int, rows: Rows) -> list[tuple[Place, ...]]:
    """For each row the place this step gave it, or nothing if it did not rank it."""
    ranking: Ranking = step.ranking
    docs, scores = ranking.query(query)
    order = np.argsort(docs, kind="stable")
    at = np.searchsorted(docs, rows, sorter=order)
    found: list[tuple[Place, ...]] = []
    for row, slot in zip(rows, at, strict=True):
        index = int(order[slot]) if slot < len(order) else -1
        if index < 0 or docs[index] != row:
            found.append(())
        else:
            found.append((Place(step.name, index + 1, float(scores[index]), ranking.scale),))
    return found
