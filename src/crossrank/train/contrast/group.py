"""A query with graded texts, and the rule the grades follow.

3  meets everything the query states
2  meets all but a soft wish, or leaves one stated condition open (the text does not say)
1  the same kind of thing, but a stated condition or negation is violated
0  another thing
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from crossrank.train.contrast.domain import Domain

KINDS = (
    *("unit", "range", "norm", "maker", "model", "negation", "use", "price", "date"),
    *("conditions", "soft", "duplicate", "sentiment", "cause-effect", "how-what", "contradiction"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """A query, what it exercises, and texts with grades from 0 to 3."""

    query: str
    language: str
    kind: str
    domain: str
    candidates: tuple[tuple[str, int], ...]


def group_of(
    domain: Domain, kind: str, query: str, candidates: Iterable[tuple[str, int]], rng: Random
) -> Group:
    """The group with its texts shuffled; a text that came twice keeps its first grade."""
    unique: dict[str, int] = {}
    for text, grade in candidates:
        unique.setdefault(text, grade)
    order = list(unique.items())
    rng.shuffle(order)
    return Group(query, domain.language, kind, domain.name, tuple(order))
