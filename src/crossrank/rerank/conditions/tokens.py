"""A text as tokens that carry what they state: quantities, dates, norms, codes, numbers, words."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from crossrank.rerank.conditions.cues import MONTHS
from crossrank.text.fold import fold, strip_umlauts
from crossrank.text.language import Language, detect
from crossrank.text.numbers import NUMBER, values
from crossrank.text.stem import stemmer
from crossrank.text.units import SIGNS, UNIT, Unit, find_unit

Kind = Literal["quantity", "date", "norm", "code", "number", "word", "mark"]

_BODIES: Final = "DIN|EN|ISO|IEC|VDE|VDI|ASTM|IEEE|ANSI|ÖNORM|UL|BS|CEN|TR|TS|TRBS|DGUV|UN"
_UNION: Final = "EU|EG|EC|EWG|EEC"
_ACT: Final = "VO|Verordnung|Regulation|Richtlinie|Directive|RL"
_ACT_NUMBER: Final = r"(?:N[ro]\.?\s?)?\d{1,4}/\d{1,4}"
_MONTH: Final = "|".join(sorted(MONTHS, key=len, reverse=True))
_SIGNED: Final = rf"(?:(?<![\w.,])[+\-−±]|(?<!\w)[Mm]inus\s)?{NUMBER}"
_BETWEEN: Final = r"(?:bis|to|und|and|-|–|—|\.\.\.|…)"
_LOWERED: Final = {
    **{
        sign.lower(): unit
        for sign, unit in SIGNS.items()
        if sign.lower() not in SIGNS and (len(sign) > 1 or sign in "VW") and sign.lower() != "mw"
    },
    "Min": SIGNS["min"],
    "Sek": SIGNS["sek"],
    "std": SIGNS["Std"],
    "sqm": SIGNS["qm"],
    "dBA": SIGNS["dB"],
}
_UNITS: Final = _LOWERED | {
    name: Unit(base, Decimal(factor), name)
    for names, base, factor in (
        ("lb lbs pound pounds", "g", "453.59237"),
        ("oz ounce ounces", "g", "28.349523125"),
        ("mile miles mi", "mm", "1609344"),
        ("yard yards yd", "mm", "914.4"),
        ("gallon gallons gal", "ml", "3785.411784"),
        ("mph", "km/h", "1.609344"),
        ("Nm Newtonmeter newtonmeter", "nm", "1"),
    )
    for name in names.split()
}
"""Units that the analyser has no terms for, and signs of others in another case."""

_OWN_UNIT: Final = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_ANY_UNIT: Final = rf"(?-i:{UNIT}|(?:{_OWN_UNIT})(?!\w)|″)"
_MONEY: Final = {
    **dict.fromkeys(("€", "eur"), "eur"),
    **dict.fromkeys(("$", "usd"), "usd"),
    **dict.fromkeys(("£", "gbp"), "gbp"),
    "chf": "chf",
}
MONEY: Final = frozenset(_MONEY.values())
"""The base units of money."""

_SIGN: Final = r"(?:€|\$|£|EUR|USD|GBP|CHF)"
_RATE: Final = (
    r"(?:\s?/\s?(?:\d+\s?)?[a-z]\w*|\s(?:per|pro|a|an|je|im|am)\s"
    r"(?:tag|day|stunde|hour|minute|sekunde|second|jahr|year|monat|month|woche|week)\b)"
)
_ROUND: Final = r"(?:,[-–—]{1,2})?"
_SEGMENT: Final = r"(?:[A-Z]{1,6}\d+[A-Z]{0,2}|\d+[A-Z]{1,3}|[A-Z]{1,6}|\d+)(?![^\W_])"
_TOKEN: Final = re.compile(
    rf"""
    (?P<plain>(?!(?:{_BODIES}|{_ACT}|{_UNION}|ECE)(?![^\W_]))
        (?>[^\W\d_]+(?:['’][^\W\d_]+)?(?:[-&+][^\W\d_]+)*-?)
        (?![\w]|[-.\s/–]{{0,2}}\d))  # most words: nothing that begins with a word begins here
  | (?P<date>(?<![\d.])(?:\d{{1,2}}\.\s?\d{{1,2}}\.\s?\d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}
        |\d{{1,2}}\.?\s(?:{_MONTH})\.?\s\d{{4}}
        |(?:{_MONTH})\.?\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}
        |(?<!/)(?:0?[1-9]|1[0-2])/(?:19|20)\d\d|(?<!\w)(?:{_MONTH})\.?\s(?:19|20)\d\d)(?![\w/]))
  | (?P<norm>(?:§§?\s?\d+[a-z]?(?!\w)(?:\s(?:Abs|Nr|Satz|S)\.?\s\d+)*(?:\s[A-ZÄÖÜ]\w*)?)
        |(?<![\w/-])(?:(?:{_ACT})\s)?(?:\((?:{_UNION})\)|{_UNION})\s{_ACT_NUMBER}(?![\w/])
        |(?<![\w/-])(?:{_ACT})\s{_ACT_NUMBER}(?:/(?:{_UNION}))?(?![\w/])
        |(?<![\w/-])\d{{2,4}}/\d{{1,4}}/(?:{_UNION})(?![\w/])
        |(?<![\w-])(?:UN[\s/-]?)?ECE[\s/-]?R[\s-]?\d{{1,3}}(?!\w)
        |(?<![\w-])(?:(?:{_BODIES})[\s/-]{{0,2}}){{1,5}}\d+(?:[.:-]\d+)*(?!\w))
  | (?P<money>(?<!\w){_SIGN}\s?{NUMBER}(?:\s?{_BETWEEN}\s?{_SIGN}?\s?{NUMBER})?{_ROUND}
        |(?<![\w.,]){NUMBER}\s?(?:£|GBP|CHF)(?!\w))
  | (?P<sizes>(?<![\w.,]){NUMBER}(?:\s?[x×]\s?{NUMBER}){{1,3}}\s?(?P<side>{_ANY_UNIT}))
  | (?P<quantity>(?<![\w.,])(?:{_SIGNED}(?:\s?{_ANY_UNIT})?\s?{_BETWEEN}\s?)?{_SIGNED}{_ROUND}
        [\s-]?(?P<unit>{_ANY_UNIT})(?P<rate>{_RATE})?)
  | (?P<code>(?<![\w.])(?=[A-Z\d/-]{{0,30}}\d)(?=[A-Z\d/-]{{0,30}}[A-Z]){_SEGMENT}
        (?:[-/]{_SEGMENT}){{0,6}}(?!\w|-\w))
  | (?P<number>(?<!\w){_SIGNED}(?:\s?{_BETWEEN}\s?{NUMBER}(?!\s?{_ANY_UNIT}))?(?!\w))
  | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?(?:[-&+][^\W\d_]+)*-?)
  | (?P<mark>[.;|·•,:!?()\n=–—])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER: Final = re.compile(
    rf"(?P<minus>(?<![\w.,])[-−]|minus\s)?(?P<digits>{NUMBER})", re.IGNORECASE
)
_INNER_RANGE: Final = re.compile(rf"(?<=[\w°%\"])\s?{_BETWEEN}\s?", re.IGNORECASE)
_ORDINAL: Final = re.compile(r"(\d{1,4})(?:st|nd|rd|th)", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\d+")
_YEARS: Final = frozenset(map(str, range(1800, 2100)))


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text, `text[start:end]`.

    key: what it says in one form: a folded word, a code without marks, the number of a norm.
    base: the base unit of a quantity, `day` of a date, empty for a plain number. low, high: its
    value in that unit (two where a range is written).
    """

    kind: Kind
    text: str
    start: int
    end: int
    key: str
    base: str = ""
    low: float = 0.0
    high: float = 0.0

    @property
    def year(self) -> bool:
        """Whether a plain number may be a year."""
        return self.kind == "number" and self.low == self.high and self.key in _YEARS

    @property
    def valued(self) -> bool:
        """Whether it states a value that can be compared."""
        return self.kind in ("quantity", "date", "number")


def tokens(text: str) -> list[Token]:
    """The tokens of a text from left to right, marks between them included."""
    language = detect(text.split())
    return [
        made
        for match in _TOKEN.finditer(text)
        for made in _made(match, language)
        if not (made.kind == "number" and text[made.start - 1 : made.start] in _ATTACHED)
    ]


_ATTACHED: Final = frozenset("-/,'’–")
"""Marks after which a number belongs to what is before it (`COVID-19-Patienten`)."""


def _made(match: re.Match[str], language: Language | None) -> Iterator[Token]:
    kind, text, start, end = _kind(match), match.group(), match.start(), match.end()
    if kind == "date":
        found = _day(text)
        if found is not None:
            yield Token("date", text, start, end, text, "day", found, found)
        return
    if kind == "norm":
        yield Token("norm", text, start, end, _norm(text))
    elif kind == "sizes":
        unit = _unit(match["side"])
        for number in _NUMBER.finditer(text.removesuffix(match["side"])):
            value = float(values(number["digits"], language)[0] * unit.factor)
            yield Token("quantity", text, start, end, text, unit.base, value, value)
    elif kind in ("quantity", "money", "number"):
        base, low, high = _value(match, kind, language)
        plain: Kind = "number" if kind == "number" else "quantity"
        yield Token(plain, text, start, end, _written(text), base, low, high)
    elif kind == "code":
        yield from _codes(text, start, end)
    elif kind in ("plain", "word"):
        yield Token("word", text, start, end, fold(text.replace("’", "'").rstrip("-")))
    else:
        yield Token("mark", text, start, end, text)


def _kind(match: re.Match[str]) -> str:
    if match["side"]:
        return "sizes"
    return "quantity" if match["unit"] else match.lastgroup or ""


def _value(match: re.Match[str], kind: str, language: Language | None) -> tuple[str, float, float]:
    """Base unit, lowest and highest value of a written quantity, amount of money or number."""
    text, base, factor = match.group(), "", 1.0
    if kind == "money":
        sign = re.search(_SIGN, text, re.IGNORECASE)
        base = _MONEY[sign.group().lower()] if sign else ""
    elif kind == "quantity":
        unit = _unit(match["unit"])
        base, factor = unit.base, float(unit.factor)
        text = text[: match.start("unit") - match.start()]
        if match["rate"] and base not in MONEY | {"s", "monat"}:
            base += "/"
    found: list[float] = []
    for number in _NUMBER.finditer(_INNER_RANGE.sub(" … ", text)):
        turn = -1 if number["minus"] else 1
        found.append(turn * factor * float(values(number["digits"], language)[0]))
    return base, min(found), max(found)


def _unit(written: str) -> Unit:
    written = '"' if written == "″" else written
    return _UNITS.get(written) or find_unit(written)


def _day(text: str) -> float | None:
    """The days since year 1 of a written date; None where there is no such day.

    A month without a day (`03/2019`, `Mai 2023`) is its first day.
    """
    words = [fold(word.strip(".,")) for word in re.split(r"[\s.]+", text) if word]
    numbers = [int(n) for n in _DIGITS.findall(text)]
    month = next((MONTHS[word] for word in words if word in MONTHS), 0)
    if month:
        day, year = (numbers[0] if len(numbers) > 1 else 1), numbers[-1]
    elif "/" in text:
        day, month, year = 1, *numbers
    elif "-" in text:
        year, month, day = numbers
    else:
        day, month, year = numbers
    try:
        return float(date(year, month, day).toordinal())
    except ValueError:
        return None


def year_days(first: float, last: float) -> tuple[float, float]:
    """The first day of one year and the last day of another, as `Token` counts days."""
    return float(date(int(first), 1, 1).toordinal()), float(date(int(last), 12, 31).toordinal())


def _written(text: str) -> str:
    """A number as it stands, one form for all dashes: `6-67`, `1.3`."""
    return re.sub(r"[−–—]", "-", re.sub(r"\s+", "", text))


def _norm(text: str) -> str:
    """`DIN EN ISO 13277:2022` as `13277`, `§ 14 Abs. 2 BGB` as `§14bgb`.

    `VO (EG) Nr. 852/2004` as `eu852/2004`, `UN ECE R 100` as `ecer100`.
    """
    if text.startswith("§"):
        paragraph = re.match(r"§§?\s?(\d+[a-z]?)", text)
        law = re.search(r"[^\W\d_]+$", text)
        name = fold(law.group()) if law and law.start() > 1 and len(law.group()) > 1 else ""
        return f"§{paragraph.group(1).lower() if paragraph else ''}{name}"
    act = re.search(r"\d+/\d+", text)
    if act:
        return f"eu{act.group()}"
    found = re.search(r"\d[\d.-]*", text)
    number = found.group().rstrip(".-") if found else fold(text)
    return f"ecer{number}" if "ece" in fold(text) else number


def _codes(text: str, start: int, end: int) -> Iterator[Token]:
    """A code, each of several with a slash between them (`C2/C3`), or an ordinal as its number."""
    ordinal = _ORDINAL.fullmatch(text)
    if ordinal:
        value = float(ordinal[1])
        yield Token("number", text, start, end, ordinal[1], "", value, value)
        return
    parts = text.split("/")
    if not all(re.search(r"\d", part) and re.search(r"[^\W\d_]", part) for part in parts):
        parts = [text.split("/")[0]] if parts[-1].isdigit() and len(parts[-1]) == 2 else [text]
    for part in parts:
        yield Token("code", text, start, end, _code(part))


def _code(text: str) -> str:
    return strip_umlauts(fold("".join(re.findall(r"[^\W_]+", text))))


_LOCK: Final = threading.Lock()
_STEMMERS: Final = (stemmer("german"), stemmer("english"))


@lru_cache(maxsize=200_000)
def stems(folded: str) -> frozenset[str]:
    """The German and the English stem of a folded word, without umlauts."""
    with _LOCK:
        german, english = _STEMMERS[0](folded), _STEMMERS[1](strip_umlauts(folded))
    return frozenset((strip_umlauts(german), english))
