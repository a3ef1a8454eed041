"""A text as clauses: what each states, whether it denies it, whether it is about another thing.

Rules, no parser: a clause ends at punctuation and before words that open a new feature (`mit`,
`ohne`, `with`, `without`). A clause with an odd number of negative words denies what it names, so
`does not do without` affirms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, takewhile
from typing import Final

from crossrank.rerank.conditions import cues
from crossrank.rerank.conditions.tokens import MONEY, Token, stems, tokens
from crossrank.text.language import ENGLISH_STOP, GERMAN_STOP, word_set

_STOP: Final = GERMAN_STOP | ENGLISH_STOP | cues.NEGATIVE | cues.FIT | cues.OPENERS | cues.SOFT
_HARD: Final = frozenset(".;|·•!?\n")
_DASHES: Final = frozenset("–—")
_LABEL: Final = 3
"""Words after a colon up to which they belong to the words before it (`Fase: nein`)."""

_LONGEST: Final = 120
"""Tokens after which a sentence ends: lists and tables without a full stop."""

_NOT_AT_END: Final = word_set("min mind max ca inkl incl abs z b bj std stk approx")
_BEFORE_NUMBER: Final = word_set("nr no")


@dataclass(frozen=True)
class Clause:
    """A stretch of text that states one thing. denied: it says that it is not so."""

    tokens: tuple[Token, ...]
    denied: bool
    other: bool

    @cached_property
    def words(self) -> tuple[Token, ...]:
        """Its words that have content, in order."""
        return tuple(t for t in self.tokens if t.kind == "word" and t.key not in _STOP)

    @cached_property
    def content(self) -> frozenset[str]:
        """The stems of these words."""
        return frozenset().union(*(stems(name) for t in self.words for name in _named(t.key)))

    @cached_property
    def free_of(self) -> frozenset[str]:
        """The stems of what a word says it is without: alkohol of `alkoholfrei`."""
        return frozenset().union(*(stems(part) for t in self.words for part in free_of(t.key)))


@dataclass(frozen=True)
class Reading:
    """The clauses of a text in order; `other` are those about another thing."""

    text: str
    clauses: tuple[Clause, ...] = field(default=())

    @cached_property
    def own(self) -> tuple[Clause, ...]:
        """The clauses about the thing that the text is about."""
        return tuple(clause for clause in self.clauses if not clause.other)

    @cached_property
    def facts(self) -> tuple[tuple[Token, Clause], ...]:
        """The tokens of these clauses other than words and marks, with their clause."""
        return tuple(
            (token, clause)
            for clause in self.own
            for token in clause.tokens
            if token.kind not in ("word", "mark")
        )


def read(text: str) -> Reading:
    """The clauses of a text."""
    return Reading(text, tuple(_clauses(tokens(text))))


def _clauses(found: Sequence[Token]) -> Iterator[Clause]:
    about: frozenset[str] = frozenset()
    for at, sentence in enumerate(_sentences(found)):
        names = _names(sentence)
        other = at > 0 and _about_another(sentence, names, about)
        about = about or names
        for part in _parts(sentence):
            yield Clause(tuple(part), denied(part), other)


def _sentences(found: Sequence[Token]) -> Iterator[list[Token]]:
    sentence: list[Token] = []
    for i, token in enumerate(found):
        if token.kind == "mark" and token.text in _HARD and not _inside(found, i):
            if sentence:
                yield sentence
            sentence = []
            continue
        sentence.append(token)
        if len(sentence) == _LONGEST:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _inside(found: Sequence[Token], at: int) -> bool:
    """Whether a full stop belongs to an abbreviation before it."""
    before = found[at - 1] if at else None
    if found[at].text != "." or before is None or at + 1 == len(found):
        return False
    if before.key in _BEFORE_NUMBER:
        return found[at + 1].kind in ("number", "code")
    return before.key in _NOT_AT_END


def _names(sentence: Sequence[Token]) -> frozenset[str]:
    """The names like `Volt 353N` or `LABO-288` in a sentence, in one form."""
    names = {t.key for t in sentence if t.kind == "code" and not t.key.isdigit()}
    for first, second in pairwise(sentence):
        if first.kind == "word" and second.kind in ("number", "code") and first.text[0].isupper():
            names.add(first.key + second.key)
    return frozenset(names)


def _about_another(sentence: Sequence[Token], names: frozenset[str], about: frozenset[str]) -> bool:
    words = {t.key for t in sentence if t.kind == "word"}
    if words & cues.OTHER_THING or (names - about and words & cues.ONLY):
        return True
    if names and not about and words & cues.FOR_THAT:
        return True
    return bool(about and names and names.isdisjoint(about) and words & cues.REFERS)


def _parts(sentence: Sequence[Token]) -> Iterator[list[Token]]:
    part: list[Token] = []
    for i, token in enumerate(sentence):
        if part and _opens(sentence, i, part):
            yield part
            part = []
        if token.kind != "mark" or token.text in _DASHES:
            part.append(token)
    if part:
        yield part


def _opens(sentence: Sequence[Token], at: int, part: Sequence[Token]) -> bool:
    """Whether a new clause begins at this token."""
    token = sentence[at]
    if token.kind == "mark":
        if token.text == ",":
            return True
        if token.text == ":":
            return _long(sentence[at + 1 :])
        return token.text in _DASHES and at + 1 < len(sentence) and not _after_colon(sentence, at)
    if token.key in cues.ALSO:
        return any(map(_starts, sentence[at + 1 : at + 3]))
    if token.key in cues.OPENERS:
        return _complete(part)
    if token.key in cues.PURPOSE:
        return _complete(part) and any(t.key in _LACKING for t in part)
    if token.key in cues.RELATIVE:
        return _complete(part) and _relative(sentence, at)
    return token.key in _TURNS and _complete(part) and _leads(sentence, at)


_LACKING: Final = word_set("ohne without kein keine keinen keinem keiner keines no")
_UNFIT: Final = cues.FIT | {"ungeeignet", "unsuitable"}
_NEXT: Final = cues.PURPOSE | cues.OPENERS
_STARTS: Final = _NEXT | cues.NEGATIVE | cues.FIT | cues.LEADING
_TURNS: Final = word_set("nicht not never kein keine ungeeignet unsuitable geeignet suitable")


def _leads(sentence: Sequence[Token], at: int) -> bool:
    """Whether `nicht`, `suitable` leads to what follows it instead of closing what went before."""
    following = [token.key for token in sentence[at + 1 : at + 3]]
    if not following:
        return False
    if following[0] in _NEXT:
        return True
    if sentence[at].key in _UNFIT:
        return following[0] not in _STOP
    return following[0] in cues.FIT and following[-1] in cues.PURPOSE


def _relative(sentence: Sequence[Token], at: int) -> bool:
    """Whether a relative clause begins here: the German ones end with their verb."""
    if sentence[at].key in ("that", "which"):
        return True
    before, last = sentence[at - 1], next((t for t in reversed(sentence) if t.kind == "word"), None)
    return (
        before.kind == "word"
        and before.key not in _STOP
        and last is not None
        and last.key in cues.VERB_LAST
    )


def _long(rest: Sequence[Token]) -> bool:
    """Whether what follows a colon is a statement of its own, not a word on the one before it."""
    words = list(takewhile(lambda token: token.text not in (",", ":"), rest))
    if len(words) < len(rest) and rest[len(words)].text == ":":
        return True
    said = [token for token in words if token.kind != "mark"]
    names = any(token.key not in _STOP for token in said)
    return len(said) > _LABEL or (names and any(map(negative, said)))


def _after_colon(sentence: Sequence[Token], at: int) -> bool:
    return at > 0 and sentence[at - 1].text in (":", "=")


def _starts(token: Token) -> bool:
    return token.key in _STARTS


def _complete(part: Sequence[Token]) -> bool:
    """Whether these tokens name something since the last negative word among them."""
    for token in reversed(part):
        if negative(token):
            return False
        if token.kind not in ("word", "mark") or (token.kind == "word" and token.key not in _STOP):
            return True
    return False


def negative(token: Token) -> bool:
    """Whether a word turns its clause round; `0 €` and `0 %` do so too."""
    if token.kind == "word":
        return token.key in cues.NEGATIVE or token.key.endswith("n't")
    return token.kind == "quantity" and token.low == token.high == 0 and token.base in _NOTHING


_NOTHING: Final = MONEY | {"%", "g", "ml"}


def denied(part: Sequence[Token]) -> bool:
    """Whether a clause has an odd number of negative words."""
    keys = [token.key for token in part]
    count = sum(map(negative, part))
    said = _joined(keys)
    count += sum(1 - negatives for phrase, negatives in _PHRASES if phrase in said)
    count -= sum(phrase in said for phrase in _IDIOMS)
    count -= "neither" in keys and "nor" in keys
    count += any(a in cues.FREE_FROM and b == "free" for a, b in pairwise(keys))
    count += bool(part) and part[-1].text in _DASHES
    return count % 2 == 1


def _joined(keys: Sequence[str]) -> str:
    return f" {' '.join(keys)} "


_PHRASES: Final = [
    (f" {phrase} ", sum(word in cues.NEGATIVE for word in phrase.split()))
    for phrase in cues.NEGATIVE_PHRASES
]
_IDIOMS: Final = [f" {phrase} " for phrase in cues.NO_NEGATION]


def has_any(keys: Sequence[str], phrases: Sequence[str]) -> bool:
    """Whether any of these word sequences occurs among the words."""
    said = _joined(keys)
    return any(f" {phrase} " in said for phrase in phrases)


def _named(word: str) -> tuple[str, ...]:
    """A word, and the measures that it stands for."""
    return (word, *cues.MEASURES.get(word, ()))


def free_of(word: str) -> Iterator[str]:
    """What a word says that there is none of: `alkohol` of `alkoholfrei`."""
    for end in cues.FREE_OF:
        head = word.removesuffix(end).rstrip("-")
        if head != word and len(head) >= 4:
            yield head
