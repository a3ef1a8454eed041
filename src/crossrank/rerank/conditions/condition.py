"""What a query asks for: conditions, and the thing they are set on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from crossrank.rerank.conditions import cues
from crossrank.rerank.conditions.reading import Clause
from crossrank.rerank.conditions.tokens import Token
from crossrank.text.language import ENGLISH_STOP, GERMAN_STOP, word_set

Kind = Literal["quantity", "norm", "model", "maker", "with", "without"]
Bound = Literal["is", "min", "max", "between"]
Taken = Sequence[Token]

STOP: Final = GERMAN_STOP | ENGLISH_STOP
NO_TERM: Final = (
    cues.FIT | cues.SOFT | cues.MAKER | cues.MODEL | cues.PRICE | cues.AT_LEAST | cues.AT_MOST
)
"""Words that lead to a condition and name nothing themselves."""

_NAMELESS: Final = STOP | cues.NEGATIVE | cues.OPENERS | NO_TERM | cues.ALSO
_WHO_HAS: Final = word_set("that which der die das den dem")
_OPENING: Final = cues.OPENERS | cues.PURPOSE | cues.SOFT | cues.NEGATIVE | cues.SUITED | _WHO_HAS


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
        """Whether a model is better off without its words: a value, a norm, an exclusion, a name.

        Rules alone see to such a condition, so a text that leaves it open is a worse match.
        """
        return self.kind != "with"


@dataclass(frozen=True)
class Wanted:
    """A query: its conditions, and the thing they are set on (its words without them)."""

    query: str
    thing: str
    conditions: tuple[Condition, ...] = ()


def opened(clause: Clause) -> bool:
    """Whether the clause is nothing but a condition: `mit …`, `for …`, `that has …`."""
    head = [t.key for t in clause.tokens if t.key not in cues.ALSO]
    return bool(head) and head[0] in _OPENING


def names_something(token: Token) -> bool:
    """Whether a word has content of its own."""
    return token.key not in _NAMELESS
