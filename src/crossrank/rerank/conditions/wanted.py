"""The conditions that a query states, and what is left of it: the thing that is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from crossrank.rerank.conditions import cues
from crossrank.rerank.conditions.condition import Condition, Taken, Wanted
from crossrank.rerank.conditions.features import features, free_from, makers
from crossrank.rerank.conditions.reading import Clause, Reading, has_any, read
from crossrank.rerank.conditions.tokens import Token
from crossrank.rerank.conditions.values import values

_LONGEST: Final = 40
"""Words from which a query is a text of its own, not a request."""


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
    return not (_asks_to_know(reading, words) or states) and main.isdisjoint(cues.FINITE)


def _asks_to_know(reading: Reading, words: Sequence[str]) -> bool:
    """Whether a question word leads, or stands second (`mit wem`), or anywhere in a question."""
    within = words if reading.text.rstrip().endswith("?") else words[:2]
    return words[0] in cues.KNOWING or not cues.ASKING.isdisjoint(within)


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
    valued = list(values(clause, soft))
    yield from valued
    models = frozenset(each.name for each, _ in valued if each.kind == "model")
    named = list(makers(clause, soft))
    yield from named
    free = list(free_from(clause, soft))
    yield from free
    if not free and (not named or clause.denied):
        yield from features(clause, soft, first, models)
