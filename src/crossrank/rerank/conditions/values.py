"""The values a query states: quantities, dates and counts with their bounds, norms, models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, takewhile
from typing import Final

from crossrank.rerank.conditions import cues
from crossrank.rerank.conditions.condition import (
    NO_TERM,
    STOP,
    Bound,
    Condition,
    Taken,
    names_something,
    opened,
)
from crossrank.rerank.conditions.reading import Clause, negative
from crossrank.rerank.conditions.tokens import Token, stems, year_days
from crossrank.text.language import word_set

_NEAR: Final = 4
"""Tokens before a value in which a bound may stand."""

_THAN: Final = word_set("als than")
_NO_LABEL: Final = NO_TERM | cues.LATER | cues.EARLIER
_BEFORE_VALUE: Final = _NO_LABEL | cues.BETWEEN | cues.AROUND


def values(clause: Clause, soft: bool) -> Iterator[tuple[Condition, Taken]]:
    """The conditions of a clause on values, each with the tokens that state it."""
    found = clause.tokens
    whole = found if opened(clause) else ()
    upper: Token | None = None
    for at, token in enumerate(found):
        if token.kind in ("word", "mark") or token is upper:
            continue
        before = found[at - 1] if at else None
        name = before.key if before is not None and _may_name(before) else ""
        if token.kind == "norm":
            made = Condition("norm", token.text, key=token.key, soft=soft)
            yield made, whole or _led(found, at)
            continue
        how, cue = bound(found, at)
        if token.kind == "code" or (token.kind == "number" and not _counts(found, at, how, whole)):
            if name or token.kind == "code":
                made = Condition("model", token.text, name=name, key=token.key, soft=soft)
                yield made, whole or _led(found, at)
            continue
        upper = _upper(found, at) if how == "between" else None
        also = [upper] if upper else []
        base, low, high = token.base, token.low, upper.high if upper else token.high
        if token.year and how != "is":
            base, (low, high) = "day", year_days(low, high)
        text = " ".join(t.text for t in sorted([*cue, token, *also], key=lambda t: t.start))
        label = _label(clause, at)
        made = Condition("quantity", text, label, "", "", base, low, high, how, soft)
        yield made, whole or [*cue, *_led(found, at), *also]


def _counts(found: Taken, at: int, how: Bound, whole: Taken) -> bool:
    """Whether a plain number counts something that the query asks for."""
    if found[at].year and how != "is":
        return True
    return (how != "is" or bool(whole)) and bool(_beside(found, at))


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


def _may_name(token: Token) -> bool:
    return (
        token.kind == "word"
        and len(token.key) > 1
        and token.key not in STOP
        and token.key not in _BEFORE_VALUE
    )


def _turns_bound(token: Token) -> bool:
    """Whether a negation before a bound may be reached across this token: not across one that names
    something (`ohne Kapuze unter 100 Euro` excludes the hood).
    """
    return token.kind == "word" and (negative(token) or not names_something(token))


def bound(found: Taken, at: int) -> tuple[Bound, list[Token]]:
    """How the value at this place is meant, and the words that say so."""
    dated = found[at].base == "day" or found[at].year
    least = cues.AT_LEAST | cues.LATER if dated else cues.AT_LEAST
    most = cues.AT_MOST | cues.EARLIER if dated else cues.AT_MOST
    near = reversed(found[max(0, at - _NEAR) : at])
    before = list(takewhile(lambda t: t.kind in ("word", "mark"), near))
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
    turns = list(takewhile(_turns_bound, before[before.index(said[0]) + 1 :]))
    flipped = sum(map(negative, turns)) % 2 == 1
    rises = said[0].key in least
    bounds = least | most | {"als", "than", "at", "to"}
    cue = [t for t in before if t.key in bounds or (t in turns and negative(t))]
    return ("min" if rises != flipped else "max"), cue


def _label(clause: Clause, at: int) -> tuple[frozenset[str], ...]:
    """The stems of the words around a value that may say what it measures."""
    if clause.tokens[at].kind == "number":
        return tuple(stems(t.key) for t in _beside(clause.tokens, at))
    near = [t for t in clause.words if t.key not in _NO_LABEL]
    return tuple(stems(t.key) for t in near)


def _beside(found: Taken, at: int) -> list[Token]:
    """The word before a plain number that says what it counts, and the one after it."""
    before = [t for t in found[max(0, at - _NEAR) : at] if t.kind == "word" and names_something(t)]
    after = [t for t in found[at + 1 : at + 2] if t.kind == "word" and names_something(t)]
    return before[-1:] + after
