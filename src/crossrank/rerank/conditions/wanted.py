"""The conditions that a query states, and what is left of it: the thing that is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise, takewhile
from typing import Final, Literal

from crossrank.rerank.conditions import cues
from crossrank.rerank.conditions.reading import (
    Clause,
    Reading,
    denied,
    free_of,
    has_any,
    negative,
    read,
)
from crossrank.rerank.conditions.tokens import Token, stems
from crossrank.text.language import ENGLISH_STOP, GERMAN_STOP, word_set

Kind = Literal["quantity", "norm", "model", "maker", "with", "without"]
Bound = Literal["is", "min", "max", "between"]
Taken = Sequence[Token]

_NEAR: Final = 4
"""Tokens before a value in which a bound may stand."""

_STOP: Final = GERMAN_STOP | ENGLISH_STOP
_LONGEST: Final = 40
"""Words from which a query is a text of its own, not a request."""

_THAN: Final = word_set("als than")
_WHO_HAS: Final = word_set("that which der die das den dem")
_OPENING: Final = cues.OPENERS | cues.PURPOSE | cues.SOFT | cues.NEGATIVE | cues.SUITED | _WHO_HAS
_NO_TERM: Final = (
    cues.FIT | cues.SOFT | cues.MAKER | cues.MODEL | cues.PRICE | cues.AT_LEAST | cues.AT_MOST
)


@dataclass(frozen=True)
class Condition:
    """One thing a query asks for.

    kind: a quantity (also dates and counted numbers), a norm, a model, a maker, with or without a
    feature. text: as the query has it. words: the stems of each word of what it is about. name:
    the word before the number of a model. key, base, low, high: as in `Token`; bound: how the
    value is meant. soft: a wish, no must.
    """

    kind: Kind
    text: str
    words: tuple[frozenset[str], ...] = ()
    name: str = ""
    key: str = ""
    base: str = ""
    low: float = 0.0
    high: float = 0.0
    bound: Bound = "is"
    soft: bool = False

    @property
    def hard(self) -> bool:
        """Whether a model is better off without its words: a value, a norm, an exclusion."""
        return self.kind in ("quantity", "norm", "without")


@dataclass(frozen=True)
class Wanted:
    """A query: its conditions, and the thing they are set on (its words without them)."""

    query: str
    thing: str
    conditions: tuple[Condition, ...] = ()


def wanted(query: str) -> Wanted:
    """The conditions of a query that asks for a thing; others have none, `thing` is all of them."""
    reading = read(query)
    if not _asks_for_thing(reading):
        return Wanted(query, query)
    found: list[Condition] = []
    used: list[Token] = []
    for at, clause in enumerate(reading.clauses):
        for condition, taken in _conditions(clause, at == 0):
            found.append(condition)
            used += taken if condition.hard else ()
    return Wanted(query, _without(query, used), tuple(found))


def _asks_for_thing(reading: Reading) -> bool:
    """Whether a query asks for a thing to find, not for knowledge: key words or a request."""
    words = [t.key for clause in reading.clauses for t in clause.tokens if t.kind == "word"]
    if not words or len(words) > _LONGEST or not cues.TOPICS.isdisjoint(words):
        return False
    if words[0] not in cues.REASONS and (
        any(word in cues.REQUEST for word in words) or has_any(words, cues.REQUESTS)
    ):
        return True
    main = {
        t.key
        for clause in reading.clauses
        if clause.tokens[0].key not in cues.RELATIVE
        for t in clause.tokens
    }
    states = reading.text.rstrip().endswith(".") or any(word.endswith("n't") for word in main)
    return words[0] not in cues.KNOWING and not states and main.isdisjoint(cues.FINITE)


def _without(query: str, used: Taken) -> str:
    """The query without these tokens; all of it where nothing is left."""
    text, at = "", 0
    for token in sorted(used, key=lambda t: t.start):
        text += query[at : max(at, token.start)]
        at = max(at, token.end)
    text = " ".join((text + query[at:]).split())
    text = re.sub(r"(?:[\s,;:]|\b(?:und|and|oder|or)\b)+(?=[.,?!]|$)", "", text).strip(" ,;:.")
    return text if re.search(r"[^\W\d_]{3}", text) else query


def _conditions(clause: Clause, first: bool) -> Iterator[tuple[Condition, Taken]]:
    soft = any(token.key in cues.SOFT for token in clause.tokens)
    yield from _valued(clause, soft)
    makers = list(_makers(clause, soft))
    yield from makers
    free = list(_free_of(clause, soft))
    yield from free
    if not free and (not makers or clause.denied):
        yield from _features(clause, soft, first)


def _valued(clause: Clause, soft: bool) -> Iterator[tuple[Condition, Taken]]:
    found = clause.tokens
    whole = found if _opened(clause) else ()
    upper: Token | None = None
    for at, token in enumerate(found):
        if token.kind in ("word", "mark") or token is upper:
            continue
        before = found[at - 1] if at else None
        name = before.key if before is not None and _may_name(before) else ""
        if token.kind == "norm":
            made = Condition("norm", token.text, key=token.key, soft=soft)
            yield made, whole or _led(found, at)
        elif token.kind == "code" or (token.kind == "number" and not _counted(found, at, whole)):
            if name or token.kind == "code":
                made = Condition("model", token.text, name=name, key=token.key, soft=soft)
                yield made, whole or _led(found, at)
        else:
            bound, cue = _bound(found, at)
            upper = _upper(found, at) if bound == "between" else None
            high = upper.high if upper else token.high
            label = _label(clause, at)
            base, low = token.base, token.low
            if token.year and bound != "is":
                base, low, high = "day", *_year(token, high)
            values = (base, low, high, bound, soft)
            also = [upper] if upper else []
            said = sorted([*cue, token, *also], key=lambda t: t.start)
            text = " ".join(t.text for t in said)
            made = Condition("quantity", text, label, "", "", *values)
            yield made, whole or [*cue, *_led(found, at), *also]


def _counted(found: Taken, at: int, whole: Taken) -> bool:
    """Whether a plain number counts something that the query asks for."""
    bound, _ = _bound(found, at)
    if found[at].year and bound != "is":
        return True
    return (bound != "is" or bool(whole)) and bool(_beside(found, at))


def _year(token: Token, last: float) -> tuple[float, float]:
    """The first and the last day of a year, or of the years up to `last`."""
    return float(date(int(token.low), 1, 1).toordinal()), float(date(int(last), 12, 31).toordinal())


def _upper(found: Taken, at: int) -> Token | None:
    """The end of a range whose beginning is at this place."""
    if found[at].low != found[at].high:
        return None
    return next((t for t in found[at + 1 : at + 4] if t.valued and t.base == found[at].base), None)


def _led(found: Taken, at: int) -> list[Token]:
    """The value at this place with the words that lead to it: `geprüft nach`, `published on`."""
    before = takewhile(lambda t: t.key in cues.STATING, reversed(found[:at]))
    after = takewhile(lambda t: t.key in cues.STATING, found[at + 1 :])
    return [*before, found[at], *after]


def _opened(clause: Clause) -> bool:
    """Whether the clause is nothing but a condition: `mit …`, `for …`, `that has …`."""
    head = [t.key for t in clause.tokens if t.key not in cues.ALSO]
    return bool(head) and head[0] in _OPENING


def _may_name(token: Token) -> bool:
    return (
        token.kind == "word"
        and len(token.key) > 1
        and token.key not in _STOP
        and token.key not in _NO_TERM | cues.LATER | cues.EARLIER | cues.BETWEEN | cues.AROUND
    )


def _bound(found: Taken, at: int) -> tuple[Bound, list[Token]]:
    """How the value at this place is meant, and the words that say so."""
    dated = found[at].base == "day" or found[at].year
    least = cues.AT_LEAST | cues.LATER if dated else cues.AT_LEAST
    most = cues.AT_MOST | cues.EARLIER if dated else cues.AT_MOST
    before = list(
        takewhile(lambda t: t.kind in ("word", "mark"), reversed(found[max(0, at - _NEAR) : at]))
    )
    after = list(takewhile(lambda t: t.kind == "word", found[at + 1 : at + 2 + _NEAR]))
    for at_joint, (joint, more) in enumerate(pairwise(after)):
        compares = any(t.key in _THAN for t in after[at_joint + 2 : at_joint + 3])
        if joint.key in cues.ALSO and more.key in cues.MORE | cues.LESS and not compares:
            return ("min" if more.key in cues.MORE else "max"), [joint, more]
    if any(t.key in cues.BETWEEN for t in before):
        return "between", [t for t in before if t.key in cues.BETWEEN]
    said = [t for t in before if t.key in least | most]
    if not said:
        return "is", []
    flipped = sum(negative(t) for t in before) % 2 == 1
    rises = said[0].key in least
    cue = [t for t in before if t.key in least | most | cues.NEGATIVE | {"als", "than", "at", "to"}]
    return ("min" if rises != flipped else "max"), cue


def _label(clause: Clause, at: int) -> tuple[frozenset[str], ...]:
    """The stems of the words around a value that may say what it measures."""
    if clause.tokens[at].kind == "number":
        return tuple(stems(t.key) for t in _beside(clause.tokens, at))
    near = [t for t in clause.words if t.key not in _NO_TERM | cues.LATER | cues.EARLIER]
    return tuple(stems(t.key) for t in near)


def _beside(found: Taken, at: int) -> list[Token]:
    """The word before a plain number that says what it counts, and the one after it."""
    before = [t for t in found[max(0, at - _NEAR) : at] if t.kind == "word" and _term(t)]
    after = [t for t in found[at + 1 : at + 2] if t.kind == "word" and _term(t)]
    return before[-1:] + after


def _makers(clause: Clause, soft: bool) -> Iterator[tuple[Condition, Taken]]:
    found = clause.tokens
    for at, token in enumerate(found):
        marked = token.key in cues.MAKER
        if not marked and token.key not in cues.BY:
            continue
        name = [t for t in found[at + 1 : at + 2] if _in_name(t, marked)]
        if name:
            more = found[at + 2 : at + 4]
            name += takewhile(lambda t: _in_name(t, False), more)
        if name:
            taken = [t for t in found[max(0, at - 2) : at] if t.key in cues.BY | _STOP]
            text = " ".join(t.text for t in name)
            words = tuple(frozenset({t.key}) for t in name)
            yield Condition("maker", text, words, soft=soft), [*taken, token, *name]
            return


def _in_name(token: Token, marked: bool) -> bool:
    if token.kind != "word" or token.key in _STOP | cues.NEGATIVE | _NO_TERM:
        return False
    return marked or token.text[0].isupper()


def _features(clause: Clause, soft: bool, first: bool) -> Iterator[tuple[Condition, Taken]]:
    """The feature that a clause asks for or excludes, if it does."""
    places = [at for at, token in enumerate(clause.tokens) if token.valued]
    bounds = [token for at in places for token in _bound(clause.tokens, at)[1]]
    said = [token for token in clause.tokens if token not in bounds]
    found = list(takewhile(lambda t: t.kind in ("word", "mark"), said))
    excludes = denied(said)
    if excludes:
        start = next((i for i, t in enumerate(found) if negative(t)), -1)
    else:
        start = next((i for i, _ in enumerate(found) if _leads_to_feature(found, i)), -1)
        if start < 0 and _opened(clause) and not first:
            start = 0
    if start < 0 or (excludes and first and start > 0 and not _asks(found)):
        return
    if excludes and not _after(found, start):
        start = 0
    terms = _after(found, start)
    if terms:
        text = " ".join(t.text for t in found[start:])
        words = tuple(stems(t.key) for t in terms)
        kind: Kind = "without" if excludes else "with"
        whole = found[0].key in cues.RELATIVE
        yield Condition(kind, text, words, soft=soft), found if whole else found[start:]


def _free_of(clause: Clause, soft: bool) -> Iterator[tuple[Condition, Taken]]:
    """What a word or two say that there be none of: `laktosefrei`, `gluten free`."""
    for at, token in enumerate(clause.tokens):
        before = clause.tokens[at - 1] if at else token
        if token.key == "free" and before.key in cues.FREE_FROM:
            yield (
                Condition("without", f"{before.text} free", (stems(before.key),), soft=soft),
                [
                    before,
                    token,
                ],
            )
        elif token.kind == "word" and (heads := tuple(free_of(token.key))):
            yield Condition("without", token.text, (stems(heads[-1]),), soft=soft), [token]


def _leads_to_feature(found: Taken, at: int) -> bool:
    """Whether a feature or a use begins at this place; `looking for` leads to the thing."""
    if found[at].key in cues.OPENERS:
        return True
    return found[at].key in cues.PURPOSE and (at == 0 or found[at - 1].key not in cues.REQUEST)


def _after(found: Taken, start: int) -> list[Token]:
    """The words from this place on that name something."""
    return [t for t in found[start:] if t.kind == "word" and _term(t)]


def _term(token: Token) -> bool:
    return token.key not in _STOP | cues.NEGATIVE | cues.OPENERS | _NO_TERM | cues.ALSO


def _asks(found: Taken) -> bool:
    """Whether a first clause may be key words or a request, not a statement that denies."""
    return not any(t.key in cues.FINITE for t in found)
