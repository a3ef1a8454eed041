"""Written numbers as exact decimals: `1.500,50` and `1,500.50` are one value."""

from __future__ import annotations

import re
from decimal import Decimal

from crossrank.text.language import Language

NUMBER = r"\d+(?:[.,'\u00a0\u202f]\d+)*"
"""Pattern of a written number without its sign."""

_SPACES = re.compile(r"['\u00a0\u202f\s]")


def values(written: str, language: Language | None) -> tuple[Decimal, ...]:
    """The values a written number may have: one, or two where the language would decide.

    `1.500` is 1500 in German and 1.5 in English; with `language=None` it is both. A mark that is
    followed by other than three digits is a decimal mark in any language, a repeated mark
    separates thousands, and the last of two different marks is the decimal mark.
    """
    digits = _SPACES.sub("", written)
    dots, commas = digits.count("."), digits.count(",")
    if dots and commas:
        decimal = "." if digits.rfind(".") > digits.rfind(",") else ","
        return (_read(digits, decimal),)
    if dots + commas == 0:
        return (_read(digits, "."),)
    mark = "." if dots else ","
    if dots + commas > 1:
        return (_read(digits, "," if mark == "." else "."),)
    whole, _, rest = digits.partition(mark)
    if len(rest) != 3 or len(whole) > 3 or whole.startswith("0"):
        return (_read(digits, mark),)
    as_decimal, as_thousands = _read(digits, mark), _read(whole + rest, ".")
    if language is None:
        return (as_thousands, as_decimal)
    return (as_decimal,) if (mark == ",") == (language == "de") else (as_thousands,)


def _read(digits: str, decimal: str) -> Decimal:
    other = "," if decimal == "." else "."
    whole, _, rest = digits.replace(other, "").partition(decimal)
    return Decimal(f"{whole}.{rest.replace(decimal, '')}" if rest else whole)


def plain(value: Decimal) -> str:
    """The value in positional notation without trailing zeros: `1500`, `0.5`, `-20`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
