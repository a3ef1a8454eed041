"""Scores kept: a pair that the same model has scored before is looked up, not scored again."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from crossrank.errors import BadInput
from crossrank.rerank.scoring import score_noted
from crossrank.types import Floats, Note, Scale, Scorer

_VARIABLES: Final = 500  # in one SQL statement


class Store(Protocol):
    """Floats by 16-byte keys. Any thread may call it."""

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, float]:
        """The values of those keys that are there."""
        ...

    def put(self, items: Mapping[bytes, float]) -> None:
        """Keeps these values."""
        ...


class MemoryStore:
    """Keeps the `limit` values that were used last, in memory."""

    def __init__(self, limit: int = 1_000_000) -> None:
        if limit < 1:
            raise BadInput(f"a limit of 1 or more wanted, got {limit}")
        self._limit = limit
        self._kept: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, float]:
        """The values of those keys that are there."""
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
            return found

    def put(self, items: Mapping[bytes, float]) -> None:
        """Keeps these values, and forgets the ones not used for longest."""
        with self._lock:
            self._kept.update(items)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)


class FileStore:
    """Keeps values in one SQLite file, which processes may share and a killed one leaves whole."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self._file = sqlite3.connect(path, timeout=60, check_same_thread=False)
            _share(self._file)
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS scores "
                "(key BLOB PRIMARY KEY, score REAL NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.DatabaseError as error:
            raise BadInput(f"a score cache wanted in {path}, it cannot be read: {error}") from error

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, float]:
        """The values of those keys that are there."""
        found: dict[bytes, float] = {}
        with self._lock:
            for part in _parts(keys):
                marks = ",".join("?" * len(part))
                query = f"SELECT key, score FROM scores WHERE key IN ({marks})"
                found.update(self._file.execute(query, part))
        return found

    def put(self, items: Mapping[bytes, float]) -> None:
        """Keeps these values: all of them or, when interrupted, none."""
        with self._lock, self._file:
            self._file.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?)", items.items())

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._file.close()


def _share(file: sqlite3.Connection, seconds: float = 60) -> None:
    """Lets readers and a writer use the file at once (WAL).

    SQLite does not wait for its busy timeout here: two who open a new file in the same moment would
    meet "database is locked". Raises sqlite3.OperationalError when it still is after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            file.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


class NamedScorer(Scorer, Protocol):
    """A scorer whose name changes whenever its scores would."""

    @property
    def name(self) -> str:
        """The name, with a hash of the content."""
        ...


@dataclass(frozen=True, slots=True)
class CacheScores:
    """Scores of which some were kept; the notes are on those that were scored now."""

    values: Floats
    noted: tuple[Note, ...]

    def notes(self) -> tuple[Note, ...]:
        """What a user should know."""
        return self.noted


class CachedScorer:
    """A scorer that asks `scorer` only for pairs it has not scored under that name before.

    Kept scores are those of fresh ones, within what the scorer's depend on their company (1e-5
    for a `CrossEncoder`).
    """

    def __init__(self, scorer: NamedScorer, store: Store | None = None) -> None:
        """`store`: a `MemoryStore` if not given, or `FileStore(path)`."""
        self._scorer = scorer
        self._store: Store = MemoryStore() if store is None else store
        self._name = scorer.name

    @property
    def scale(self) -> Scale:
        """That of the scorer."""
        return self._scorer.scale

    @property
    def name(self) -> str:
        """That of the scorer."""
        return self._name

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        """One score for each (queries[i], documents[i]): float32 [n]."""
        return self.score_noted(queries, documents).values

    def score_noted(self, queries: Sequence[str], documents: Sequence[str]) -> CacheScores:
        """The scores, and notes on the pairs that were scored now."""
        keys = [_key(self._name, q, d) for q, d in zip(queries, documents, strict=True)]
        known = dict(self._store.get(list(dict.fromkeys(keys))))
        missing = {key: at for at, key in enumerate(keys) if key not in known}
        notes: tuple[Note, ...] = ()
        if missing:
            at = list(missing.values())
            values, notes = score_noted(
                self._scorer, [queries[i] for i in at], [documents[i] for i in at]
            )
            fresh = dict(zip(missing, map(float, values), strict=True))
            self._store.put(fresh)
            known.update(fresh)
        return CacheScores(np.array([known[key] for key in keys], dtype=np.float32), notes)


def _key(name: str, query: str, document: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for text in (name, query, document):
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()


def _parts(keys: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (keys[at : at + _VARIABLES] for at in range(0, len(keys), _VARIABLES))
