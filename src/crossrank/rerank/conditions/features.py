"""What a query wants to be there or not: makers, features, uses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from crossrank.rerank.conditions import cues
from crossrank.rerank.conditions.condition import (
    NO_TERM,
    STOP,
    Condition,
    Kind,
    Taken,
    names_something,
    opened,
)
from crossrank.rerank.conditions.reading import Clause, denied, free_of, negative
from crossrank.rerank.conditions.tokens import Token, stems
from crossrank.rerank.conditions.values import bound

_MEASURED: Final = cues.STATING | {name for names in cues.MEASURES.values() for name in names}
"""Words that name what a value measures (`mit Volumen 770 L`), and are no feature."""


def makers(clause: Clause, soft: bool) -> Iterator[tuple[Condition, Taken]]:
    """The maker a clause names after a cue (`von`, `Hersteller`), if it does."""
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
            taken = [t for t in found[max(0, at - 2) : at] if t.key in cues.BY | STOP]
            text = " ".join(t.text for t in name)
            words = tuple(frozenset({t.key}) for t in name)
            yield Condition("maker", text, words, soft=soft), [*taken, token, *name]
            return


def _in_name(token: Token, marked: bool) -> bool:
    if token.kind != "word" or token.key in STOP | cues.NEGATIVE | NO_TERM:
        return False
    return marked or token.text[0].isupper()


def features(
    clause: Clause, soft: bool, first: bool, models: frozenset[str]
) -> Iterator[tuple[Condition, Taken]]:
    """The feature that a clause asks for or excludes, if it does.

    `models`: the names that belong to numbers (`Concerto 970`) and so to no feature.
    """
    places = [at for at, token in enumerate(clause.tokens) if token.valued]
    bounds = [token for at in places for token in bound(clause.tokens, at)[1]]
    said = [token for token in clause.tokens if token not in bounds]
    found = list(takewhile(lambda t: t.kind in ("word", "mark"), said))
    if found and found[-1].key in models:
        found.pop()
    excludes = denied(said)
    if excludes:
        start = next((i for i, t in enumerate(found) if negative(t)), -1)
    else:
        start = next((i for i, _ in enumerate(found) if _leads_to_feature(found, i)), -1)
        if start < 0 and opened(clause) and not first:
            start = 0
    if start < 0 or (excludes and first and start > 0 and not _asks(found)):
        return
    if excludes and not _after(found, start):
        start = 0
    terms = _after(found, start)
    if terms and (excludes or not all(t.key in _MEASURED for t in terms)):
        text = " ".join(t.text for t in found[start:])
        words = tuple(stems(t.key) for t in terms)
        kind: Kind = "without" if excludes else "with"
        whole = found[0].key in cues.RELATIVE
        yield Condition(kind, text, words, soft=soft), found if whole else found[start:]


def free_from(clause: Clause, soft: bool) -> Iterator[tuple[Condition, Taken]]:
    """What a word or two say that there be none of: `laktosefrei`, `gluten free`."""
    for at, token in enumerate(clause.tokens):
        before = clause.tokens[at - 1] if at else token
        if token.key == "free" and before.key in cues.FREE_FROM:
            made = Condition("without", f"{before.text} free", (stems(before.key),), soft=soft)
            yield made, [before, token]
        elif token.kind == "word" and (heads := tuple(free_of(token.key))):
            yield Condition("without", token.text, (stems(heads[-1]),), soft=soft), [token]


def _leads_to_feature(found: Taken, at: int) -> bool:
    """Whether a feature or a use begins at this place; `looking for` leads to the thing."""
    if found[at].key in cues.OPENERS:
        return True
    return found[at].key in cues.PURPOSE and (at == 0 or found[at - 1].key not in cues.REQUEST)


def _after(found: Taken, start: int) -> list[Token]:
    """The words from this place on that name something."""
    return [t for t in found[start:] if t.kind == "word" and names_something(t)]


def _asks(found: Taken) -> bool:
    """Whether a first clause may be key words or a request, not a statement that denies."""
    return not any(t.key in cues.FINITE for t in found)
