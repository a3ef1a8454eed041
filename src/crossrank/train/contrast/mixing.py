"""Domains with material of another: what is asked can then not be known from the domain."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from crossrank.train.contrast.domain import Domain, Number
from crossrank.train.contrast.items import pick

_TOGETHER = (
    ("makers", "models"),
    ("norms",),
    ("price",),
    ("numbers",),
    ("parts", "uses"),
    ("opinions",),
)
_FACTORS = (0.3, 0.5, 0.7, 0.8, 1, 1, 1.2, 1.5, 1.6, 2, 3)


def mixed(chosen: Domain, other: Domain, rng: Random) -> Domain:
    """`chosen` with some of the facts, or the opinions, of `other`, and its numbers scaled."""
    taken = {
        name: getattr(other, name) for names in _TOGETHER if rng.random() < 0.4 for name in names
    }
    out = replace(chosen, **taken)
    numbers = tuple(_scaled(number, rng) for number in out.numbers)
    factor = pick(rng, _FACTORS)
    return replace(out, numbers=numbers, price=tuple(round(p * factor, 2) for p in out.price))


def _scaled(number: Number, rng: Random) -> Number:
    """The attribute, its values scaled; as it is where two would fall together, or one to 0."""
    if number.is_range:
        return number
    factor = pick(rng, _FACTORS)
    plain = [float(value) for value in number.values if not isinstance(value, tuple)]
    whole = all(value == int(value) for value in plain)
    values = [float(f"{value * factor:.2g}") for value in plain]
    if whole:
        values = [round(value) for value in values]
    if len({*values, 0}) <= len(values):
        return number
    return replace(number, values=tuple(values))
