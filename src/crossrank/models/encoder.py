"""`BiEncoder`: turns each text into a vector, so that documents are read once and for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from crossrank.errors import BadInput, ModelError
from crossrank.models.backend import Runtime
from crossrank.models.backend_onnx import Device, Mask
from crossrank.models.loaded import load
from crossrank.models.pool import pooling, unit
from crossrank.models.sbert import RUNNABLE, read_modules
from crossrank.models.settings import Kind
from crossrank.models.template import single_template
from crossrank.models.tokens import TokenBatch, TokenStore
from crossrank.models.watch import Done, unwatched
from crossrank.types import Floats, Scale

DEFAULT: Final = "crossrank-embed"
_CHUNK: Final = 2048


class BiEncoder:
    """A bi-encoder: `encode_queries`, `encode_documents`, or `encode` without any prompt.

    `name_or_path` is a directory, the name of a bundled model, or an id of the Hugging Face hub.
    Pooling, normalisation and prompts are those of the directory. Vectors are float32, of unit
    length unless the directory says that they are compared by inner product. One object may be
    used by any number of threads.
    """

    def __init__(
        self,
        name_or_path: str | Path = DEFAULT,
        *,
        max_length: int = 0,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        normalise: bool | None = None,
        graph: str = "",
        revision: str = "",
        device: Device = "auto",
        runtime: Runtime = "onnx",
    ) -> None:
        """Loads the model, or takes the one loaded before.

        max_length: tokens of a text, 0 for what the model is meant for; longer texts are cut.
        query_prompt, document_prompt, normalise: instead of what the directory says, for models
        whose directory does not say it ("query: " and "passage: " for the E5 family).
        runtime: "onnx", or "torch-fp32", "torch-bf16", "torch-fp16" to run safetensors with torch.
        """
        self._model = load(
            name_or_path, Kind.BI, graph=graph, revision=revision, device=device, runtime=runtime
        )
        settings, backend = self._model.files.settings, self._model.backend
        self._title = str(name_or_path)
        self.query_prompt = settings.query_prompt if query_prompt is None else query_prompt
        self.document_prompt = (
            settings.document_prompt if document_prompt is None else document_prompt
        )
        self._normalise = settings.normalise if normalise is None else normalise
        if max_length < 0 or max_length > settings.positions:
            raise BadInput(f"a max_length up to {settings.positions} wanted, got {max_length}")
        self.max_length = max_length or settings.max_length
        self._template = single_template(self._model.tokenizer)
        self._pool = None if backend.rank == 2 else pooling(settings.pooling)
        if self._pool:
            self._refuse_unknown_modules()
        self.dimension = backend.width or self._run(["1"]).shape[1]
        if self._pool and backend.width:
            self.dimension *= len(settings.pooling)

    @property
    def name(self) -> str:
        """The model's name with a hash of its content and settings: stored beside vectors."""
        kept = (self.max_length, self.query_prompt, self.document_prompt, self._normalise)
        settings = self._model.files.settings
        usual = (
            settings.max_length,
            settings.query_prompt,
            settings.document_prompt,
            settings.normalise,
        )
        suffix = "" if kept == usual else f":{kept!r}"
        return f"{self._model.name}{suffix}"

    @property
    def scale(self) -> Scale:
        """COSINE: the inner product of two vectors is their cosine; DOT where they are longer."""
        return Scale.COSINE if self._normalise else Scale.DOT

    @property
    def folder(self) -> Path:
        """Where the model lies."""
        return self._model.files.folder

    def __repr__(self) -> str:
        return f"BiEncoder({self._title!r}, scale={self.scale}, dimension={self.dimension})"

    def encode(self, texts: Sequence[str], done: Done = unwatched) -> Floats:
        """float32 [n, dimension] of the texts as they are, without a prompt."""
        return self._encode("", texts, done)

    def encode_queries(self, texts: Sequence[str], done: Done = unwatched) -> Floats:
        """float32 [n, dimension], with the query prompt before each text."""
        return self._encode(self.query_prompt, texts, done)

    def encode_documents(self, texts: Sequence[str], done: Done = unwatched) -> Floats:
        """float32 [n, dimension], with the document prompt before each text."""
        return self._encode(self.document_prompt, texts, done)

    def too_long(self, texts: Sequence[str]) -> int:
        """How many of the texts are longer than the model reads, with the document prompt."""
        read = TokenStore(self._model.tokenizer).read([self.document_prompt + t for t in texts])
        return sum(len(ids) > self._room for ids in read)

    @property
    def _room(self) -> int:
        return self.max_length - self._template.specials

    def _encode(self, prompt: str, texts: Sequence[str], done: Done) -> Floats:
        if isinstance(texts, str):
            raise BadInput(f"a list of texts wanted, got one text: {texts!r:.80}")
        out = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), _CHUNK):
            part = texts[start : start + _CHUNK]
            out[start : start + len(part)] = self._run([prompt + text for text in part])
            done(start + len(part))
        return out

    def _run(self, texts: Sequence[str]) -> Floats:
        read = TokenStore(self._model.tokenizer).read(texts)
        batch = TokenBatch.of([self._template.join(ids[: self._room]) for ids in read])
        return self._model.backend.run(batch, self._reduce)

    def _reduce(self, outputs: Floats, mask: Mask) -> Floats:
        vectors = self._pool(outputs, mask) if self._pool else outputs
        return unit(vectors) if self._normalise else vectors

    def _refuse_unknown_modules(self) -> None:
        strange = {kind for kind, _ in read_modules(self.folder)} - RUNNABLE
        if strange:
            raise ModelError(
                f"{self.folder}: its graph ends before the modules {', '.join(sorted(strange))}: "
                "remove the .onnx file, so that the whole model is exported"
            )
