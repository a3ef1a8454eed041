"""Learning the parts of German compounds from the words of a collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from crossrank.text.compounds import MIN_PART, MIN_WORD, NOT_FIRST, CompoundSplitter
from crossrank.text.fold import strip_umlauts
from crossrank.text.language import ENGLISH_STOP, GERMAN_STOP, NEGATIONS, word_set
from crossrank.text.stem import stemmer

_MIN_COUNT: Final = 2
_MIN_PRODUCTIVE: Final = 3
"""Words that must precede an end which never stands alone."""
_MIN_PRODUCTIVE_LENGTH: Final = 5
_MAX_PART: Final = 40
_LINKS: Final = ("s", "n", "en", "es")
_MIN_LAST_SHARE: Final = 0.25
_MIN_PRODUCTIVE_SHARE: Final = 0.6
_MIN_EVIDENCE: Final = 3
_NOUN_SHARE: Final = 0.8
_SHORT_ADJECTIVES: Final = word_set("alt neu rot roh alte neue rote")


def learn_parts(words: Mapping[str, int]) -> tuple[dict[str, int], set[str]]:
    """Stem -> count of the possible parts, and the stems among them that do not end a compound.

    `words`: word -> count, with a capital first letter where it was written so. Parts are words
    that stand alone, of three letters only nouns, and ends that follow several words but never
    stand alone. What ends words mostly after something that is no word is a suffix, not a last
    part: *enten* in *Patienten*.
    """
    stem = stemmer("german")
    lows = _lower(words)
    parts: Counter[str] = Counter()
    barred = GERMAN_STOP | ENGLISH_STOP | NEGATIONS
    for low, count in lows.items():
        if 3 <= len(low) < _MAX_PART and low not in barred and _may_be_part(low, count, words):
            parts[stem(low)] += count
    known = {part: n for part, n in parts.items() if n >= _MIN_COUNT and len(part) >= 3}
    splitter = CompoundSplitter(known, stem)
    firsts = {low for low in lows if len(low) >= 3 and splitter.first_known(low)}
    firsts |= {first + link for first in firsts for link in _LINKS}
    alone = frozenset(known)
    known |= _productive(lows, firsts, splitter)
    return known, _never_last(lows, firsts, CompoundSplitter(known, stem), alone)


def _lower(words: Mapping[str, int]) -> Counter[str]:
    lows: Counter[str] = Counter()
    for word, count in words.items():
        lows[word.lower()] += count
    return lows


def _may_be_part(low: str, count: int, words: Mapping[str, int]) -> bool:
    if len(low) > 3 or low in _SHORT_ADJECTIVES:
        return True
    return words.get(low.capitalize(), 0) >= _NOUN_SHARE * count


def _productive(
    lows: Mapping[str, int], firsts: Collection[str], splitter: CompoundSplitter
) -> dict[str, int]:
    """Ends that follow several words but never stand alone: `kühlschrank`."""
    ends: Counter[str] = Counter()
    for low in lows:
        if len(low) >= MIN_WORD:
            last = len(low) - _MIN_PRODUCTIVE_LENGTH + 1
            ends.update(low[at:] for at in range(MIN_PART, last) if low[:at] in firsts)
    stems: Counter[str] = Counter()
    for end, count in ends.items():
        stems[splitter.stem(end)] += count
    return {
        end: n
        for end, n in stems.items()
        if n >= _MIN_PRODUCTIVE and end not in splitter.parts and _cut_right(end, stems, splitter)
    }


def _cut_right(end: str, stems: Mapping[str, int], splitter: CompoundSplitter) -> bool:
    """Whether an s at the cut is on its right side: `kühl|schrank`, but `verfassungs|gericht`."""
    if end.startswith("s"):
        return end[1:] not in splitter.parts and stems.get(end[1:], 0) <= stems[end]
    return stems[end] > stems.get("s" + end, 0)


def _never_last(
    lows: Mapping[str, int],
    firsts: Collection[str],
    splitter: CompoundSplitter,
    alone: Collection[str],
) -> set[str]:
    """The parts that end words mostly after something that is no word.

    Words with a prefix such as *an* or *ver* tell nothing. A part that is no word in its own
    right (not in `alone`) needs a larger share.
    """
    after_word, after_any = Counter[str](), Counter[str]()
    for low in lows:
        flat = strip_umlauts(low)
        for at in range(2, len(low) - 2):
            if not splitter.may_begin_a_part(flat[at : at + 4]):
                continue
            stem = splitter.stem(low[at:])
            if stem in splitter.parts and low[:at] not in NOT_FIRST:
                after_any[stem] += 1
                if low[:at] in firsts:
                    after_word[stem] += 1
                    break  # the word is explained: its shorter ends tell nothing
    shares = {stem: after_word[stem] / n for stem, n in after_any.items() if n >= _MIN_EVIDENCE}
    return {
        stem
        for stem, share in shares.items()
        if share < (_MIN_LAST_SHARE if stem in alone else _MIN_PRODUCTIVE_SHARE)
    }
