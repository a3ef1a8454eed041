"""What a writer does, all of it under the one lock: add, delete, optimise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossrank.errors import CollectionError
from crossrank.io.document import Document
from crossrank.io.problems import Problems
from crossrank.store import columns, layout
from crossrank.store.fill import count_missing, fill_vectors, vector_column
from crossrank.store.ingest import Counts, Ingest
from crossrank.store.layout import Manifest
from crossrank.store.rebuild import outgrown, rebuild
from crossrank.store.search import bad_filter
from crossrank.store.table import (
    among,
    create_table,
    index_ids,
    index_terms,
    index_vectors,
    open_table,
    refresh,
    unindexed_terms,
)
from crossrank.text.analyzer import Analyzer
from crossrank.types import Encoder

Done = Callable[[int], None]
Phase = Callable[[str, int], Done]
"""Told that a phase of so many documents begins; gives what to tell the number done."""

_IDS_AT_A_TIME: Final = 5000


@dataclass(frozen=True, slots=True)
class Added:
    """What `Collection.add` did.

    `read` documents came, of which `added` are new, `updated` replaced an older text of the same
    id, and `unchanged` were there already; the others are in `problems`, which also has the lines
    that could not be read if the reader got the same object. `encoded` vectors were made.
    """

    read: int
    added: int
    updated: int
    unchanged: int
    encoded: int
    relearned: bool
    problems: Problems


def ignore(count: int) -> None:
    """Watches nothing."""


def unwatched(phase: str, total: int) -> Done:
    """Watches no phase."""
    return ignore


class Writer:
    """The one writer of a collection while it holds the lock; made by `writer`."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self.table = open_table(folder, manifest.table)

    def add(
        self,
        documents: Iterable[Document],
        encoders: Sequence[Encoder],
        problems: Problems,
        done: Done,
        phase: Phase,
    ) -> Added:
        """Reads documents in, makes the vectors they lack, and brings the indexes up to date."""
        for encoder in encoders:
            vector_column(self.table, encoder)
        run = Ingest(self.table, self._analyzer(), problems)
        run.run(documents, done)
        encoded = sum(self._fill(encoder, phase) for encoder in encoders)
        relearned = self._settle(run.counts, phase)
        counts = run.counts
        return Added(
            counts.read,
            counts.added,
            counts.updated,
            counts.unchanged,
            encoded,
            relearned,
            problems,
        )

    def delete(self, ids: Sequence[str]) -> int:
        """Removes documents by id; how many there were."""
        before = self.table.count_rows()
        for start in range(0, len(ids), _IDS_AT_A_TIME):
            self.table.delete(among(list(ids[start : start + _IDS_AT_A_TIME])))
        return int(before - self.table.count_rows())

    def delete_where(self, where: str) -> int:
        """Removes the documents that satisfy an SQL filter; how many there were."""
        before = self.table.count_rows()
        try:
            self.table.delete(f"(\n{where}\n)")
        except ValueError as error:
            raise bad_filter(where, columns.kinds_in(self.table.schema), error) from error
        return int(before - self.table.count_rows())

    def optimise(self, keep_seconds: float, phase: Phase) -> None:
        """Makes everything as if the collection had been written in one go."""
        if outgrown(self.manifest, self.table.count_rows()) or not self._analyser_is_usable():
            self._rebuild(phase)
        else:
            refresh(self.table, keep_seconds)
            index_terms(self.table)  # counts of words in deleted documents go with the old one
            index_ids(self.table)
            index_vectors(self.table, rebuild=True)
        refresh(self.table, keep_seconds)

    def _analyzer(self) -> Analyzer | None:
        if not self.manifest.learned_from:
            return None
        return layout.read_analyser(self.folder, self.manifest)

    def _analyser_is_usable(self) -> bool:
        try:
            layout.read_analyser(self.folder, self.manifest)
        except CollectionError:
            return False
        return True

    def _fill(self, encoder: Encoder, phase: Phase) -> int:
        missing = count_missing(self.table, encoder.name)
        if not missing:
            return 0
        return fill_vectors(self.table, encoder, phase(f"encoding with {encoder.name}", missing))

    def _settle(self, counts: Counts, phase: Phase) -> bool:
        """Learns the vocabulary anew if due, else takes many new documents into the indexes."""
        total = self.table.count_rows()
        if outgrown(self.manifest, total):
            self._rebuild(phase)
            return True
        if unindexed_terms(self.table) > max(500, total // 50):
            refresh(self.table, layout.KEEP_SECONDS)
        index_vectors(self.table, rebuild=False)
        return False

    def _rebuild(self, phase: Phase) -> None:
        total = self.table.count_rows()
        done = phase("analysing", total)
        self.manifest, self.table = rebuild(self.folder, self.manifest, self.table, done)


@contextmanager
def writer(folder: Path, wait: float) -> Iterator[Writer]:
    """The writer of a collection; what a killed one left behind is removed first.

    Raises CollectionError when another one is at work for longer than `wait` seconds.
    """
    layout.read_manifest(folder)  # nothing is locked where there is no collection
    with layout.writing(folder, wait):
        manifest = layout.read_manifest(folder)
        swept = layout.sweep(folder, manifest)
        if swept != manifest:
            layout.write_manifest(folder, swept)
        yield Writer(folder, swept)


def new_collection(folder: Path, language: str) -> None:
    """The files of an empty collection; the manifest, which makes it one, comes last."""
    manifest = Manifest(language)
    layout.write_json(folder / manifest.analyser, Analyzer(language).to_dict())  # type: ignore[arg-type]
    create_table(folder, manifest.table, columns.FIXED)
    layout.write_manifest(folder, manifest)
