"""Where the sentences of a German or English text begin and end.

Rules, no model: a full stop ends a sentence unless it belongs to an abbreviation, an ordinal, an
initial or an enumerator; a line end does where the text is not merely wrapped. Nothing but white
space lies between sentences, so their positions can be kept and joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crossrank.errors import BadInput
from crossrank.text.language import ENGLISH_STOP, GERMAN_STOP, word_set

LONGEST: Final = 800
"""Characters after which a sentence is split: tables and lists without a full stop."""

_NEVER_LAST: Final = word_set(
    """
    dr prof hr hrn fr st nr nrn abs art rn rdnr bzw ca vgl inkl exkl zzgl ggf gegebenenf evtl ing
    dipl med phil jur rer nat hon habil mag abb abschn bd hrsg kap ziff buchst lit anm sog gem lt
    bspw insb entspr max min mind bzgl geb gest verh zit jan feb apr aug sep sept okt nov dez mo
    mi do sa str.nr tel mr mrs ms messrs mme fig figs tab no nos vol vols pp eq eqs ref refs sec
    ch dept approx oct dec gen col capt lt sgt rev hon pres gov sen rep vs cf resp viz incl excl ed
    eds z.b d.h i.d.r u.u o.g s.o s.u m.e e.g i.e z.t v.a i.s.d
    """
)
"""What stands before its full stop and needs something after it."""

_MAYBE_LAST: Final = word_set(
    """
    usw etc u.a u.ä u.dgl o.ä uam ff f str mio mrd tsd std sek jh jhd chr al inc ltd co corp bros
    jr sr a.m p.m u.s u.k u.s.a d.c ph.d m.d b.sc m.sc ing. gmbh e.v n.chr v.chr a.d b.c
    """
)
"""Abbreviations that may end a sentence: they do before a word that likes to begin one."""

_MONTHS: Final = word_set(
    """
    januar jänner februar märz april mai juni juli august september oktober november dezember
    jan feb mrz apr jun jul aug sep sept okt nov dez
    """
)
_BEFORE_ORDINAL: Final = word_set(
    """
    am der die das den dem des vom zum zur im ab bis beim seit ein eine einen einem einer eines
    jeder jede jedes jeden und oder dieser diese dieses diesem diesen ihr ihre sein seine sein auf
    """
)
_LETTER_NAMES: Final = word_set(
    "vitamin plan typ type hepatitis gruppe group klasse class teil part phase sektor punkt "
    "anhang anlage appendix tabelle table"
)
_STARTERS: Final = GERMAN_STOP | ENGLISH_STOP

_BREAK = re.compile(
    r"(?P<stop>[.!?…]+[\"'”“»«’)\]]*)(?=\s)|(?P<blank>\s*\n\s*\n)|(?P<line>[ \t\r]*\n)"
)
_WORD_BEFORE = re.compile(r"(\w(?:[\w.]*\w)?)$")
_NEXT = re.compile(r"\s*[^\w\s]*\s*(\w+)?")
_BULLET = re.compile(r"\s*(?:[-*•–·#>]+\s|\(?\w{1,3}[.)]\s|\|)")
_LETTERED = re.compile(r"\s+\(?[a-z0-9]{1,2}\)\s")
_MARK_ONLY = re.compile(r"[\W_]*\w{1,3}[.)]")
_WRAP_FROM, _WRAP_TO = 50, 100
_LOOK_BACK: Final = 60
_SPLITS: Final = (re.compile(r"[;:–]\s"), re.compile(r",\s"), re.compile(r"\s"))


def sentences(text: str, longest: int = LONGEST) -> list[tuple[int, int]]:
    """The (start, end) of each sentence, in order, without the white space around it.

    Every other character is in exactly one of them. Sentences of more than `longest` characters
    are split, at a semicolon, comma or blank where there is one.

    >>> [text[s:e] for s, e in sentences(text := "Am 3. Mai kam z. B. Dr. Alt. Er ging.")]
    ['Am 3. Mai kam z. B. Dr. Alt.', 'Er ging.']
    """
    if longest < 1:
        raise BadInput(f"a longest sentence of 1 or more characters wanted, got {longest}")
    found: list[tuple[int, int]] = []
    for start, end in _spans(text):
        found.extend(_short(text, start, end, longest))
    return found


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _BREAK.finditer(text):
        if match.start() >= start and _ends(text, start, match):
            yield start, match.end()
            start = match.end()
    yield start, len(text)


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the sentence that began at `start` ends with this mark."""
    if match["blank"] is not None:
        return True
    if match["line"] is not None:
        return _line_ends(text, match.start(), match.end())
    if _LETTERED.match(text, match.end()):
        return True
    following = _NEXT.match(text, match.end())
    after = (following[1] if following else None) or ""
    if after[:1].islower():
        return False
    if not match["stop"].startswith(".") or match["stop"].startswith(".."):
        return True
    return _stop_ends(text, start, match.start(), after)


def _line_ends(text: str, at: int, following: int) -> bool:
    """Whether a line end is more than a place where the text was wrapped."""
    if _BULLET.match(text, following):
        return True
    after = text[following : following + 1]
    line = at - (text.rfind("\n", 0, at) + 1)
    if after.islower() or text[at - 1 : at] in (",", "-"):
        return line > _WRAP_TO and not after.islower()
    next_end = text.find("\n", following)
    next_line = (len(text) if next_end < 0 else next_end) - following
    return not (_WRAP_FROM <= line <= _WRAP_TO and next_line <= _WRAP_TO)


def _stop_ends(text: str, start: int, at: int, after: str) -> bool:
    """Whether the full stop at `at`, before the word `after`, ends a sentence."""
    before = text[max(start, at - _LOOK_BACK) : at]
    found = _WORD_BEFORE.search(before)
    if found is None:
        return True
    word, low = found[1], found[1].lower()
    earlier = _WORD_BEFORE.search(before[: found.start()].rstrip())
    previous = earlier[1] if earlier else ""
    if _MARK_ONLY.fullmatch(text[start : at + 1].strip()) and after:
        return False  # an enumerator: "1. Öffnen Sie die Tür."
    if word.isdigit():
        return not _is_ordinal(word, previous, after)
    if low in _NEVER_LAST:
        return not after
    if len(word) == 1 and word.isalpha():
        return not after or _ends_with_letter(word, previous)
    if low in _MAYBE_LAST or "." in word:
        return not after or after.lower() in _STARTERS
    return True


def _is_ordinal(number: str, previous: str, after: str) -> bool:
    if len(number) > 2:
        return False
    return after.lower() in _MONTHS or (bool(after) and previous.lower() in _BEFORE_ORDINAL)


def _ends_with_letter(letter: str, previous: str) -> bool:
    """Whether a lone letter is a word, as in `Vitamin C.`, and no initial or abbreviation."""
    return previous.lower() in _LETTER_NAMES or (letter == "I" and previous.islower())


def _short(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """The span without white space around it, in pieces of at most `longest` characters."""
    while True:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start == end:
            return
        if end - start <= longest:
            yield start, end
            return
        cut = _cut(text, start, start + longest)
        yield from _short(text, start, cut, longest)
        start = cut


def _cut(text: str, start: int, limit: int) -> int:
    """Where to split before `limit`: after the last mark in the second half, or right there."""
    middle = start + (limit - start) // 2
    for split in _SPLITS:
        places = [match.end() for match in split.finditer(text, middle, limit)]
        if places:
            return places[-1]
    return limit
