"""Queries over conditions: short key words as people type them, and whole questions."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from crossrank.train.contrast.domain import Domain
from crossrank.train.contrast.items import Condition, pick
from crossrank.train.contrast.render import family, fields, phrase, sentence, written
from crossrank.train.contrast.words import Noun


def ask(
    domain: Domain, kind: int, wanted: Sequence[Condition], soft: Condition | None, rng: Random
) -> str:
    """A query for items of one kind that meet `wanted`, and better still `soft`."""
    noun = pick(rng, domain.items[kind])
    order = list(wanted)
    rng.shuffle(order)
    if soft is None and rng.random() < 0.55:
        return _keywords(domain, noun, order, rng)
    told = [_phrase(domain, noun, condition, "ask", rng) for condition in order]
    if soft is not None:
        wish = _phrase(domain, noun, soft, "ask", rng)
        told.append(pick(rng, domain.wordings["frame"]["soft"]).format(ask=wish))
    joint = pick(rng, domain.wordings["frame"]["joint"])
    text = sentence(pick(rng, domain.wordings["frame"]["ask"]), item=noun, conds=joint.join(told))
    return text.lower() if rng.random() < 0.15 else text


def _keywords(domain: Domain, noun: Noun, order: Sequence[Condition], rng: Random) -> str:
    told = [_phrase(domain, noun, condition, "key", rng) for condition in order]
    at = 0 if rng.random() < 0.7 else int(rng.random() * (len(told) + 1))
    if at and any(" " in text for text in told):  # key words of two words may want to come last
        at = 0
    text = " ".join([*told[:at], noun.text, *told[at:]])
    text = text.lower() if rng.random() < 0.7 else text
    return _without_umlauts(text) if rng.random() < 0.06 else text


def _without_umlauts(text: str) -> str:
    """As typed on a keyboard without them: `kuehlschrank`."""
    for letter, spelt in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(letter, spelt)
    return text


def _phrase(domain: Domain, noun: Noun, c: Condition, part: str, rng: Random) -> str:
    group = family(domain, c.key, c.value)
    wordings = domain.wordings[part]
    if group in ("number", "range", "price", "date"):
        options = wordings[f"{group}_{c.op}"]
        if part == "key" and group == "number" and c.op == "is" and _alone(domain, c.key):
            options = (*options, *wordings["number_bare"] * 2)
    else:
        options = wordings[group]
    values = fields(domain, c.key, c.value, rng)
    upper = written(domain, c.key, c.upper, rng) if c.op == "between" else ""
    return phrase(pick(rng, options), {"item": noun, "w": upper, **values})


def _alone(domain: Domain, key: str) -> bool:
    """Whether the unit belongs to this number only, so that the value alone is clear."""
    unit = domain.numbers[int(key[1:])].unit
    return unit != "plain" and sum(number.unit == unit for number in domain.numbers) == 1
