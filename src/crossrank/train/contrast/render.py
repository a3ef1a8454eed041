"""Texts about items: prose, title and prose, or a list of data, from many wordings.

Two items rendered with the same random state differ only where their facts do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from crossrank.train.contrast import quantities
from crossrank.train.contrast.domain import Domain
from crossrank.train.contrast.items import Item, model_name, pick
from crossrank.train.contrast.quantities import Value
from crossrank.train.contrast.words import Noun, dative


def family(domain: Domain, key: str, value: Value) -> str:
    """The group of wordings that a fact is told with: `number`, `part_no`, `maker`, ..."""
    kind = {"n": "number", "p": "part", "u": "use"}.get(key[0]) if key[1:].isdigit() else None
    if kind == "number":
        return "range" if isinstance(value, tuple) else "number"
    return f"{kind}_{'yes' if value else 'no'}" if kind else key


def fields(domain: Domain, key: str, value: Value, rng: Random) -> dict[str, object]:
    """What the wordings of a fact may name: {v}, {label}, {part}, {use}."""
    if not key[1:].isdigit():
        return {"v": written(domain, key, value, rng)}
    index = int(key[1:])
    if key[0] == "p":
        return {"part": domain.parts[index]}
    if key[0] == "u":
        return {"use": domain.uses[index]}
    return {"v": written(domain, key, value, rng), "label": domain.numbers[index].label}


def written(domain: Domain, key: str, value: Value, rng: Random) -> str:
    """A value as text, numbers in one of their notations."""
    own = Random(rng.random())  # one draw, however many the notation takes
    if key == "date":
        return quantities.date(str(value), domain.language, own)
    if key == "price":
        return quantities.amount(_float(value), "eur", domain.language, own)
    if not key[1:].isdigit():
        return str(value)
    unit = domain.numbers[int(key[1:])].unit
    if isinstance(value, tuple):
        return quantities.between(value, unit, domain.language, own)
    return quantities.amount(_float(value), unit, domain.language, own)


def render(domain: Domain, item: Item, keys: Sequence[str], rng: Random) -> str:
    """A text about the item that tells the facts `keys` and no others."""
    noun = pick(rng, domain.items[item.type])
    style = rng.random()
    named = "model" in keys
    model = str(item.facts["model"]) if named else ""
    shuffled = list(keys)
    rng.shuffle(shuffled)
    if style < 0.25:
        return _listing(domain, item, noun, shuffled, rng)
    if style < 0.4:
        return _compact(domain, item, noun, shuffled, rng)
    title = _title(domain, item, noun, keys, rng) + "\n" if style < 0.7 else ""
    intro = sentence(
        pick(rng, domain.wordings["intro"]["model" if named else "plain"]),
        item=noun,
        m=model,
        it=domain.it,
    )
    told = [_statement(domain, item, noun, key, rng) for key in shuffled if key != "model"]
    told += rng.sample(domain.filler, int(rng.random() * 2.5))
    head = 1 if told and rng.random() < 0.15 else 0
    rng.shuffle(told)
    return title + " ".join([*told[:head], intro, *told[head:]])


def sibling(domain: Domain, key: str, value: Value, rng: Random) -> str:
    """A sentence that says `value` of another model, or nothing where there are no wordings."""
    options = domain.wordings["sibling"].get(family(domain, key, value))
    if not options or not domain.models:
        return ""
    told = fields(domain, key, value, rng)
    return " " + sentence(pick(rng, options), m=model_name(domain, rng), it=domain.it, **told)


def phrase(template: str, values: Mapping[str, object]) -> str:
    """The template filled in, with single blanks."""
    return " ".join(dative(template.format_map(values)).split())


def sentence(template: str, **values: object) -> str:
    """The template filled in, with a capital letter at its start."""
    text = dative(template.format_map(values)).strip().replace("..", ".")
    return text[:1].upper() + text[1:]


def _statement(domain: Domain, item: Item, noun: Noun, key: str, rng: Random) -> str:
    value = item.facts[key]
    options = _options(domain.wordings, family(domain, key, value), _unit(domain, key))
    return sentence(pick(rng, options), item=noun, it=domain.it, **fields(domain, key, value, rng))


def _options(
    wordings: Mapping[str, Mapping[str, tuple[str, ...]]], group: str, unit: str
) -> tuple[str, ...]:
    own = wordings["unit"].get(unit, ()) if group == "number" else ()
    return (*wordings["state"][group], *own)


def _unit(domain: Domain, key: str) -> str:
    return domain.numbers[int(key[1:])].unit if key[0] == "n" and key[1:].isdigit() else ""


def _title(domain: Domain, item: Item, noun: Noun, keys: Sequence[str], rng: Random) -> str:
    named = [key for key in ("maker", "model") if key in keys]
    form = {2: "both", 1: "".join(named), 0: "plain"}[len(named)]
    return sentence(
        pick(rng, domain.wordings["title"][form]),
        item=noun,
        v=item.facts["maker"],
        m=item.facts.get("model", ""),
    )


def _listing(domain: Domain, item: Item, noun: Noun, keys: Sequence[str], rng: Random) -> str:
    title = _title(domain, item, noun, keys, rng)
    in_title = {"maker", "model"} & set(keys)
    rows = [_row(domain, item, key, rng) for key in keys if key not in in_title]
    mark = pick(rng, ("; ", ", ", " | ", "\n- ", ". ", " · "))
    tail = " " + pick(rng, domain.filler) if rng.random() < 0.5 else ""
    head = "" if not rows else mark if mark[0] == "\n" else ": "
    return title + head + mark.join(rows) + "." * bool(tail) + tail


def _compact(domain: Domain, item: Item, noun: Noun, keys: Sequence[str], rng: Random) -> str:
    """One sentence that strings the facts together, as on a price tag."""
    named = str(item.facts["model"]) if "model" in keys else ""
    told = [_attribute(domain, item, key, rng) for key in keys if key != "model"]
    joint = pick(rng, domain.wordings["frame"]["and"])
    last = joint.join(told[-2:])
    text = " ".join(f"{noun.text} {named} {', '.join([*told[:-2], last])}".split())
    text = text[:1].upper() + text[1:]
    more = " " + pick(rng, domain.filler)
    return text + "." + (more if rng.random() < 0.6 else "")


def _attribute(domain: Domain, item: Item, key: str, rng: Random) -> str:
    """A fact as an attribute of its noun: `with a door lock`, `for 500 euros`."""
    value = item.facts[key]
    group = family(domain, key, value)
    group += "_is" if group in ("number", "range", "price", "date") else ""
    options = [
        text for text in domain.wordings["ask"][group] if not text.startswith(("{item", "that"))
    ]
    return phrase(pick(rng, options), fields(domain, key, value, rng))


def _row(domain: Domain, item: Item, key: str, rng: Random) -> str:
    value = item.facts[key]
    template = pick(rng, domain.wordings["spec"][family(domain, key, value)])
    return template.format_map(fields(domain, key, value, rng))


def _float(value: Value) -> float:
    assert isinstance(value, (int, float))
    return float(value)
