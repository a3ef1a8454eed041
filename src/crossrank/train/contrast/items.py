"""Items with facts, and conditions on them: what a text says and what a query asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from crossrank.train.contrast.domain import Domain
from crossrank.train.contrast.quantities import Value

T = TypeVar("T")


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of the options. Draws once, so that texts of one seed stay alike word for word."""
    return options[int(rng.random() * len(options))]


@dataclass(frozen=True, slots=True)
class Item:
    """A thing of one kind of its domain. Keys: maker, model, norm, price, date, n0, p0, u0, ..."""

    type: int
    facts: Mapping[str, Value]

    def having(self, key: str, value: Value) -> Item:
        """The same item but for one fact."""
        return replace(self, facts={**self.facts, key: value})


@dataclass(frozen=True, slots=True)
class Condition:
    """What a query demands of one fact: `is` a value, `min`, `max`, or `between` two."""

    key: str
    op: str
    value: Value
    upper: float = 0.0

    def holds(self, item: Item) -> bool:
        """Whether the item meets it."""
        found = item.facts[self.key]
        if self.op == "is":
            return found == self.value
        if isinstance(found, str):  # ISO dates order as text
            return found > str(self.value) if self.op == "min" else found < str(self.value)
        assert isinstance(found, (int, float)) and isinstance(self.value, (int, float))
        if self.op == "min":
            return found >= self.value
        return found <= self.value if self.op == "max" else self.value <= found <= self.upper


def sample_item(domain: Domain, rng: Random, kind: int) -> Item:
    """An item of one kind with a value for every fact of the domain."""
    facts: dict[str, Value] = {"maker": pick(rng, domain.makers), "date": _day(rng)}
    if domain.models:
        facts["model"] = model_name(domain, rng)
    if domain.norms:
        facts["norm"] = pick(rng, domain.norms)
    if domain.price:
        facts["price"] = pick(rng, domain.price)
    for i, entry in enumerate(domain.numbers):
        facts[f"n{i}"] = pick(rng, entry.values)
    facts |= {f"p{i}": rng.random() < 0.5 for i in range(len(domain.parts))}
    facts |= {f"u{i}": rng.random() < 0.5 for i in range(len(domain.uses))}
    return Item(kind, facts)


def other_value(domain: Domain, key: str, value: Value, rng: Random) -> Value:
    """Another value that the fact could have: the negation, a near number, another name."""
    if isinstance(value, bool):
        return not value
    if key == "model":
        return _near_model(str(value), domain, rng)
    if key == "date":
        return _near_day(str(value), rng)
    options = known_values(domain, key)
    others = [option for option in options if option != value]
    return pick(rng, others)


def known_values(domain: Domain, key: str) -> Sequence[Value]:
    """The values that a maker, norm, price or number takes in the domain."""
    if key == "maker":
        return domain.makers
    if key == "norm":
        return domain.norms
    return domain.price if key == "price" else domain.numbers[int(key[1:])].values


def model_name(domain: Domain, rng: Random) -> str:
    """A model name after one of the patterns: # is a digit, @ a capital letter."""
    pattern = pick(rng, domain.models)
    letters = "ABCDEFGHKLMNPRSTVWX"
    return "".join(
        pick(rng, "123456789") if c == "#" else pick(rng, letters) if c == "@" else c
        for c in pattern
    )


def _near_model(name: str, domain: Domain, rng: Random) -> str:
    """A name that differs in one digit if there is one, else another model."""
    digits = [i for i, c in enumerate(name) if c.isdigit()]
    if not digits or rng.random() < 0.2:
        fresh = model_name(domain, rng)
        return fresh if fresh != name else fresh + " S"
    at = pick(rng, digits)
    digit = pick(rng, [c for c in "123456789" if c != name[at]])
    return name[:at] + digit + name[at + 1 :]


def _day(rng: Random) -> str:
    return (dt.date(2017, 1, 1) + dt.timedelta(days=int(rng.random() * 3000))).isoformat()


def _near_day(value: str, rng: Random) -> str:
    shift = pick(rng, (1, 2, 10, 30, 31, 61, 365, 366, 730, -1, -7, -30, -365, -731))
    return (dt.date.fromisoformat(value) + dt.timedelta(days=shift)).isoformat()
