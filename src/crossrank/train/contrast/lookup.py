"""Groups whose query names conditions on an item: numbers, norms, makers, negations, prices."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from crossrank.train.contrast.asking import ask
from crossrank.train.contrast.domain import Domain, domain, neighbours
from crossrank.train.contrast.group import Group, group_of
from crossrank.train.contrast.items import (
    Condition,
    Item,
    known_values,
    other_value,
    pick,
    sample_item,
)
from crossrank.train.contrast.quantities import Value
from crossrank.train.contrast.render import render, sibling

_FAMILIES = ("norm", "maker", "model", "price", "date", "unit", "range", "negation", "use")


def lookup_kinds(domain: Domain) -> tuple[str, ...]:
    """The kinds of query that the facts of the domain allow."""
    kinds = [kind for kind in _FAMILIES if _keys(domain, kind)]
    return (*kinds, "conditions", "soft")


def lookup(domain: Domain, kind: str, rng: Random) -> Group:
    """A group of one of the kinds of `lookup_kinds`."""
    wanted = _conditions(domain, kind, rng)
    soft = wanted.pop() if kind == "soft" else None
    type_ = int(rng.random() * len(domain.items))
    query = ask(domain, type_, wanted, soft, rng)
    return group_of(domain, kind, query, _candidates(domain, type_, wanted, soft, rng), rng)


def _candidates(
    domain: Domain, type_: int, wanted: Sequence[Condition], soft: Condition | None, rng: Random
) -> list[tuple[str, int]]:
    all_of = [*wanted, soft] if soft else list(wanted)
    made: list[tuple[str, int]] = []
    for _ in range(2):
        item = _meeting(domain, type_, all_of, rng)
        keys = _told(domain, all_of, rng)
        seed = rng.random()
        made.append((_text(domain, item, keys, seed) + _aside(domain, all_of, item, rng, 0.2), 3))
        made += _violations(domain, item, keys, wanted, seed, rng)
    made += _partial(domain, type_, wanted, soft, rng)
    return made + _others(domain, type_, all_of, rng)


def _violations(
    domain: Domain,
    item: Item,
    keys: Sequence[str],
    wanted: Sequence[Condition],
    seed: float,
    rng: Random,
) -> list[tuple[str, int]]:
    """Texts that differ in one condition: two word for word like `item`'s, one told anew."""
    made = []
    for i in range(2 + (rng.random() < 0.5)):
        broken = pick(rng, wanted)
        wrong = item.having(broken.key, _violating(domain, broken, item, rng))
        if i == 0:
            text = _text(domain, wrong, keys, seed)
        else:
            fresh = _meeting(domain, item.type, wanted, rng)
            fresh = fresh.having(broken.key, wrong.facts[broken.key])
            text = _text(domain, fresh, _told(domain, wanted, rng), rng.random())
        made.append((text + _aside(domain, [broken], item, rng, 0.35, met=True), 1))
    return made


def _partial(
    domain: Domain, type_: int, wanted: Sequence[Condition], soft: Condition | None, rng: Random
) -> list[tuple[str, int]]:
    """One or two texts of grade 2: the soft wish missed, or one condition left open."""
    made = []
    for _ in range(1 + (rng.random() < 0.5)):
        item = _meeting(domain, type_, wanted, rng)
        told = list(wanted)
        if soft and rng.random() < 0.6:
            item = item.having(soft.key, _violating(domain, soft, item, rng))
            told.append(soft)
        elif not soft:
            told.remove(pick(rng, told))
        silent = {c.key for c in (*wanted, *([soft] if soft else []))} - {c.key for c in told}
        keys = [key for key in _told(domain, told, rng, least=2) if key not in silent]
        made.append((_text(domain, item, keys, rng.random()), 2))
    return made


def _others(
    domain_: Domain, type_: int, met: Sequence[Condition], rng: Random
) -> list[tuple[str, int]]:
    """Texts of grade 0: other kinds of the domain that meet the conditions, another domain."""
    types = [t for t in range(len(domain_.items)) if t != type_]
    made = []
    for _ in range(2):
        item = _meeting(domain_, pick(rng, types), met, rng)
        made.append((_text(domain_, item, _told(domain_, met, rng), rng.random()), 0))
    far = domain(pick(rng, neighbours(domain_.name)), domain_.language)
    item = sample_item(far, rng, int(rng.random() * len(far.items)))
    return [*made, (_text(far, item, _told(far, (), rng, least=3), rng.random()), 0)]


def _text(domain: Domain, item: Item, keys: Sequence[str], seed: float) -> str:
    return render(domain, item, keys, Random(seed))


