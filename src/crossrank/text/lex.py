"""Cutting text into the pieces that become terms: words, numbers, quantities, norms, names.

The work is split in two for speed. `glue` walks a text once and marks the white space inside
expressions that belong together (`280 Liter`, `DIN 13277`, `§ 14`, a word broken at a line end);
it keeps the length, so offsets stay true. The glued text is then split at white space, and
`pieces` takes one such chunk apart. Chunks repeat, so a caller keeps the answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, cast

from crossrank.text.fold import GLUE, JOINER
from crossrank.text.numbers import NUMBER
from crossrank.text.units import UNIT

Kind = Literal["word", "number", "quantity", "date", "norm", "law", "initials", "code"]
"""What a piece is, and so which rule makes its terms."""


class Piece(NamedTuple):
    """One piece of a chunk: `text` as written, at the characters `start` to `end` of the chunk."""

    kind: Kind
    text: str
    start: int
    end: int


_BETWEEN: Final = r"(?:bis|to|und|and|[-–—x×])"
_QUANTITY_GAP = re.compile(
    rf"\d\s(?:{_BETWEEN}\s(?=(?:{NUMBER}\s{_BETWEEN}\s)*[+\-−±]?\s?{NUMBER}\s?{UNIT})|{UNIT})"
    rf"|\d\s(?=[+\-−]\d[\d.,]*\s?{UNIT})"
)
_BEFORE_DIGIT = re.compile(r"\s(?=\d)(?:(?<=[A-ZÄÖÜ][A-ZÄÖÜ0-9]\s)|(?<=§\s))")
_NORM_BODIES: Final = "DIN|EN|ISO|IEC|VDE|VDI|ASTM|IEEE|ANSI|ÖNORM|UL|BS|CEN|TR|TS"
# a look back comes after what it looks back from: patterns that start with letters are fast
_LONE_BODY: Final = "|".join(rf"{body}(?<!\w{body})" for body in _NORM_BODIES.split("|"))
_NORM_GAP = re.compile(rf"(?:{_LONE_BODY})\s(?=(?:(?:{_NORM_BODIES})\s)*\d)")
_LINE_END = re.compile(r"-\n(?<=[^\W\d_]-\n)[ \t]*(?=[a-zäöüß]{2})(?!(?:und|oder|bzw|and|or)\b)")
_MINUS = re.compile(rf"(?<!\w)[Mm]inus\s(?={NUMBER}\s?{UNIT})")
_SPACE = re.compile(r"\s")


def _glued(match: re.Match[str]) -> str:
    return _SPACE.sub(GLUE, match.group())


def _joined(match: re.Match[str]) -> str:
    return JOINER * len(match.group())


def glue(text: str) -> str:
    """The text at the same length, white space inside an expression replaced by `GLUE`."""
    if "-\n" in text:
        text = _LINE_END.sub(_joined, text)
    if "inus " in text:
        text = _MINUS.sub(_glued, text)
    if "DIN" in text or "ISO" in text or "EN" in text or "IEC" in text:
        text = _NORM_GAP.sub(_glued, text)
    return _BEFORE_DIGIT.sub(GLUE, _QUANTITY_GAP.sub(_glued, text))


WHITE_SPACE: Final = (
    r"[\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
)
"""RE2: white space (of `str.split`) beside the ASCII one that C knows."""

_ANY_SPACE: Final = rf"(?:[ \t-\r]|{WHITE_SPACE})"
_ANY_NUMBER: Final = r"[0-9]+(?:[.,'\x{a0}\x{202f}][0-9]+)*"
_ANY_UNIT: Final = UNIT.removesuffix(r"(?!\w)") + "(?:[^A-Za-z0-9_äöüß]|$)"
MAY_GLUE: Final = (
    rf"[^ \t-\r]-\n[ \t]*[a-zäöüß]{{2}}|inus{_ANY_SPACE}[0-9]"
    rf"|(?:{_NORM_BODIES}){_ANY_SPACE}(?:(?:{_NORM_BODIES}){_ANY_SPACE})*[0-9]"
    rf"|[0-9]{_ANY_SPACE}(?:{_ANY_UNIT}|[+\-−][0-9][0-9.,]*{_ANY_SPACE}?{_ANY_UNIT}"
    rf"|{_BETWEEN}{_ANY_SPACE}(?:{_ANY_NUMBER}{_ANY_SPACE}{_BETWEEN}{_ANY_SPACE})*"
    rf"[+\-−±]?{_ANY_SPACE}?{_ANY_NUMBER}{_ANY_SPACE}?{_ANY_UNIT})"
    r"|[\x{660}-\x{1FFF}\x{3001}-\x{DFFF}\x{E002}-\x{10FFFF}]"
)
"""RE2: what a text has in which `glue` does more than its last rule; the last range has digits."""

GLUE_LATE: Final = rf"([A-ZÄÖÜ][A-ZÄÖÜ0-9]|§){_ANY_SPACE}([0-9])"
GLUE_LATE_BY: Final = rf"\1{GLUE}\2"
"""RE2: the last rule of `glue`, for texts without other digits than those of ASCII."""


_SIGNED: Final = rf"(?:[+\-±]\s?|(?<!\w)[Mm]inus\s)?{NUMBER}"
_LETTER: Final = r"[^\W\d_]"
_PIECE = re.compile(
    rf"""
    (?P<date>(?<!\d)(?:\d{{1,2}}\.\d{{1,2}}\.\d{{4}}|\d{{4}}-\d{{2}}-\d{{2}})(?![\d\w]))
  | (?P<law>§§?\s?\d+[a-z]?(?!\w))
  | (?P<norm>(?:(?:{_NORM_BODIES})[\s/-]?)+\d+(?:[.:-]\d+)*(?!\w))
  | (?P<quantity>(?<![\w.,])(?:{_SIGNED}(?:\s?(?:°C)?\s?{_BETWEEN}\s?|\s))*{_SIGNED}[\s-]?{UNIT})
  | (?P<number>(?<!\w){NUMBER}(?![\w]|[-/]{_LETTER}))
  | (?P<initials>(?<!\w)(?:{_LETTER}\.){{2,}}(?:{_LETTER}(?!\w))?)
  | (?P<code>(?<![\w+#])[A-Za-z]{{1,2}}(?:\+\+|\#)(?![\w+#]))
  | (?P<word>[^\W_]+(?:[-'&+][^\W_]+|(?<=[A-ZÄÖÜ0-9])\s\d[^\W_]*)*)
    """,
    re.VERBOSE,
)


_WORD = re.compile(r"[^\W_]+(?:[-'&+][^\W_]+)*")
_NOT_ONLY_WORDS = re.compile(rf"\d|{_LETTER}\.{_LETTER}\.|[A-Za-z](?:\+\+|\#)")
"""Without any of these no rule of `_PIECE` but the last one can match."""


_ONE_NUMBER = re.compile(
    r"[(\[]?(?:(?P<law>§§?\s?\d+[a-z]?)|(?P<number>\d+(?:[.,]\d+)?))[)\].,;:]*"
)
"""A chunk with a number in which nothing else can be."""


def written(chunk: str) -> list[tuple[Kind, str]]:
    """Kind and text of the `pieces` of a chunk, faster."""
    if not _NOT_ONLY_WORDS.search(chunk):
        return [("word", word) for word in _WORD.findall(chunk)]
    one = _ONE_NUMBER.fullmatch(chunk)
    matches = (one,) if one else _PIECE.finditer(chunk)
    found = ((cast(Kind, match.lastgroup), match) for match in matches)
    return [(kind, match[kind]) for kind, match in found]


def pieces(chunk: str) -> Iterator[Piece]:
    """The pieces of a normalised chunk from left to right; what is between them is no text."""
    for match in _PIECE.finditer(chunk):
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        yield Piece(kind, match.group(), match.start(), match.end())
