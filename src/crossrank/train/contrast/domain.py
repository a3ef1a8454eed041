"""Domains of the generator: what each file says, and which ones are held out.

A domain file (domains/NAME.toml) holds its makers, model patterns, norms, numbers and prices,
and for each language its products, parts, uses, opinions, chains of causes, tasks and claims.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from crossrank.errors import NotFound
from crossrank.train.contrast.quantities import UNITS
from crossrank.train.contrast.words import Noun

LANGUAGES = ("de", "en")
# Never trained on: two domains of products, two of texts.
HELD_OUT = ("ladders", "cameras", "tenancy", "vaccination")


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric attribute: its unit, the values that occur, its name in the language."""

    unit: str
    values: tuple[float | tuple[float, float], ...]
    label: Noun

    @property
    def is_range(self) -> bool:
        """Whether a value is a pair (from, to)."""
        return isinstance(self.values[0], tuple)


@dataclass(frozen=True, slots=True)
class Opinion:
    """An aspect people judge, with sentences of praise and of complaint."""

    aspect: Noun
    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A term with its definitions, and tasks around it: (what to do, the steps)."""

    term: str
    definitions: tuple[str, ...]
    tasks: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Statements that say the same, and statements that say the contrary."""

    same: tuple[str, ...]
    contrary: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain in one language: its vocabulary and its own wordings."""

    name: str
    language: str
    it: Noun
    items: tuple[tuple[Noun, ...], ...]
    makers: tuple[str, ...]
    models: tuple[str, ...]
    norms: tuple[str, ...]
    price: tuple[float, ...]
    numbers: tuple[Number, ...]
    parts: tuple[Noun, ...]
    uses: tuple[str, ...]
    filler: tuple[str, ...]
    opinions: tuple[Opinion, ...]
    chains: tuple[tuple[str, str, str], ...]
    topics: tuple[Topic, ...]
    claims: tuple[Claim, ...]
    wordings: Mapping[str, Mapping[str, tuple[str, ...]]]


def domains() -> tuple[str, ...]:
    """The names of all domains, the held-out ones too, in alphabetical order."""
    folder = files(__package__) / "domains"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


@cache
def neighbours(name: str) -> tuple[str, ...]:
    """The other domains on the same side of the split: held-out text never mixes with the rest."""
    side = name in HELD_OUT
    return tuple(each for each in domains() if each != name and (each in HELD_OUT) is side)


@cache
def domain(name: str, language: str) -> Domain:
    """The domain called `name` in a language. Raises NotFound for a name without a file."""
    path = files(__package__) / "domains" / f"{name}.toml"
    if not path.is_file():
        raise NotFound(f"no domain {name!r}; there are: {', '.join(domains())}")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    words = table[language]
    return Domain(
        name,
        language,
        Noun.of(words["it"]),
        tuple(tuple(map(Noun.of, line.split(";"))) for line in words["items"]),
        tuple(table["makers"]),
        tuple(table.get("models", ())),
        tuple(table.get("norms", ())),
        tuple(table.get("price", ())),
        tuple(_number(entry, language) for entry in table["numbers"]),
        tuple(map(Noun.of, words["parts"])),
        tuple(words["uses"]),
        tuple(words["filler"]),
        tuple(map(_opinion, words.get("opinions", ()))),
        tuple(link for line in words["chains"] for link in _links(line)),
        tuple(map(_topic, words["topics"])),
        tuple(map(_claim, words["claims"])),
        _wordings(words.get("wordings", {}), language),
    )


def _number(entry: Mapping[str, Any], language: str) -> Number:
    values = tuple(tuple(v) if isinstance(v, list) else v for v in entry["values"])
    if entry["unit"] not in UNITS:
        raise NotFound(f"no unit {entry['unit']!r}; there are: {', '.join(sorted(UNITS))}")
    return Number(entry["unit"], values, Noun.of(entry[language]))


def _split(text: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(mark) if part.strip())


def _opinion(line: str) -> Opinion:
    aspect, good, bad = line.split("|")
    return Opinion(Noun.of(aspect), _split(good, ";"), _split(bad, ";"))


def _links(line: str) -> list[tuple[str, str, str]]:
    """All (cause, middle, effect) triples of a chain written `a > b > c > d`."""
    steps = _split(line, ">")
    return list(zip(steps, steps[1:], steps[2:], strict=False))


def _topic(entry: Mapping[str, Any]) -> Topic:
    tasks = []
    for line in entry["how"]:
        task, steps = line.split(":", 1)
        tasks.append((task.strip(), _split(steps, "|")))
    return Topic(entry["term"], tuple(entry["what"]), tuple(tasks))


def _claim(line: str) -> Claim:
    same, contrary = line.split("<>")
    return Claim(_split(same, "|"), _split(contrary, "|"))


Wordings = dict[str, dict[str, tuple[str, ...]]]


@cache
def _phrases(language: str) -> Wordings:
    path = files(__package__) / "phrases" / f"{language}.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {part: {k: tuple(v) for k, v in entries.items()} for part, entries in table.items()}


def _wordings(own: Mapping[str, Mapping[str, list[str]]], language: str) -> Wordings:
    """The phrases of the language, those that the domain words its own way replaced."""
    merged = {part: dict(entries) for part, entries in _phrases(language).items()}
    for part, entries in own.items():
        merged[part].update({key: tuple(value) for key, value in entries.items()})
    return merged