def _told(
    domain: Domain, conditions: Sequence[Condition], rng: Random, least: int = 1
) -> list[str]:
    """The keys a text tells: those of the conditions, and some more."""
    keys = [c.key for c in conditions]
    free = [key for key in sample_item(domain, Random(0), 0).facts if key not in keys]
    rng.shuffle(free)
    more = free[: least + int(rng.random() * 3)]
    if "model" in free and rng.random() < 0.5:
        more = [*more[1:], "model"] if "model" not in more else more
    return keys + more


def _aside(
    domain: Domain,
    conditions: Sequence[Condition],
    item: Item,
    rng: Random,
    share: float,
    met: bool = False,
) -> str:
    """Now and then a sentence on another model: with a wrong value, or the one asked for."""
    condition = pick(rng, conditions)
    value = item.facts[condition.key]
    told = value if met else other_value(domain, condition.key, value, rng)
    text = sibling(domain, condition.key, told, rng)
    return text if rng.random() < share else ""


def _meeting(domain: Domain, type_: int, wanted: Sequence[Condition], rng: Random) -> Item:
    item = sample_item(domain, rng, type_)
    for condition in wanted:
        item = item.having(condition.key, _value(domain, condition, item, rng, meets=True))
    return item


def _violating(domain: Domain, condition: Condition, item: Item, rng: Random) -> Value:
    return _value(domain, condition, item, rng, meets=False)


def _value(domain: Domain, condition: Condition, item: Item, rng: Random, meets: bool) -> Value:
    """A value that meets the condition or not; the nearest ones come most often."""
    if condition.op == "is":
        value = condition.value
        return value if meets else other_value(domain, condition.key, value, rng)
    if condition.key == "date":
        tries: list[Value] = [sample_item(domain, rng, 0).facts["date"] for _ in range(60)]
    else:
        tries = list(known_values(domain, condition.key))
    fit = [v for v in tries if condition.holds(item.having(condition.key, v)) is meets]
    return pick(rng, fit)


def _conditions(domain: Domain, kind: str, rng: Random) -> list[Condition]:
    if kind in ("conditions", "soft"):
        count = 2 + int(rng.random() * 2)
        families = [f for f in _FAMILIES if _keys(domain, f)]
        rng.shuffle(families)
    else:
        families = [kind]
        count = 1 if rng.random() < 0.65 else 2
        rest = [f for f in _FAMILIES if f != kind and _keys(domain, f)]
        families.append(pick(rng, rest))
    found: dict[str, Condition] = {}
    for each in families:
        condition = _condition(domain, each, rng)
        if len(found) < count:
            found.setdefault(condition.key, condition)
    return list(found.values())


def _keys(domain: Domain, kind: str) -> list[str]:
    """The facts that a kind of query may ask about."""
    scalars = [f"n{i}" for i, number in enumerate(domain.numbers) if not number.is_range]
    groups = {
        "unit": [f"n{i}" for i in range(len(domain.numbers))],
        "range": [key for key in scalars if len(known_values(domain, key)) > 3],
        "negation": [f"p{i}" for i in range(len(domain.parts))],
        "use": [f"u{i}" for i in range(len(domain.uses))],
        "norm": ["norm"] if len(domain.norms) > 1 else [],
        "model": ["model"] if domain.models else [],
        "price": ["price"] if domain.price else [],
    }
    return groups.get(kind, [kind])


def _condition(domain: Domain, kind: str, rng: Random) -> Condition:
    key = pick(rng, _keys(domain, kind))
    value = sample_item(domain, rng, 0).facts[key]
    if kind == "negation":
        return Condition(key, "is", rng.random() > 0.7)
    if kind == "range" or (kind == "price" and rng.random() < 0.8):
        return _bounded(
            key, sorted(v for v in known_values(domain, key) if isinstance(v, (int, float))), rng
        )
    if kind == "date" and rng.random() < 0.4:
        return Condition(
            key,
            pick(rng, ("min", "max")),
            f"{pick(rng, (2019, 2020, 2021, 2022, 2023))}-0{pick(rng, '123456789')}-01",
        )
    return Condition(key, "is", value)


def _bounded(key: str, values: Sequence[float], rng: Random) -> Condition:
    """At least, at most, or between: always such that some value meets it and some does not."""
    style = rng.random()
    inner = 1 + int(rng.random() * (len(values) - 2))
    if style < 0.2:
        upper = min(inner + int(rng.random() * 2), len(values) - 2)
        if upper > inner:
            return Condition(key, "between", values[inner], values[upper])
    return Condition(key, "max" if style < 0.65 else "min", values[inner])
