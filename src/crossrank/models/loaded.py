"""Loaded models, each once a process: the same directory loaded twice is the same session."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossrank.errors import ModelError
from crossrank.models.backend import Backend, Runtime, load_backend
from crossrank.models.backend_onnx import Device
from crossrank.models.files import ModelFiles, read_files, read_weights
from crossrank.models.hub import find_model
from crossrank.models.settings import Kind
from crossrank.models.tokens import load_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Loaded:
    """A model ready to run: shared by every object made of it, never changed."""

    files: ModelFiles
    tokenizer: Tokenizer
    backend: Backend
    runtime: Runtime = "onnx"

    @cached_property
    def hash(self) -> str:
        """A name of all that scores depend on, wherever the model lies: 12 hex digits."""
        digest = hashlib.blake2b(repr(self.files.settings).encode(), digest_size=6)
        if self.runtime != "onnx":
            digest.update(self.runtime.encode())
        graph, lender = self.files.graph, self.files.lender
        paths = [graph, *(graph.with_name(graph.name + end) for end in ("_data", ".data"))]
        while lender is not None:
            paths.append(lender.graph)
            lender = lender.lender
        for path in (*paths, self.files.tokenizer):
            if path.is_file():
                with path.open("rb") as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
        return digest.hexdigest()

    @property
    def name(self) -> str:
        """The directory's name, or the id of one from the hub's cache, and the hash."""
        folder = self.files.folder
        if folder.parent.name == "snapshots":  # models--owner--name/snapshots/COMMIT
            title = folder.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
        else:
            title = folder.name
        return f"{title}@{self.hash}"


_Key = tuple[ModelFiles, Device, Runtime, int]
_models: Final[dict[_Key, Loaded]] = {}
_lock: Final = threading.Lock()


def load(
    name: str | Path,
    kind: Kind,
    *,
    graph: str = "",
    revision: str = "",
    device: Device = "auto",
    runtime: Runtime = "onnx",
) -> Loaded:
    """The model called `name` (see `find_model`), loaded now or before.

    A directory whose graph or settings have changed since is loaded anew. Raises ModelError when
    it is of another kind than wanted.
    """
    folder = find_model(name, graph=graph, revision=revision).resolve()
    with _lock:
        files = read_files(folder, graph) if runtime == "onnx" else read_weights(folder)
        found = files.settings.kind
        if found not in (None, kind):
            raise ModelError(f"a {kind} wanted, {folder} is a {found}")
        key = (files, device, runtime, files.graph.stat().st_mtime_ns)
        if key not in _models:
            _models[key] = _load(files, device, runtime)
        return _models[key]


def _load(files: ModelFiles, device: Device, runtime: Runtime) -> Loaded:
    tokenizer = load_tokenizer(files.tokenizer)
    pad = files.settings.pad
    if pad is None:
        pad = next(
            (i for t in ("[PAD]", "<pad>") if (i := tokenizer.token_to_id(t)) is not None), 0
        )
    return Loaded(files, tokenizer, load_backend(files, pad, device, runtime), runtime)


def unload() -> None:
    """Forgets every loaded model; memory is freed when nobody uses them any more."""
    with _lock:
        _models.clear()
