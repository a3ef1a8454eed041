"""A collection on disk: documents, full text, vectors and metadata in one folder."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from crossrank.errors import BadInput
from crossrank.io.document import Document
from crossrank.io.problems import Problems
from crossrank.store import layout
from crossrank.store.info import Info, describe
from crossrank.store.layout import Manifest
from crossrank.store.snapshot import Snapshot
from crossrank.store.table import open_table
from crossrank.store.write import Added, Done, Phase, ignore, new_collection, unwatched, writer
from crossrank.text.analyzer import Analyzer
from crossrank.types import Corpus, Encoder, Rows


class Collection:
    """Documents that can be searched. Thread safe; one writer at a time, any number of readers.

    Every change is a new version and atomic; a process that is killed leaves the last one intact.
    """

    def __init__(self, folder: Path, wait: float = 10.0) -> None:
        """Use `create` or `open`. `wait`: seconds a change waits for another writer to end."""
        self.path = folder
        self.wait = wait
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._given: Snapshot | None = None
        self._live: tuple[int, Any] | None = None  # a generation and its table, newest version

    @classmethod
    def create(cls, path: str | Path, language: str = "auto") -> Self:
        """A new empty collection in a folder that is empty or not there yet.

        `language` is "de", "en", or "auto" to tell German from English text by text. Raises
        BadInput for another language and for a folder that holds anything.
        """
        if language not in ("auto", "de", "en"):
            raise BadInput(f"a language of auto, de or en wanted, got {language!r}")
        folder = Path(path)
        if folder.exists() and not folder.is_dir():
            raise BadInput(f"a folder wanted for a collection, {folder} is a file")
        folder.mkdir(parents=True, exist_ok=True)
        with layout.writing(folder, wait=10.0):
            layout.refuse_foreign(folder)
            new_collection(folder, language)
        return cls(folder)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The collection in a folder.

        Raises NotFound when there is none, CollectionError when it is damaged or of another
        format.
        """
        opened = cls(Path(path))
        opened.corpus()
        return opened

    def corpus(self) -> Snapshot:
        """The newest version, pinned: it stays as it is while others write.

        Rankings, rows and `documents` belong to one snapshot; asking again is cheap, and gives the
        same object as long as nothing was written.
        """
        self._given = self._newest()
        return self._given

    def at(self, corpus: Corpus) -> Snapshot:
        """The snapshot that a corpus is; BadInput for a corpus of anything else."""
        if isinstance(corpus, Snapshot) and corpus.folder == self.path:
            return corpus
        raise BadInput(
            f"a corpus of the collection {self.path} wanted, got {type(corpus).__name__}: "
            "search over what its corpus() gives"
        )

    def _newest(self) -> Snapshot:
        manifest = layout.read_manifest(self.path)
        with self._lock:
            newest = self._version(manifest)
            current = self._snapshot
            if current is None or current.state != (manifest.generation, newest):
                current = self._snapshot = self._pinned(manifest, newest)
            return current

    def _version(self, manifest: Manifest) -> int:
        """The number of the newest version."""
        if self._live is None or self._live[0] != manifest.generation:
            self._live = manifest.generation, open_table(self.path, manifest.table)
        else:
            self._live[1].checkout_latest()
        return int(self._live[1].version)

    def _pinned(self, manifest: Manifest, version: int) -> Snapshot:
        table = open_table(self.path, manifest.table)
        table.checkout(version)
        last = self._snapshot
        if last is not None and last.state[0] == manifest.generation:
            return Snapshot(self.path, table, last.analyzer, manifest)
        analyzer = layout.read_analyser(self.path, manifest)
        return Snapshot(self.path, table, analyzer, manifest)

    def __len__(self) -> int:
        return len(self.corpus())

    @property
    def language(self) -> str:
        """The language the collection was made for: auto, de or en."""
        return layout.read_manifest(self.path).language

    @property
    def analyzer(self) -> Analyzer:
        """What turns documents of the newest version into terms; queries need the same."""
        return self._newest().analyzer

    def encoders(self) -> tuple[str, ...]:
        """The names of the encoders it has vectors of."""
        return self._newest().encoders()

    def documents(self, rows: Sequence[int] | Rows) -> list[Document]:
        """The documents of `rows` of the last snapshot that `corpus` gave, in their order."""
        return (self._given or self.corpus()).documents(rows)

    def add(
        self,
        documents: Iterable[Document],
        encoders: Sequence[Encoder] = (),
        done: Done = ignore,
        problems: Problems | None = None,
        phase: Phase = unwatched,
    ) -> Added:
        """Adds documents, and replaces those whose id is there already.

        They are read and committed in batches, so memory stays flat, and a second run after an
        interruption goes on where it was: what is there unchanged is only read. With `encoders`
        every document of the collection that lacks a vector gets one. `done` is told the number
        of documents read, `phase` what is done after that. Raises BadInput for a problem if
        `problems` is strict, CollectionError when another process is writing.
        """
        noted = Problems() if problems is None else problems
        with writer(self.path, self.wait) as writing:
            return writing.add(documents, encoders, noted, done, phase)

    def delete(self, ids: Sequence[str]) -> int:
        """Removes the documents with these ids; how many there were. Ids not there are no error."""
        with writer(self.path, self.wait) as writing:
            return writing.delete(ids)

    def delete_where(self, where: str) -> int:
        """Removes the documents that satisfy an SQL filter; how many there were."""
        with writer(self.path, self.wait) as writing:
            return writing.delete_where(where)

    def optimise(self, keep_seconds: float = layout.KEEP_SECONDS, phase: Phase = unwatched) -> Info:
        """Joins small files, builds the indexes anew, removes versions older than `keep_seconds`.

        Learns the vocabulary anew if the collection has grown much since. Readers of a removed
        version get a CollectionError and must ask for the corpus again.
        """
        with writer(self.path, self.wait) as writing:
            writing.optimise(keep_seconds, phase)
        return self.info()

    def info(self) -> Info:
        """The collection in numbers."""
        manifest = layout.read_manifest(self.path)
        table = open_table(self.path, manifest.table)
        analyzer = layout.read_analyser(self.path, manifest)
        return describe(self.path, manifest, table, analyzer)
