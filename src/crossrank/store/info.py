"""What there is to know about a collection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from crossrank.store import columns
from crossrank.store.layout import Manifest
from crossrank.store.table import scan, unindexed_terms
from crossrank.text.analyzer import Analyzer


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A metadata field: what it holds, and how many documents have it."""

    name: str
    kind: columns.Kind
    documents: int


@dataclass(frozen=True, slots=True)
class VectorInfo:
    """The vectors of an encoder; `indexed` 0 means that they are searched one by one."""

    encoder: str
    dimension: int
    scale: str
    documents: int
    indexed: int


@dataclass(frozen=True, slots=True)
class Info:
    """A collection in numbers.

    `learned_from` is how many documents the vocabulary was learned from (0: not yet, BM25 waits
    for it), `unindexed` how many documents full-text search reads one by one.
    """

    path: Path
    documents: int
    language: str
    generation: int
    version: int
    learned_from: int
    compound_parts: int
    unindexed: int
    bytes: int
    fields: tuple[FieldInfo, ...]
    vectors: tuple[VectorInfo, ...]


def describe(folder: Path, manifest: Manifest, table: Any, analyzer: Analyzer) -> Info:
    """The facts about one version of a collection."""
    return Info(
        folder,
        int(table.count_rows()),
        manifest.language,
        manifest.generation,
        int(table.version),
        manifest.learned_from,
        len(analyzer.vocabulary.parts),
        unindexed_terms(table),
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        _fields(table),
        _vectors(table),
    )


def _fields(table: Any) -> tuple[FieldInfo, ...]:
    kinds = columns.kinds_in(table.schema)
    filled = dict.fromkeys(kinds, 0)
    if kinds:
        for batch in scan(table, list(kinds)):
            for name in kinds:
                filled[name] += pc.count(batch[name], mode="only_valid").as_py()
    return tuple(FieldInfo(name, kind, filled[name]) for name, kind in kinds.items())


def _vectors(table: Any) -> tuple[VectorInfo, ...]:
    indexed = {index.columns[0]: index.num_indexed_rows for index in table.list_indices()}
    return tuple(
        VectorInfo(
            name,
            column.type.list_size,
            str(columns.scale_of(column)),
            int(table.count_rows(f"{column.name} IS NOT NULL")),
            int(indexed.get(column.name, 0)),
        )
        for name, column in columns.vector_columns(table.schema).items()
    )
