"""The Lance table of a generation: made, opened, indexed."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("LANCEDB_LOG", "error")  # its warnings speak of internals on stderr

import lancedb
import pyarrow as pa
from lancedb.index import FTS, BTree, IvfFlat

from crossrank.errors import CollectionError
from crossrank.store import columns
from crossrank.types import Scale

EXACT_BELOW: Final = 20_000
"""Vectors that are searched one by one; from here on they get an index."""

SCAN_ROWS: Final = 1024
"""Documents in one batch of a scan: texts may be long."""

PLACE: Final = "_rowid"


def create_table(folder: Path, name: str, schema: pa.Schema) -> Any:
    """A new empty table with its index of terms; one of that name is replaced."""
    table = lancedb.connect(folder).create_table(name, schema=schema, mode="overwrite")
    index_terms(table)
    return table


def open_table(folder: Path, name: str) -> Any:
    """The table at its newest version; CollectionError when it is not there or damaged."""
    try:
        return lancedb.connect(folder).open_table(name)
    except (ValueError, RuntimeError, OSError) as error:
        raise CollectionError(
            f"{folder / name}.lance cannot be opened, the collection is damaged "
            f"({complaint(error)}): index the documents anew into an empty folder"
        ) from error


def index_terms(table: Any) -> None:
    """Builds the full-text index: terms are what stands between blanks, exactly as it is."""
    settings = FTS(
        base_tokenizer="whitespace",
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
        max_token_length=None,
        with_position=False,
        num_workers=len(os.sched_getaffinity(0)),
    )
    table.create_index(columns.TERMS, config=settings, replace=True)


def index_ids(table: Any) -> None:
    """Builds the index by which documents are found by id."""
    if table.count_rows():
        table.create_index(columns.ID, config=BTree(), replace=True)


def index_vectors(table: Any, rebuild: bool) -> None:
    """Builds the index of every vector column that has enough vectors and none yet."""
    have = {name for index in table.list_indices() for name in index.columns}
    for field in columns.vector_columns(table.schema).values():
        if field.name in have and not rebuild:
            continue
        vectors = table.count_rows(f"{field.name} IS NOT NULL")
        if vectors >= EXACT_BELOW:
            settings = IvfFlat(distance_type=distance(field), num_partitions=partitions(vectors))
            table.create_index(field.name, config=settings, replace=True)


def partitions(vectors: int) -> int:
    """How many clusters an index divides so many vectors into."""
    return max(1, math.isqrt(vectors))


def distance(field: pa.Field) -> str:
    """Lance's name for the distance of a vector column."""
    return "cosine" if columns.scale_of(field) is Scale.COSINE else "dot"


def refresh(table: Any, keep_seconds: float) -> None:
    """Joins small data files, takes new documents into the indexes, removes old versions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that 0 seconds leaves no old version
        table.optimize(cleanup_older_than=timedelta(seconds=keep_seconds))


def unindexed_terms(table: Any) -> int:
    """How many documents the full-text index does not hold yet; they are searched one by one."""
    for index in table.list_indices():
        if index.columns == [columns.TERMS]:
            return int(index.num_unindexed_rows)
    return int(table.count_rows())


def scan(table: Any, names: list[str], where: str = "") -> Iterator[pa.RecordBatch]:
    """All documents in batches, with their Lance row ids."""
    query = table.search().select(names).with_row_id(True)
    if where:
        query = query.where(where)
    yield from query.to_batches(batch_size=SCAN_ROWS)


def among(ids: list[str]) -> str:
    """An SQL filter for some ids."""
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in ids)
    return f"{columns.ID} IN ({quoted or 'NULL'})"


def complaint(error: Exception) -> str:
    """What Lance complains about, in one line, without the places in its source."""
    text = " ".join(str(error).split()) or type(error).__name__
    inner = re.search(r"sql parser error: (.*)\)", text)
    text = inner[1] if inner else text.removeprefix("Invalid input, ").removeprefix("lance error: ")
    return text.split(", /")[0].split(" Valid fields are")[0].rstrip(".")


def gone(error: Exception) -> CollectionError:
    """The error for a version whose files have been removed."""
    return CollectionError(
        f"this version of the collection cannot be read any more ({complaint(error)}): it was "
        "optimised in the meantime; ask for its corpus again"
    )
