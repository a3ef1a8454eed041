"""Directories made once from a model and kept in the cache, named by the content they came from."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from crossrank.config import cache_dir
from crossrank.errors import ModelError

# What a model directory holds beside its weights, and what a made directory carries along.
SIDECARS = (".json", ".txt", ".model", ".jinja")


def content_hash(folder: Path, *also: str) -> str:
    """A name for the weights, configuration and tokenizer in `folder`, and for `also`.

    Same files, same name, wherever they lie; a readme or a training log does not count.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(_parts(folder)):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    for word in also:
        digest.update(f"\0{word}".encode())
    return digest.hexdigest()


def made_once(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """The cached directory `kind`/`name`; `make` fills it the first time.

    It appears complete or not at all: `make` writes beside it, a rename puts it there. Two
    processes may both make it; the first one's stays. Raises what `make` raises.
    """
    target = cache_dir() / kind / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    place_directory(target, make)
    return target


def place_directory(target: Path, make: Callable[[Path], None]) -> None:
    """Makes the directory `target` whole or not at all; one that another process made stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
    try:
        make(part)
        part.chmod(0o755)
        try:
            part.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def refuse_taken(out: Path) -> None:
    """Raises ModelError when `out` exists and is not an empty directory."""
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
    if out.exists():
        raise ModelError(f"a new directory wanted to write a model to, {out} is already there")


def copy_sidecars(source: Path, target: Path) -> None:
    """Copies configuration and tokenizer files (those of sub-directories too), no weights."""
    for path in _parts(source):
        if path.suffix in SIDECARS and ".safetensors" not in path.name:
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)


def _parts(folder: Path) -> Iterable[Path]:
    """The files that make up a model: weights and sidecars, no hidden or checkpoint folders."""
    suffixes = {*SIDECARS, ".safetensors", ".onnx", ".onnx_data", ".data"}
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "checkpoint-")))
        for name in sorted(names):
            path = Path(root) / name
            if path.suffix in suffixes and not name.startswith("."):
                yield path
