"""Token states of a bi-encoder: what late interaction and poly-encoders read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import ModelError
from crossrank.models.loaded import load
from crossrank.models.pool import unit
from crossrank.models.settings import Kind
from crossrank.models.template import single_template
from crossrank.models.tokens import Ids, TokenBatch
from crossrank.retrieve.late import TokenStates
from crossrank.types import Floats

_GROUP: Final = 64
Places = npt.NDArray[np.intp]


class BiEncoderTokens:
    """A `TokenEncoder` over the graph of a bi-encoder, which must give token vectors.

    Every token of a text is one unit vector, but for special tokens, those of the prompt, and, in
    documents, marks of punctuation (as in ColBERT).
    """

    def __init__(self, name_or_path: str | Path) -> None:
        """Loads the model, or takes the one loaded before.

        Raises ModelError for a graph that ends in one vector a text.
        """
        self._model = load(name_or_path, Kind.BI)
        if self._model.backend.rank != 3:
            raise ModelError(
                f"a graph with token vectors (last_hidden_state) wanted for late interaction, "
                f"{self._model.files.graph} gives one vector a text"
            )
        self._template = single_template(self._model.tokenizer)
        parts = self._template.parts
        place = next(i for i, part in enumerate(parts) if part.text >= 0)
        self._before = sum(len(part.ids) for part in parts[:place])
        settings = self._model.files.settings
        self._room = settings.max_length - self._template.specials
        self._prompts = (settings.query_prompt, settings.document_prompt)

    def query_states(self, texts: Sequence[str]) -> TokenStates:
        """The states of queries, in their order."""
        return self._states(texts, self._prompts[0], marks=True)

    def document_states(self, texts: Sequence[str]) -> TokenStates:
        """The states of documents, in their order."""
        return self._states(texts, self._prompts[1], marks=False)

    def _states(self, texts: Sequence[str], prompt: str, marks: bool) -> TokenStates:
        found: list[Floats] = []
        for start in range(0, len(texts), _GROUP):
            found += self._some(texts[start : start + _GROUP], prompt, marks)
        offsets = np.cumsum([0, *(len(each) for each in found)], dtype=np.int64)
        empty = np.empty((0, self._model.backend.width), np.float32)
        return TokenStates(np.concatenate([empty, *found]), offsets)

    def _some(self, texts: Sequence[str], prompt: str, marks: bool) -> list[Floats]:
        whole = [prompt + text for text in texts]
        read = self._model.tokenizer.encode_batch(whole, add_special_tokens=False)
        inputs = [
            self._template.join(np.array(each.ids[: self._room], dtype=np.int32)) for each in read
        ]
        vectors = self._run(inputs)
        kept = [
            self._kept(each, text, len(prompt), marks)
            for each, text in zip(read, whole, strict=True)
        ]
        return [unit(row[places]) for row, places in zip(vectors, kept, strict=True)]

    def _run(self, inputs: Sequence[tuple[Ids, Ids]]) -> Floats:
        """float32 [n, longest, d]: the token vectors of each input, zeros behind them."""
        longest = max(len(ids) for ids, _ in inputs)

        def padded(vectors: Floats, mask: npt.NDArray[np.int64]) -> Floats:
            full = np.zeros((len(vectors), longest, vectors.shape[2]), np.float32)
            full[:, : vectors.shape[1]] = vectors * mask[:, :, None]
            return full.reshape(len(full), -1)

        flat = self._model.backend.run(TokenBatch.of(inputs), padded)
        return flat.reshape(len(inputs), longest, -1)

    def _kept(self, read: Any, text: str, prompt: int, marks: bool) -> Places:
        """Where in an input the tokens are that are kept."""
        found = [
            i
            for i, (start, end) in enumerate(read.offsets[: self._room])
            if end > prompt and (marks or any(c.isalnum() for c in text[start:end]))
        ]
        return np.array(found, dtype=np.intp) + self._before
