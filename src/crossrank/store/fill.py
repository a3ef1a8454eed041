"""Vectors for the documents that have none yet, batch by batch, each one atomic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from crossrank.errors import BadInput
from crossrank.store import columns
from crossrank.store.table import PLACE, scan
from crossrank.types import Encoder

BATCH: Final = 512
"""Documents encoded and committed at a time."""


def vector_column(table: Any, encoder: Encoder) -> pa.Field:
    """The column for the vectors of an encoder, made if there is none."""
    have = columns.vector_columns(table.schema).get(encoder.name)
    if have is None:
        have = columns.vector_field(encoder)
        table.add_columns(pa.schema([have]))
    if have.type.list_size != encoder.dimension:
        raise BadInput(
            f"vectors of length {have.type.list_size} wanted for {encoder.name!r} (that is what "
            f"the collection has), got {encoder.dimension}: give the other encoder another name"
        )
    return have


def count_missing(table: Any, encoder: str) -> int:
    """How many documents have no vector of an encoder."""
    column = columns.vector_columns(table.schema)[encoder]
    return int(table.count_rows(f"{column.name} IS NULL"))


def fill_vectors(table: Any, encoder: Encoder, done: Callable[[int], None]) -> int:
    """Encodes every document without a vector; how many they were. `done` is told the number.

    A run that is interrupted keeps the batches it has written.
    """
    column = vector_column(table, encoder)
    missing = [batch[PLACE].to_numpy() for batch in scan(table, [], f"{column.name} IS NULL")]
    places = np.concatenate(missing) if missing else np.zeros(0, np.uint64)
    for start in range(0, len(places), BATCH):
        # writing a batch moves its own documents only: the places of the others stay true
        part = places[start : start + BATCH].tolist()
        names = [columns.ID, columns.TITLE, columns.TEXT]
        found = table.take_row_ids(part).select(names).to_arrow()
        _write(table, column, found, encoder)
        done(start + len(part))
    return len(places)


def _write(table: Any, column: pa.Field, found: pa.Table, encoder: Encoder) -> None:
    titles, texts = found[columns.TITLE].to_pylist(), found[columns.TEXT].to_pylist()
    read = [f"{title}\n{text}".strip() for title, text in zip(titles, texts, strict=True)]
    vectors = np.ascontiguousarray(encoder.encode_documents(read), dtype=np.float32)
    if vectors.shape != (len(read), encoder.dimension) or not np.isfinite(vectors).all():
        raise BadInput(
            f"finite vectors of shape [{len(read)}, {encoder.dimension}] wanted from "
            f"{encoder.name!r}, got {list(vectors.shape)}"
        )
    cells = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), encoder.dimension)
    rows = pa.table({columns.ID: found[columns.ID], column.name: cells})
    table.merge_insert(columns.ID).when_matched_update_all().execute(rows)
