"""The bi-encoder in training: one vector a text, a pair's score the cosine of the two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from crossrank.train.students.batch import Batch, Features
from crossrank.train.students.save import write_bi_encoder
from crossrank.train.students.tokens import Tokeniser, Tokens, by_length
from crossrank.types import Floats, Scale

if TYPE_CHECKING:
    from crossrank.train.config import Similarity


class BiStudent:
    """Encodes queries and documents by themselves; vectors have unit length.

    Cosines are multiplied by `similarity.scale` for every objective but mse, whose labels they are
    to equal as they are.
    """

    scale = Scale.COSINE

    def __init__(
        self, model: Any, tokens: Tokeniser, similarity: Similarity, objective: str
    ) -> None:
        self.module: nn.Module = model
        self.tokens = tokens
        self.similarity = similarity
        self.factor = 1.0 if objective == "mse" else similarity.scale

    def features(self, batch: Batch) -> Features:
        """Token tensors of the queries and of the documents."""
        return {
            "queries": self._queries(batch.queries),
            "documents": self._documents(batch.documents),
        }

    def scores(self, features: Features) -> Tensor:
        """[G, N]: scaled cosines of every query with every document."""
        asked, found = self._vectors(features["queries"]), self._vectors(features["documents"])
        return self.factor * asked @ found.T

    def score_texts(
        self, queries: Sequence[str], documents: Sequence[str], batch: int = 64
    ) -> Floats:
        """The cosine of each pair; every different text is encoded once."""
        asked, at = _unique(queries)
        found, to = _unique(documents)
        left = self._encode(asked, self._queries, batch)[at]
        right = self._encode(found, self._documents, batch)[to]
        scores: Floats = np.einsum("ij,ij->i", left, right)
        return scores

    def save(self, folder: Path) -> None:
        """Writes a sentence-transformers directory: transformer, pooling, normalisation."""
        write_bi_encoder(self.module, self.tokens, self.similarity, folder)

    def _queries(self, texts: Sequence[str]) -> Tokens:
        return self.tokens.queries([self.similarity.query_prompt + text for text in texts])

    def _documents(self, texts: Sequence[str]) -> Tokens:
        return self.tokens.documents([self.similarity.document_prompt + text for text in texts])

    def _vectors(self, tokens: Tokens) -> Tensor:
        states = self.module(**tokens).last_hidden_state.float()
        return F.normalize(pooled(states, tokens["attention_mask"], self.similarity.pooling))

    @torch.no_grad()
    def _encode(self, texts: Sequence[str], make: Any, batch: int) -> Floats:
        self.module.eval()
        device = next(self.module.parameters()).device
        rows: list[Floats] = []
        order: list[int] = []
        for part in by_length(texts, batch):
            tokens = {k: v.to(device) for k, v in make([texts[i] for i in part]).items()}
            rows.append(self._vectors(tokens).cpu().numpy())
            order.extend(part.tolist())
        vectors = np.concatenate(rows)
        out = np.empty_like(vectors)
        out[order] = vectors
        return out


def pooled(states: Tensor, mask: Tensor, how: str) -> Tensor:
    """One vector a text from its token states [n, tokens, hidden]: their mean, or the first."""
    if how == "cls":
        return states[:, 0]
    there = mask[..., None].to(states.dtype)
    return (states * there).sum(1) / there.sum(1).clamp(min=1)


def _unique(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    rows: dict[str, int] = {}
    places = [rows.setdefault(text, len(rows)) for text in texts]
    return list(rows), places
