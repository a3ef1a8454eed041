"""The facts that make two near duplicates different: quantities, numbers, codes, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from crossrank.text.fold import GLUE, fold, normalise, strip_umlauts
from crossrank.text.language import NEGATIONS, Language, detect
from crossrank.text.lex import Piece, glue, pieces
from crossrank.text.numbers import NUMBER, plain, values
from crossrank.text.units import UNIT, find_unit

_SIGNED: Final = re.compile(rf"(?:(?:^|(?<=\s))(?P<minus>-))?(?P<number>{NUMBER})")
_UNIT_END: Final = re.compile(rf"\s?(?P<unit>{UNIT})$")
_PREFIXED: Final = re.compile(
    rf"(?<![\w.,])(?<!\d\s)(?P<sign>€|\$|EUR|USD)\s?(?P<number>{NUMBER})(?!\w)"
)
"""Money with its sign before it, as English writes it."""

_NORM_NUMBER: Final = re.compile(r"\d[\d.-]*")
_DIGITS: Final = 24
_SEGMENT: Final = re.compile(r"[^\W_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_CUE: Final = re.compile(
    r"(?:\b(?:von|by|from|marke|brand|firma|hersteller|maker|manufacturer|made by)[:\s]+)"
    r"(?P<after>[A-ZÄÖÜ][\w&.-]*)"
    r"|(?P<before>[A-ZÄÖÜ][\w&.-]*)\s+(?:GmbH|AG|KG|SE|Inc|Ltd|LLC|Corp|Co\.)(?!\w)",
    re.IGNORECASE,
)
_SHAPED: Final = re.compile(r"[A-ZÄÖÜ]{2,}|[A-ZÄÖÜ][a-zäöüß]+[A-ZÄÖÜ]\w*")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text states exactly.

    quantities: base unit -> values in it (`280 l` and `0.28 m³` are both ml: 280000); numbers: as
    plain decimals; codes: letters -> whole codes (norms, model names: labo -> labo288); names:
    makers and other proper names, folded; negations: how many; tokens: all of the text in order,
    words as written, facts in their exact form.
    """

    quantities: dict[str, frozenset[str]] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    codes: dict[str, frozenset[str]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    negations: int = 0
    tokens: tuple[str, ...] = ()


def facts(
    text: str, names: frozenset[str] = frozenset(), ignored: frozenset[str] = frozenset()
) -> Facts:
    """The facts of a text; `names` are folded proper names known beforehand, makers say.

    ignored: base units whose quantities are none of them: `eur` where prices may differ.
    """
    glued = glue(_PREFIXED.sub(r"\g<number> \g<sign>", text))
    language = detect(glued.split())
    quantities: dict[str, set[str]] = {}
    codes: dict[str, set[str]] = {}
    numbers: set[str] = set()
    words: list[str] = []
    tokens: list[str] = []
    for piece in _pieces(glued):
        if piece.kind == "quantity":
            tokens += _add_quantities(piece.text, language, quantities)
        elif piece.kind in ("number", "date", "law"):
            tokens.append(_number(piece, language))
            numbers.add(tokens[-1])
        elif piece.kind == "norm":
            tokens.append(_add_code("norm", _norm(piece.text), codes))
        elif any(letter.isdigit() for letter in piece.text):
            code = strip_umlauts(fold("".join(_SEGMENT.findall(piece.text))))
            tokens.append(_add_code("".join(_LETTERS.findall(code)), code, codes))
        else:
            tokens.append(piece.text)
            words.append(piece.text)
    return Facts(
        {base: frozenset(given) for base, given in quantities.items() if base not in ignored},
        frozenset(numbers),
        {stem: frozenset(whole) for stem, whole in codes.items()},
        _names(text, words, names),
        sum(fold(word) in NEGATIONS or word.lower().endswith("n't") for word in words),
        tuple(tokens),
    )


def _pieces(glued: str) -> Iterator[Piece]:
    for chunk in glued.split():
        yield from pieces(normalise(chunk))


def _add_quantities(text: str, language: Language | None, found: dict[str, set[str]]) -> list[str]:
    """The values of a quantity in its base unit, kept in `found`; as tokens `280000ml`."""
    end = _UNIT_END.search(text)
    if end is None:
        return [fold(text)]
    unit = find_unit(end.group("unit"))
    tokens = []
    for match in _SIGNED.finditer(text[: end.start()]):
        sign = -1 if match.group("minus") else 1
        for value in values(match.group("number"), language)[:1]:
            exact = plain(sign * value * unit.factor)
            found.setdefault(unit.base, set()).add(exact)
            tokens.append(exact + unit.base)
    return tokens


def _number(piece: Piece, language: Language | None) -> str:
    if piece.kind == "number" and len(piece.text) < _DIGITS:
        return plain(values(piece.text, language)[0])
    return fold("".join(piece.text.split()))


def _norm(text: str) -> str:
    """`DIN EN ISO 13277:2022` as `norm13277`: the year of an edition is left out."""
    found = _NORM_NUMBER.search(text)
    return "norm" + (found.group().rstrip(".-") if found else "")


def _add_code(stem: str, code: str, found: dict[str, set[str]]) -> str:
    found.setdefault(stem, set()).add(code)
    return code


def _names(text: str, words: list[str], known: frozenset[str]) -> frozenset[str]:
    """Known names, words written like a name, and words that a cue (`Hersteller: X`) marks."""
    found = {folded for word in words if (folded := fold(word)) in known}
    loud = text.isupper()  # all in capitals: the shape says nothing
    if not loud:
        found |= {fold(word) for word in words if _SHAPED.fullmatch(word)}
    for match in _CUE.finditer(text.replace(GLUE, " ")):
        name = match.group("after") or match.group("before")
        if name[0].isupper():
            found.add(fold(name.rstrip(".")))
    return frozenset(found)
