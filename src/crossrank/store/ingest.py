"""Documents into the table: new ones added, changed ones replaced, the same ones left alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa

from crossrank.io.document import Document
from crossrank.io.problems import DUPLICATE_ID, FIELD, Problems
from crossrank.store import columns
from crossrank.store.analysis import Analysis
from crossrank.store.seen import Flags, Hashes, Seen, content_hash, hashes, id_hash
from crossrank.store.table import among, scan
from crossrank.text.analyzer import Analyzer

BATCH_DOCUMENTS: Final = 4096
BATCH_CHARACTERS: Final = 8_000_000
"""A commit comes after so many documents or characters: what an interruption may cost."""


@dataclass(slots=True)
class Counts:
    """What became of the documents read."""

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """The documents of one batch that are to be written, `known` those that replace others."""

    documents: list[Document]
    contents: Hashes
    known: Flags
    read: int


@dataclass(slots=True)
class Ingest:
    """One run of reading documents into a table.

    `analyzer` None leaves the terms out: a collection that has not learned its vocabulary yet.
    """

    table: Any
    analyzer: Analyzer | None
    problems: Problems
    counts: Counts = field(default_factory=Counts)
    _odd_names: set[str] = field(default_factory=set)

    def run(self, documents: Iterable[Document], done: Callable[[int], None]) -> None:
        """Writes batch by batch, each one atomic; `done` is told the documents read so far."""
        read = _batches(documents)
        first = [batch for batch in (next(read, None), next(read, None)) if batch]
        # few documents: ask for their ids alone; more: know all ids
        few = among([each.id for each in first[0]]) if len(first) == 1 else ""
        seen = _known(self.table, few) if first else Seen()
        chosen = (self._choose(batch, seen) for batch in chain(first, read))
        last: tuple[Chosen, Future[None]] | None = None
        with ThreadPoolExecutor(1, "commit") as thread:  # the next batch is read meanwhile
            for batch, terms in self._with_terms(chosen):
                if last:
                    self._settle(*last, done)
                rows = self._rows(batch, terms)
                last = batch, thread.submit(self._commit, rows, batch.known)
            if last:
                self._settle(*last, done)

    def _settle(self, batch: Chosen, commit: Future[None], done: Callable[[int], None]) -> None:
        """Waits until a batch is in the table."""
        commit.result()
        self.counts.read += batch.read
        self.counts.updated += int(batch.known.sum())
        self.counts.added += int((~batch.known).sum())
        done(self.counts.read)

    def _choose(self, batch: list[Document], seen: Seen) -> Chosen:
        names = hashes([id_hash(each.id) for each in batch])
        contents = hashes([content_hash(each) for each in batch])
        known, before, now = seen.find(names)
        first = np.zeros(len(batch), dtype=bool)
        first[np.unique(names, return_index=True)[1]] = True
        again = now | ~first
        for number in np.flatnonzero(again):
            each = batch[number]
            self.problems.report(
                DUPLICATE_ID,
                each.source or each.id,
                f"{each.id!r} was read before: the first counts",
            )
        changed = ~again & ~(known & (before == contents))
        seen.add(names[~again], contents[~again], now=True)
        self.counts.unchanged += int((~again & ~changed).sum())
        kept = [batch[number] for number in np.flatnonzero(changed)]
        return Chosen(kept, contents[changed], known[changed], len(batch))

    def _with_terms(self, chosen: Iterable[Chosen]) -> Iterator[tuple[Chosen, pa.Array | None]]:
        if self.analyzer is None:
            yield from ((batch, None) for batch in chosen)
            return
        with Analysis(self.analyzer) as analysis:
            yield from analysis.of((batch, _texts(batch.documents)) for batch in chosen)

    def _commit(self, rows: pa.Table, known: Flags) -> None:
        fresh, changed = rows.filter(pa.array(~known)), rows.filter(pa.array(known))
        if len(fresh):
            self.table.add(fresh, on_bad_vectors="null")
        if len(changed):
            merge = self.table.merge_insert(columns.ID).when_matched_update_all()
            merge.when_not_matched_insert_all().execute(changed, on_bad_vectors="null")

    def _columns_for(self, documents: Sequence[Document]) -> dict[str, columns.Kind]:
        """The metadata columns, after those were made that the documents bring with them."""
        kinds = columns.kinds_in(self.table.schema)
        new = columns.new_kinds(kinds, [each.fields for each in documents])
        if new:
            fields = [columns.column_for(name, kind) for name, kind in new.items()]
            self.table.add_columns(pa.schema(fields))
        return {**kinds, **new}

    def _rows(self, batch: Chosen, terms: pa.Array | None) -> pa.Table:
        documents = batch.documents
        kinds = self._columns_for(documents)
        split = [self._split(each, kinds) for each in documents]
        values: dict[str, Any] = {
            columns.ID: [each.id for each in documents],
            columns.TITLE: [each.title for each in documents],
            columns.TEXT: [each.text for each in documents],
            columns.TERMS: terms,
            columns.HASH: batch.contents,
            columns.EXTRA: [json.dumps(x, ensure_ascii=False) if x else None for _, x in split],
        }
        values |= {name: [fitting.get(name) for fitting, _ in split] for name in kinds}
        return pa.table([_column(f, values, len(documents)) for f in self.table.schema],
                        schema=self.table.schema)  # fmt: skip

    def _split(
        self, document: Document, kinds: dict[str, columns.Kind]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        fitting, extra = columns.split_fields(kinds, document.fields)
        for name in extra:
            place = document.source or document.id
            if name in kinds:
                self.problems.report(FIELD, place, f"{name!r} {_misfit(kinds[name], extra[name])}")
            elif name not in self._odd_names:
                self._odd_names.add(name)
                self.problems.report(FIELD, place, f"{name!r} {_NO_COLUMN}")
        return fitting, extra


_NO_COLUMN: Final = "cannot be the name of a column: kept, but filters do not see it"


def _misfit(kind: columns.Kind, value: Any) -> str:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return f"holds {kind}, got {shown}: kept, but filters do not see it"


def _column(wanted: pa.Field, values: dict[str, Any], length: int) -> pa.Array:
    found = values.get(wanted.name)
    if found is None:
        return pa.nulls(length, wanted.type)
    return found if isinstance(found, pa.Array) else pa.array(found, wanted.type)


def _texts(documents: Iterable[Document]) -> pa.Array:
    return pa.array((f"{each.title}\n{each.text}" for each in documents), pa.string())


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text) + len(document.title)
        if len(batch) >= BATCH_DOCUMENTS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _known(table: Any, where: str) -> Seen:
    seen = Seen()
    for batch in scan(table, [columns.ID, columns.HASH], where):
        names = hashes([id_hash(name) for name in batch[columns.ID].to_pylist()])
        seen.add(names, batch[columns.HASH].to_numpy(zero_copy_only=False), now=False)
    return seen
