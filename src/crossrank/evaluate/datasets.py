"""Judged sets made searchable: each is indexed once and kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossrank import __version__
from crossrank.config import cache_dir
from crossrank.io.beir import beir_file
from crossrank.io.documents import read_documents
from crossrank.io.problems import Problems
from crossrank.types import Encoder

if TYPE_CHECKING:
    from crossrank.store import Collection


def indexed(
    folder: Path, language: str, encoders: Sequence[str], done: Callable[[int], None]
) -> Collection:
    """A collection of the documents of a BEIR folder: from the cache, or made now and kept.

    `encoders` names the bi-encoders whose vectors it needs, by bundled name, path or hub id.
    `done` is told the number of documents indexed. A set whose files changed is indexed anew; an
    interrupted run leaves nothing that looks finished.
    """
    from crossrank.store import Collection

    models = [_encoder(name) for name in encoders]
    corpus = beir_file(folder, "corpus.jsonl")
    stat = corpus.stat()
    key = f"{corpus.resolve()} {stat.st_size} {stat.st_mtime_ns} {language} {__version__}"
    key += "".join(f" {model.name}" for model in models)
    digest = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
    target = cache_dir() / "collections" / f"{folder.resolve().name}-{digest}"
    if target.is_dir():
        return Collection.open(target)
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    made = Collection.create(partial, language=language)
    made.add(read_documents([corpus], Problems()), models, done)
    partial.rename(target)
    return Collection.open(target)


def _encoder(name: str) -> Encoder:
    from crossrank.models import BiEncoder

    return BiEncoder(name)
