"""Clusters from scored pairs: single link by union-find, or complete link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from crossrank.errors import BadInput

Link = Literal["complete", "single"]
LINKS: Final[tuple[Link, ...]] = get_args(Link)

Pair = tuple[int, int]


def components(pairs: Iterable[Pair]) -> list[list[int]]:
    """Single link: items that a chain of pairs joins, by union-find; each ascending, by first."""
    parent: dict[int, int] = {}

    def root(item: int) -> int:
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for a, b in pairs:
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    groups: dict[int, list[int]] = {}
    for item in sorted(parent):
        groups.setdefault(root(item), []).append(item)
    return sorted(group for group in groups.values() if len(group) > 1)


def clusters(probability: Mapping[Pair, float], threshold: float, link: Link) -> list[list[int]]:
    """Clusters of items, each ascending, ordered by their first.

    `single` joins whatever a chain of pairs at or above the threshold joins. `complete` joins two
    clusters only when every pair across them reaches it, surest pairs first: A and C that
    contradict each other never meet through a vague B. A pair without a probability counts as
    different. Pairs are (smaller, larger).
    """
    if link not in LINKS:
        raise BadInput(f"a link of {' or '.join(LINKS)} wanted, got {link!r}")
    strong = {pair: p for pair, p in probability.items() if p >= threshold}
    if link == "single":
        return components(strong)
    where: dict[int, set[int]] = {}
    for a, b in sorted(strong, key=lambda pair: (-strong[pair], pair)):
        left, right = where.setdefault(a, {a}), where.setdefault(b, {b})
        if left is not right and _all_joined(left, right, strong):
            left |= right
            for item in right:
                where[item] = left
    groups = {id(group): sorted(group) for group in where.values() if len(group) > 1}
    return sorted(groups.values())


def _all_joined(left: set[int], right: set[int], strong: Mapping[Pair, float]) -> bool:
    return all((min(a, b), max(a, b)) in strong for a in left for b in right)


def missing_pairs(known: Mapping[Pair, float], threshold: float, most: int) -> list[Pair]:
    """Pairs without a probability inside the chains that reach the threshold: complete link
    needs them. Chains of more than `most` items are left as they are."""
    strong = (pair for pair, p in known.items() if p >= threshold)
    return [
        (a, b)
        for group in components(strong)
        if len(group) <= most
        for i, a in enumerate(group)
        for b in group[i + 1 :]
        if (a, b) not in known
    ]
