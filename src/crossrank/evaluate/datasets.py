"""Judged sets made searchable: each is indexed once and kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from crossrank import __version__
from crossrank.config import cache_dir
from crossrank.io.judged import JudgedSet
from crossrank.types import Encoder

if TYPE_CHECKING:
    from crossrank.store import Collection


def indexed(
    judged: JudgedSet, language: str, encoders: Sequence[str], done: Callable[[int], None]
) -> Collection:
    """A collection of the documents of a judged set: from the cache, or made now and kept.

    `encoders` names the bi-encoders whose vectors it needs, by bundled name, path or hub id.
    `done` is told the number of documents indexed. A set whose files changed is indexed anew; an
    interrupted run leaves nothing that looks finished.
    """
    from crossrank.store import Collection

    models = [_encoder(name) for name in encoders]
    key = f"{judged.key} {language} {__version__}"
    key += "".join(f" {model.name}" for model in models)
    digest = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
    target = cache_dir() / "collections" / f"{_file_name(judged.name)}-{digest}"
    if target.is_dir():
        return Collection.open(target)
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    made = Collection.create(partial, language=language)
    made.add(judged.documents(), models, done)
    partial.rename(target)
    return Collection.open(target)


def _file_name(name: str) -> str:
    """The first parts of a set's name, as a folder can be called."""
    return "-".join(name.split("/")[:-1]) or name


def _encoder(name: str) -> Encoder:
    from crossrank.models import BiEncoder

    return BiEncoder(name)
