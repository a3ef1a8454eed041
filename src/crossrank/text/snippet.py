"""The part of a document that shows why it was found, with the words that match."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crossrank.errors import BadInput
from crossrank.text.analyzer import Analyzer, Token
from crossrank.text.sentences import sentences

ELLIPSIS: Final = "…"
_WORD = re.compile(r"\S+")
_REPEATED: Final = 0.1
"""What a match counts whose term is in the window already."""
_PART: Final = 0.5
"""What each further term of a query word counts: the parts of a compound."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a document on one line; `highlights` are the (start, end) of matches in it."""

    text: str
    highlights: tuple[tuple[int, int], ...] = ()

    def marked(self, before: str = "[", after: str = "]") -> str:
        """The text with every highlight between two marks."""
        parts, done = [], 0
        for start, end in self.highlights:
            parts += [self.text[done:start], before, self.text[start:end], after]
            done = end
        return "".join([*parts, self.text[done:]])


def snippet(query: str, text: str, analyzer: Analyzer, width: int = 240) -> Snippet:
    """The stretch of `text`, at most `width` characters, that holds most of the query's terms.

    Words are matched by their terms, so that *Laborkühlschrank* is highlighted for *Kühlschrank*.
    It begins with a sentence where that costs no match, else with a word; an ellipsis stands for
    what was left out on either side. Without a match it is the beginning of the text.
    """
    if width < 20:
        raise BadInput(f"a width of 20 or more characters wanted, got {width}")
    weights = _weights(query, analyzer)
    matches = analyzer.matches(text, weights.keys())
    room = width - 4  # an ellipsis and a blank on either side
    first, last = _best(matches, weights, room)
    start, end = _window(text, matches[first : last + 1], room)
    return _flat(text, start, end, [(m.start, m.end) for m in matches if m.end > start])


def _weights(query: str, analyzer: Analyzer) -> dict[str, float]:
    """How much each term of the query counts: the first of a word 1, the others less."""
    weights = dict.fromkeys(analyzer.query(query), _PART)
    for token in analyzer.tokens(query):
        weights[token.terms[0]] = 1.0
    return weights


def _best(matches: Sequence[Token], weights: Mapping[str, float], room: int) -> tuple[int, int]:
    """The first and last match of the window with the largest weight; the earliest of equals."""
    counts = Counter(term for match in matches for term in match.terms if term in weights)
    value = {term: weights[term] / (1 + math.log(n)) for term, n in counts.items()}
    inside: Counter[str] = Counter()
    best, chosen, first = 0.0, (0, -1), 0
    for last, match in enumerate(matches):
        inside.update(term for term in match.terms if term in value)
        while match.end - matches[first].start > room and first < last:
            inside.subtract(term for term in matches[first].terms if term in value)
            first += 1
        score = sum(
            value[term] * (1 + _REPEATED * math.log(n)) for term, n in inside.items() if n > 0
        )
        if score > best + 1e-9:
            best, chosen = score, (first, last)
    return chosen


def _window(text: str, matches: Sequence[Token], room: int) -> tuple[int, int]:
    """The stretch around the matches: from the beginning of a sentence, or with words before."""
    if not matches:
        start = len(text) - len(text.lstrip())
        return _cut(text, start, start + room)
    first, last = matches[0].start, matches[-1].end
    spare = room - (last - first)
    if spare <= 0:
        return first, first + room
    begin = max(0, first - spare)
    near = [begin + s for s, _ in sentences(text[begin : first + 1]) if begin + s <= first]
    whole = [s for s in near if s == 0 or text[s - 1].isspace()]
    start = whole[0] if begin == 0 and whole else (whole[-1] if whole else -1)
    if start < 0 or (start < begin + spare // 2 and begin > 0):
        start = max(first - spare // 3, 0)
    return _cut(text, start, max(start + room, last))


def _cut(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch moved inwards to the bounds of words, where there are any."""
    if 0 < start < len(text) and not text[start - 1].isspace():
        found = re.compile(r"\s").search(text, start, end)
        start = found.end() if found else start
    if end < len(text) and not text[end].isspace():
        blank = max(text.rfind(mark, start, end) for mark in " \n\t")
        end = blank if blank > start else end
    return start, min(end, len(text))


def _flat(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> Snippet:
    """The stretch on one line with ellipses, and where the spans are in it."""
    written = f"{ELLIPSIS} " if text[:start].strip() else ""
    places: dict[int, int] = {}
    for match in _WORD.finditer(text, start, end):
        written += "" if written == "" or written.endswith(" ") else " "
        places |= {
            at: len(written) + at - match.start() for at in range(match.start(), match.end() + 1)
        }
        written += match.group()
    shown = ((places.get(max(s, start)), places.get(min(e, end))) for s, e in spans if s < end)
    highlights = tuple((s, e) for s, e in shown if s is not None and e is not None and s < e)
    return Snippet(written + (f" {ELLIPSIS}" if text[end:].strip() else ""), highlights)
