"""What a collection is on disk, and the two steps that change it: lock, and swap.

    collection.json        format, language, and which generation counts; replaced atomically
    analyser-N.json        the analyser of generation N with its vocabulary; never changed
    documents-N.lance/     the Lance table of generation N; every commit is a version of it
    lock                   held (flock) by the one writer

A new vocabulary means new terms for every document, so it comes as a new generation: a new
analyser and a new table are written beside the old ones, indexed, and then `collection.json` is
replaced. Everything else is a commit of the Lance table, which is atomic by itself. A writer that
is killed leaves files nobody points to; the next writer removes them.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from crossrank.errors import BadInput, CollectionError, NotFound
from crossrank.io.lines import replaced
from crossrank.text.analyzer import Analyzer

FORMAT: Final = 1
"""Counts up when files of an older version cannot be read any more."""

MANIFEST: Final = "collection.json"
KEEP_SECONDS: Final = 3600.0
"""How long a generation that was replaced stays readable for those who opened it before."""

_REINDEX: Final = "index the documents anew into an empty folder"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of collection.json.

    `learned_from`: how many documents the vocabulary was learned from; `retired`: generation ->
    when it was replaced (seconds since 1970).
    """

    language: str
    generation: int = 1
    learned_from: int = 0
    retired: dict[str, float] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def table(self) -> str:
        """The name of the Lance table."""
        return f"documents-{self.generation}"

    @property
    def analyser(self) -> str:
        """The file name of the analyser."""
        return f"analyser-{self.generation}.json"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a collection.

    Raises NotFound when there is no collection, CollectionError for a damaged one and for one of
    another format.
    """
    if not folder.is_dir():
        raise NotFound(f"a collection wanted, {folder} is no folder: make one with crossrank index")
    if not (folder / MANIFEST).is_file():
        raise NotFound(
            f"a collection wanted, {folder} has no {MANIFEST}: make one with crossrank index"
        )
    stored = _read_json(folder / MANIFEST)
    if stored.get("format") != FORMAT:
        raise CollectionError(
            f"{folder}: a collection of format {FORMAT} wanted, got {stored.get('format')!r}: "
            f"use the crossrank version that wrote it, or {_REINDEX}"
        )
    try:
        return Manifest(
            str(stored["language"]),
            int(stored["generation"]),
            int(stored["learned_from"]),
            {str(k): float(v) for k, v in stored["retired"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CollectionError(f"{folder / MANIFEST} is damaged ({error!r}): {_REINDEX}") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replaces collection.json: from here on the collection is what `manifest` says."""
    stored = {
        "format": manifest.format,
        "language": manifest.language,
        "generation": manifest.generation,
        "learned_from": manifest.learned_from,
        "retired": manifest.retired,
    }
    with replaced(folder / MANIFEST) as out:
        out.write(json.dumps(stored, indent=1) + "\n")
        out.flush()
        os.fsync(out.fileno())


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file atomically, on disk before it has its name."""
    with replaced(path) as out:
        json.dump(value, out, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object that a collection needs; CollectionError when it is not there or damaged."""
    if not path.is_file():
        raise CollectionError(f"{path} is missing, the collection is damaged: {_REINDEX}")
    return _read_json(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CollectionError(f"{path} is damaged ({error}): {_REINDEX}") from error
    if not isinstance(stored, dict):
        raise CollectionError(f"{path} is damaged (a JSON object wanted): {_REINDEX}")
    return stored


def read_analyser(folder: Path, manifest: Manifest) -> Analyzer:
    """The analyser of a generation; CollectionError for one of another version of the analysis."""
    try:
        return Analyzer.from_dict(read_json(folder / manifest.analyser))
    except BadInput as error:
        raise CollectionError(
            f"{folder / manifest.analyser} cannot be used ({error}): run crossrank optimise "
            f"{folder}, which analyses the stored texts anew"
        ) from error


@contextmanager
def writing(folder: Path, wait: float) -> Iterator[None]:
    """Holds the writer's lock of a collection; the system frees it when a writer dies.

    Raises CollectionError when another writer holds it for longer than `wait` seconds.
    """
    with (folder / "lock").open("a") as handle:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise CollectionError(
                        f"{folder} is being written to by another process: wait until it is done "
                        "(readers are not affected)"
                    ) from None
                time.sleep(0.05)
        yield  # closing the file frees the lock


def refuse_foreign(folder: Path) -> None:
    """Raises BadInput when a folder holds anything but what a killed `create` leaves behind."""
    if (folder / MANIFEST).exists():
        raise BadInput(f"an empty folder wanted for a new collection, {folder} is one already")
    others = sorted(p.name for p in folder.iterdir() if not (p.name == "lock" or _ours(p.name)))
    if others:
        raise BadInput(
            f"an empty folder wanted for a new collection, {folder} holds {', '.join(others[:5])}"
        )


def _ours(name: str) -> bool:
    return _generation(name) > 0 or (name.startswith(".") and name.endswith(".part"))


def _generation(name: str) -> int:
    """The generation of a table or an analyser by its file name; 0 for other files."""
    stem, _, rest = name.partition("-")
    number = rest.partition(".")[0]
    return int(number) if stem in ("documents", "analyser") and number.isdigit() else 0


def sweep(folder: Path, manifest: Manifest) -> Manifest:
    """Removes generations nobody needs: those never finished, and those replaced long ago.

    Returns the manifest without the removed ones; the caller writes it. Only under the lock.
    """
    now = time.time()
    kept = {name: at for name, at in manifest.retired.items() if now - at < KEEP_SECONDS}
    wanted = {*map(int, kept), manifest.generation}
    for path in folder.iterdir():
        if _ours(path.name) and _generation(path.name) not in wanted:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Manifest(manifest.language, manifest.generation, manifest.learned_from, kept)
