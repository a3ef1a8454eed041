"""What a learned fusion looks at: for each candidate of a query a row of numbers.

Scores and ranks of every list, lengths, terms shared by query and document, metadata. NaN where
something is not there; trees handle that by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from crossrank.fuse.normalise import normalised
from crossrank.fuse.table import Reals, Table
from crossrank.types import Rows

MOST_CATEGORIES: Final = 255
Fields = Callable[[Rows], Sequence[Mapping[str, Any]]]
"""The metadata of some documents: one mapping of field names to JSON values for each row."""


class Analysis(Protocol):
    """Text to terms: what the analyser of a collection does."""

    def query(self, text: str) -> list[str]:
        """The terms of a query, each once."""
        ...

    def document(self, text: str) -> str:
        """The terms of a document in text order, joined by blanks."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where features beside scores and ranks come from; without them there are none of that kind.

    categories: for a metadata field of strings the values it was trained with.
    """

    analysis: Analysis | None = None
    fields: Fields | None = None
    numbers: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Features:
    """names: F of them; values: float64 [U, F], a row for each document of the table."""

    names: tuple[str, ...]
    values: Reals


def features(table: Table, signals: Sequence[str], sources: Sources) -> Features:
    """The features of every document of a table whose rankings are called `signals`."""
    columns = _of_lists(table, signals)
    if sources.analysis is not None:
        columns |= _of_texts(table, sources.analysis)
    if sources.fields is not None:
        columns |= _of_fields(table, sources)
    values = np.stack(list(columns.values()), axis=1) if columns else np.empty((0, 0))
    return Features(tuple(columns), values.astype(np.float64))


def described(fields: Fields, rows: Rows) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Which metadata fields of these documents are numbers, and which have few enough strings to
    be categories (with their values, the most frequent first).
    """
    seen: dict[str, dict[Any, int]] = {}
    for row in fields(rows):
        for name, value in row.items():
            if isinstance(value, (str, bool, int, float)):
                counts = seen.setdefault(name, {})
                counts[value] = counts.get(value, 0) + 1
    numbers, categories = [], {}
    for name, counts in sorted(seen.items()):
        if not any(isinstance(value, str) for value in counts):
            numbers.append(name)
        elif len(counts) <= MOST_CATEGORIES and all(isinstance(value, str) for value in counts):
            categories[name] = tuple(sorted(counts, key=lambda value: (-counts[value], value)))
    return tuple(numbers), categories


def _of_lists(table: Table, signals: Sequence[str]) -> dict[str, Reals]:
    ranks = table.ranks()
    scores = table.spread([each.scores.astype(np.float64) for each in table.rankings])
    spreads = table.spread([normalised(each, "z-score") for each in table.rankings])
    columns: dict[str, Reals] = {}
    for i, name in enumerate(signals):
        columns |= {f"{name} score": scores[i], f"{name} z": spreads[i], f"{name} rank": ranks[i]}
    columns["lists"] = (~np.isnan(ranks)).sum(axis=0).astype(np.float64)
    columns["mean reciprocal rank"] = np.nan_to_num(1 / ranks).mean(axis=0)
    return columns


def _of_texts(table: Table, analysis: Analysis) -> dict[str, Reals]:
    first = table.rankings[0]
    rows, place = np.unique(table.docs, return_inverse=True)
    documents = [analysis.document(text).split() for text in first.corpus.texts(rows)]
    asked = [analysis.query(text) for text in first.queries.texts]
    known = [set(terms) for terms in documents]
    pairs = [frozenset(pairwise(terms)) for terms in documents]
    lengths = np.array([len(terms) for terms in documents], dtype=np.float64)
    shared = [
        _shared(asked[q], known[d], pairs[d]) for q, d in zip(table.owner, place, strict=True)
    ]
    overlap = np.array(shared, dtype=np.float64).reshape(len(shared), 4)
    return {
        "query terms": np.array([len(terms) for terms in asked], np.float64)[table.owner],
        "document terms": lengths[place],
        "terms found": overlap[:, 0],
        "share of terms found": overlap[:, 1],
        "share of pairs found": overlap[:, 2],
        "share of numbers found": overlap[:, 3],
    }


def _shared(
    asked: Sequence[str], known: set[str], pairs: frozenset[tuple[str, str]]
) -> tuple[float, float, float, float]:
    found = sum(term in known for term in asked)
    next_to = list(pairwise(asked))
    numbers = [term for term in asked if any(letter.isdigit() for letter in term)]
    return (
        float(found),
        found / len(asked) if asked else np.nan,
        sum(pair in pairs for pair in next_to) / len(next_to) if next_to else np.nan,
        sum(term in known for term in numbers) / len(numbers) if numbers else np.nan,
    )


def _of_fields(table: Table, sources: Sources) -> dict[str, Reals]:
    assert sources.fields is not None
    rows, place = np.unique(table.docs, return_inverse=True)
    found = sources.fields(rows)
    columns = {f"field {name}": _numeric(found, name) for name in sources.numbers}
    for name, values in sources.categories.items():
        codes = {value: float(code) for code, value in enumerate(values)}
        column = [codes.get(row.get(name), np.nan) for row in found]  # type: ignore[arg-type]
        columns[f"field {name}"] = np.array(column, dtype=np.float64)
    return {name: column[place] for name, column in columns.items()}


def _numeric(found: Sequence[Mapping[str, Any]], name: str) -> npt.NDArray[np.float64]:
    values = [row.get(name) for row in found]
    usable = [float(v) if isinstance(v, (bool, int, float)) else np.nan for v in values]
    return np.array(usable, dtype=np.float64)
