"""A new generation: the vocabulary learned anew from all documents, and their terms made by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossrank.store import columns, layout
from crossrank.store.analysis import Analysis, Cutting
from crossrank.store.layout import Manifest
from crossrank.store.table import (
    PLACE,
    create_table,
    index_ids,
    index_terms,
    index_vectors,
    scan,
)
from crossrank.text.analyzer import Analyzer, Setting
from crossrank.text.language import Language
from crossrank.text.vocabulary import VocabularyBuilder

SAMPLE: Final = 30_000
"""Documents a vocabulary is learned from, evenly spaced over the collection."""
SAMPLE_CHARACTERS: Final = 20_000
"""How much of a long document is read for the vocabulary."""
_SMALL: Final = 10_000
_FILE_BYTES: Final = 24_000_000
"""What is analysed and written at a time; a few times that is in memory."""
_AHEAD: Final = 2
"""Batches that are cut into chunks while the vocabulary is learned, which keeps one core busy."""


def outgrown(manifest: Manifest, documents: int) -> bool:
    """Whether the vocabulary is to be learned anew: a quarter more documents, of many twice."""
    if not manifest.learned_from:
        return documents > 0
    factor = 1.25 if documents < _SMALL else 2.0
    return documents >= factor * manifest.learned_from


def rebuild(
    folder: Path, manifest: Manifest, table: Any, done: Callable[[int], None]
) -> tuple[Manifest, Any]:
    """The manifest and the table of the next generation, in force. Only under the lock.

    Until the manifest is replaced, which is the last step, readers and the disk have the old one.
    `done` is told the number of documents written.
    """
    total = table.count_rows()
    language = cast(Setting, manifest.language)
    retired = {**manifest.retired, str(manifest.generation): time.time()}
    following = replace(
        manifest, generation=manifest.generation + 1, learned_from=total, retired=retired
    )
    written = 0
    with Cutting(_texts(table), quantities=True, ahead=_AHEAD) as cutting:
        analyzer = Analyzer(language, learn(table, language).build())
        layout.write_json(folder / following.analyser, analyzer.to_dict())
        made = create_table(folder, following.table, table.schema)
        with Analysis(analyzer) as analysis:
            for batch, terms in analysis.of_cut(cutting):
                made.add(_with_terms(batch, terms), on_bad_vectors="null")
                written += len(terms)
                done(written)
    index_terms(made)
    index_ids(made)
    index_vectors(made, rebuild=False)
    layout.write_manifest(folder, following)
    return following, made


def learn(table: Any, language: Setting) -> VocabularyBuilder:
    """The words of the documents, of a sample where they are many."""
    builder = VocabularyBuilder()
    fixed: Language | None = None if language == "auto" else language
    places = np.concatenate([batch[PLACE].to_numpy() for batch in scan(table, [])])
    step = -(-len(places) // SAMPLE)
    chosen = np.sort(places)[::step]
    for start in range(0, len(chosen), 4096):
        part = chosen[start : start + 4096].tolist()
        found = table.take_row_ids(part).select([columns.TITLE, columns.TEXT]).to_arrow()
        builder.add((text[:SAMPLE_CHARACTERS] for text in _joined(found).to_pylist()), fixed)
    return builder


def _texts(table: Any) -> Iterator[tuple[pa.Table, pa.Array]]:
    """All documents in batches of several scans, so that the new table has few files."""
    names = [name for name in table.schema.names if name != columns.TERMS]
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in scan(table, names):
        waiting.append(batch.drop_columns([PLACE]))
        size += waiting[-1].nbytes
        if size >= _FILE_BYTES:
            yield _as_batch(waiting)
            waiting, size = [], 0
    if waiting:
        yield _as_batch(waiting)


def _as_batch(batches: list[pa.RecordBatch]) -> tuple[pa.Table, pa.Array]:
    together = pa.Table.from_batches(batches)
    return together, pa.concat_arrays(_joined(together).chunks)


def _joined(table: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table[columns.TITLE], table[columns.TEXT], "\n")


def _with_terms(batch: pa.Table, terms: pa.Array) -> pa.Table:
    return batch.append_column(pa.field(columns.TERMS, pa.string()), terms)
