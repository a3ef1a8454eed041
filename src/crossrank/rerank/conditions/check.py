"""Whether a text meets the conditions of a query, violates them or leaves them open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from crossrank.rerank.conditions import cues
from crossrank.rerank.conditions.condition import Condition, Wanted
from crossrank.rerank.conditions.reading import Clause, Reading, read
from crossrank.rerank.conditions.tokens import MONEY, Token, stems, year_days

_TENFOLD: Final = 10.0
_SAME: Final = 1e-6
_NEAR: Final = 2
"""Tokens between a counted number and the word that says of what."""

_SUFFIX: Final = 5
"""Letters from which the end of a word is taken for the same word in a compound."""


class Verdict(StrEnum):
    """What a text says on a condition."""

    MET = "met"
    VIOLATED = "violated"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Stated:
    """A condition of a query as it is written, and what a text says on it."""

    condition: str
    kind: str
    verdict: Verdict

    def as_dict(self) -> dict[str, str]:
        """JSON-able."""
        return {"condition": self.condition, "kind": self.kind, "verdict": str(self.verdict)}


def stated(wanted: Wanted, text: str) -> tuple[Stated, ...]:
    """What a text says on each condition of a query."""
    if not wanted.conditions:
        return ()
    pairs = zip(wanted.conditions, verdicts(wanted, read(text)), strict=True)
    return tuple(Stated(each.text, each.kind, verdict) for each, verdict in pairs)


def verdicts(wanted: Wanted, reading: Reading) -> tuple[Verdict, ...]:
    """One verdict for each condition of the query."""
    return tuple(_CHECKS[each.kind](each, reading) for each in wanted.conditions)


def _quantity(asked: Condition, reading: Reading) -> Verdict:
    stated = [(t, c) for t, c in reading.facts if _comparable(asked, t)]
    if not asked.base:
        stated = [(t, c) for t, c in stated if _beside(t, c, asked)]
    if not stated:
        return Verdict.OPEN
    chosen, sure = _about(asked, stated)
    if any(_holds(asked, token) for token in chosen):
        return Verdict.MET
    return Verdict.VIOLATED if sure else Verdict.OPEN


def _comparable(asked: Condition, token: Token) -> bool:
    if asked.base == "day":
        return token.kind == "date" or token.year
    kind = "quantity" if asked.base else "number"
    return token.kind == kind and token.base == asked.base


def _about(asked: Condition, stated: Sequence[tuple[Token, Clause]]) -> tuple[list[Token], bool]:
    """The stated values that are what is asked about, and whether that is sure."""
    shared = [sum(bool(word & clause.content) for word in asked.words) for _, clause in stated]
    best = max(shared)
    if best:
        return [t for (t, _), count in zip(stated, shared, strict=True) if count == best], True
    if asked.base in MONEY:
        return [_price(stated)], True
    every = [t for t, _ in stated]
    if asked.base == "day":
        return (every if asked.bound == "is" else every[:1]), True
    near = [token for token in every if _rival(asked, token)]
    if asked.bound in ("min", "max") and near:
        return near[:1], len(every) == 1 or not asked.words
    return every, len(near) == len(every) and (not asked.words or len(every) == 1)


def _price(stated: Sequence[tuple[Token, Clause]]) -> Token:
    """The first price that holds now, one that is called a price before others."""
    now = [(t, c) for t, c in stated if not _was(t, c)] or list(stated)
    called = [t for t, c in now if any(w.key in cues.PRICE for w in c.tokens)]
    return (called or [now[0][0]])[0]


def _was(token: Token, clause: Clause) -> bool:
    at = clause.tokens.index(token)
    return any(t.key in cues.WAS for t in clause.tokens[max(0, at - _NEAR) : at])


def _rival(asked: Condition, token: Token) -> bool:
    """Whether a value without a name may be meant: within a power of ten of the one asked for."""
    values = sorted((abs(asked.low or asked.high), abs(token.low or token.high)))
    return values[1] <= _TENFOLD * values[0]


def _beside(token: Token, clause: Clause, asked: Condition) -> bool:
    at = clause.tokens.index(token)
    near = clause.tokens[max(0, at - _NEAR - 1) : at + _NEAR]
    return any(w & stems(t.key) for t in near if t.kind == "word" for w in asked.words)


def _holds(asked: Condition, token: Token) -> bool:
    slack = _SAME * max(abs(asked.low), abs(asked.high), 1.0)
    low, high = _span(token)
    if asked.bound == "min":
        return high >= asked.low - slack
    if asked.bound == "max":
        return low <= asked.high + slack
    inside = asked.low - slack <= low and high <= asked.high + slack
    if asked.bound == "between" or low == high:
        return inside
    return low <= asked.low + slack and asked.high - slack <= high


def _span(token: Token) -> tuple[float, float]:
    """Lowest and highest value; a year is its days."""
    return year_days(token.low, token.high) if token.year else (token.low, token.high)


def _norm(asked: Condition, reading: Reading) -> Verdict:
    stated = [(t.key, c.denied) for t, c in reading.facts if t.kind == "norm"]
    kin = [(key, denied) for key, denied in stated if _family(key) == _family(asked.key)]
    same = [denied for key, denied in kin if key == asked.key or key.startswith(f"{asked.key}-")]
    if same:
        return Verdict.VIOLATED if all(same) else Verdict.MET
    return Verdict.VIOLATED if any(not denied for _, denied in kin) else Verdict.OPEN


def _family(key: str) -> str:
    """What a norm is one of, which excludes others of its kind only: `§`, `eu`, `ecer`, or ``."""
    return next((start for start in ("§", "eu", "ecer") if key.startswith(start)), "")


def _model(asked: Condition, reading: Reading) -> Verdict:
    named = [(*pair, c.denied) for c in reading.own for pair in _named(c)]
    letters = _letters(asked.key)
    same = [
        denied
        for name, key, denied in named
        if key == asked.key and (letters or not asked.name or name == asked.name)
    ]
    if same:
        return Verdict.VIOLATED if all(same) else Verdict.MET
    stated = [(name, key) for name, key, denied in named if not denied]
    if letters:
        rivals = any(
            _letters(key) == letters and name in ("", asked.name or name) for name, key in stated
        )
        return Verdict.VIOLATED if rivals else Verdict.OPEN
    rivals = any(asked.name and name == asked.name for name, _ in stated)
    return Verdict.VIOLATED if rivals else Verdict.OPEN


def _named(clause: Clause) -> list[tuple[str, str]]:
    """The codes and numbers of a clause, each with the word before it."""
    first = clause.tokens[:1]
    alone = [("", t.key) for t in first if t.kind in ("code", "number")]
    return alone + [
        (a.key if a.kind == "word" else "", b.key)
        for a, b in pairwise(clause.tokens)
        if b.kind in ("code", "number")
    ]


def _letters(key: str) -> str:
    return "".join(filter(str.isalpha, key))


def _maker(asked: Condition, reading: Reading) -> Verdict:
    names = {next(iter(word)) for word in asked.words}
    words = [{t.key for t in clause.tokens} for clause in reading.own]
    if any(names <= each for each in words):
        return Verdict.MET
    told = any(_tells_maker(clause) for clause in reading.own)
    return Verdict.VIOLATED if told else Verdict.OPEN


def _tells_maker(clause: Clause) -> bool:
    """Whether a clause names a maker: a cue and a capitalised name after it, or `made by` one."""
    made = any(token.key in cues.MADE for token in clause.tokens)
    for at, token in enumerate(clause.tokens):
        reach = 3 if token.key in cues.MAKER else 1 if made and token.key in cues.BY else 0
        if any(map(_may_be_maker, clause.tokens[at + 1 : at + 1 + reach])):
            return True
    return False


def _may_be_maker(token: Token) -> bool:
    nobody = token.key in cues.NO_MAKER or token.key in cues.MONTHS
    return token.kind == "word" and token.text[0].isupper() and not nobody


def _feature(asked: Condition, reading: Reading) -> Verdict:
    """The clause that names most of the feature decides, the first of these.

    In key words what follows the feature is hard to tell from it, so its first word counts most;
    where no clause has that, the last one (`without added sugar`, `with cane sugar`).
    """
    best, found = (False, 0), Verdict.OPEN
    for clause in reading.own:
        has = [_has(word, clause) for word in asked.words]
        rank = (has[0], sum(has))
        if not (has[0] or has[-1]) or 2 * sum(has) < len(has) or rank <= best:
            continue
        best = rank
        free = any(word & clause.free_of for word in asked.words)
        met = (clause.denied != free) == (asked.kind == "without")
        found = Verdict.MET if met else Verdict.VIOLATED
    return found


def _has(word: frozenset[str], clause: Clause) -> bool:
    if word & clause.content or word & clause.free_of:
        return True
    for stem in word:
        for own in clause.content:
            if len(stem) >= _SUFFIX and own.endswith(stem):
                return True
            if len(own) > _SUFFIX and stem.startswith(own):
                return True
    return False


_CHECKS: Final = {
    "quantity": _quantity,
    "norm": _norm,
    "model": _model,
    "maker": _maker,
    "with": _feature,
    "without": _feature,
}
