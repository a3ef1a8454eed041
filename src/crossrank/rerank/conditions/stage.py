"""The stage that holds candidates to what the query states: numbers, norms, names, negation.

A model of any size reads `280 Liter` and `250 Liter`, `mit` and `ohne` as nearly the same words
(quantities: Almasian et al. 2024; negation: Weller et al. 2024). Such conditions are few and exact,
so they are read by rules, compared by value, and the model is left with what it is good at: whether
a text is about the wanted thing at all.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.rerank.conditions.check import Verdict, verdicts
from crossrank.rerank.conditions.condition import Condition, Wanted
from crossrank.rerank.conditions.reading import read
from crossrank.rerank.conditions.wanted import wanted
from crossrank.rerank.scoring import score_rows
from crossrank.rerank.stage import first, z_scores
from crossrank.types import Floats, Note, Queries, Ranking, Scale, Scorer, Search

CHECKING: Final = "conditions"
"""The name of the stage."""

THING = 0.8
"""The weight of the score for the thing alone, beside the ranking that came in.

This and what follows was chosen on the domains of the contrast generator that are not held out.
"""

VIOLATED, OPEN, MOST = 0.6, 0.15, 3.0
"""Standard deviations that a violated condition and an open hard one take off, and all together."""

ALIKE, FLAT, STEEP = 0.9, 0.1, 2.0
"""Candidates within `ALIKE` standard deviations of the best count as the wanted thing: differences
among them are scaled by `FLAT`, so that conditions decide, those below by `STEEP`."""

_BEST = 3
"""How many of the best candidates show what the wanted thing scores."""


class Conditions:
    """Lowers candidates that violate a condition of their query; documents and depth stay.

    Reads the first `depth` documents of every query and drops the rest. With a `scorer` a query
    that states values, exclusions or names is also scored without them, for the thing alone.
    `strength` scales what conditions cost; queries without conditions keep their order. Scores
    count standard deviations within the query (scale FUSED).
    """

    __slots__ = ("depth", "name", "scorer", "strength")

    def __init__(
        self,
        scorer: Scorer | None = None,
        depth: int = 100,
        strength: float = 1.0,
        name: str = CHECKING,
    ) -> None:
        if depth < 1:
            raise BadInput(f"a depth of 1 or more wanted, got {depth}")
        if not 0 < strength <= 10:
            raise BadInput(f"a strength above 0 and up to 10 wanted, got {strength}")
        self.scorer, self.depth, self.strength, self.name = scorer, depth, strength, name

    def __call__(self, given: Ranking, /) -> Ranking:
        """The first `depth` documents of every query, those that violate a condition lowered."""
        head = first(given, self.depth)
        asked = [wanted(text) for text in head.queries.texts]
        values = z_scores(head.scores, head.owners(), len(head.queries))
        things = self._things(head, asked)
        lowered = 0
        for index, each in enumerate(asked):
            part = slice(head.indptr[index], head.indptr[index + 1])
            if each.thing != each.query:
                if self.scorer is not None:
                    values[part] = (1 - THING) * values[part] + THING * things[part]
                values[part] = _levelled(values[part])
            if each.conditions:
                costs, violating = self._costs(each, head, part)
                values[part] -= costs
                lowered += violating
        return head.rescored(values, Scale.FUSED, _noted(lowered))

    def _things(self, head: Ranking, asked: list[Wanted]) -> Floats:
        """Standardised scores for the thing alone, where a query has one apart; else 0.

        What the scorer notes (documents that were cut) it noted when it re-ranked them.
        """
        apart = np.array([each.thing != each.query for each in asked], dtype=bool)
        owners = head.owners()
        chosen = apart[owners] if len(asked) else np.zeros(0, dtype=bool)
        found = np.zeros(len(head.docs), dtype=np.float32)
        if self.scorer is None or not chosen.any():
            return found
        queries = Queries(head.queries.ids, tuple(each.thing for each in asked))
        search = Search(queries, head.corpus)
        scores, _ = score_rows(self.scorer, search, owners[chosen], head.docs[chosen])
        found[chosen] = z_scores(scores, owners[chosen], len(asked))
        return found

    def _costs(self, asked: Wanted, head: Ranking, part: slice) -> tuple[Floats, int]:
        """What the documents of one query lose, and how many of them violate a condition."""
        rows, at = np.unique(head.docs[part], return_inverse=True)
        found = [verdicts(asked, read(text)) for text in head.corpus.texts(rows)]
        costs = np.array([self._cost(asked, each) for each in found], dtype=np.float32)
        return costs[at], sum(Verdict.VIOLATED in each for each in found)

    def _cost(self, asked: Wanted, found: tuple[Verdict, ...]) -> float:
        pairs = zip(asked.conditions, found, strict=True)
        return self.strength * min(MOST, sum(_price(*pair) for pair in pairs))


def _price(condition: Condition, verdict: Verdict) -> float:
    if verdict is Verdict.VIOLATED:
        return VIOLATED / 2 if condition.soft else VIOLATED
    return OPEN if verdict is Verdict.OPEN and condition.hard else 0.0


def _levelled(values: Floats) -> Floats:
    """Small differences among the best made smaller, larger ones larger; the order is kept."""
    if not len(values):
        return values
    below = values - np.sort(values)[-_BEST:].mean()
    near = FLAT * below
    far = -FLAT * ALIKE + STEEP * (below + ALIKE)
    found: Floats = np.where(below > -ALIKE, near, far).astype(np.float32)
    return found


def _noted(count: int) -> tuple[Note, ...]:
    if not count:
        return ()
    return (Note(CHECKING, count, "candidates violate a condition of their query"),)
