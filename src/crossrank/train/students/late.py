"""Late interaction in training: a vector a token, a pair's score the sum of best matches.

MaxSim (Khattab & Zaharia 2020): for each query token the highest cosine with any document token.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from crossrank.train.students.batch import Batch, Features
from crossrank.train.students.save import write_late_interaction
from crossrank.train.students.tokens import Tokeniser, Tokens, by_length
from crossrank.types import Floats, Scale

if TYPE_CHECKING:
    from crossrank.train.config import Similarity


class LateModel(nn.Module):
    """A transformer and a linear map of its token states to short unit vectors."""

    def __init__(self, model: Any, dimension: int) -> None:
        super().__init__()
        self.model = model
        self.project = nn.Linear(model.config.hidden_size, dimension, bias=False)

    def forward(self, tokens: Tokens) -> Tensor:
        """float32 [n, tokens, dimension]; padding is a zero vector."""
        states = self.model(**tokens).last_hidden_state
        vectors = F.normalize(self.project(states).float(), dim=-1)
        real: Tensor = tokens["attention_mask"]
        return vectors * real[..., None]


class LateStudent:
    """Token vectors of both sides, compared by MaxSim."""

    scale = Scale.MAXSIM

    def __init__(self, model: LateModel, tokens: Tokeniser, similarity: Similarity) -> None:
        self.module: nn.Module = model
        self.tokens = tokens
        self.similarity = similarity

    def features(self, batch: Batch) -> Features:
        """Token tensors of the queries and of the documents."""
        return {
            "queries": self._queries(batch.queries),
            "documents": self._documents(batch.documents),
        }

    def scores(self, features: Features) -> Tensor:
        """[G, N]: MaxSim of every query with every document."""
        documents = features["documents"]
        return max_sim(
            self.module(features["queries"]), self.module(documents), documents["attention_mask"]
        )

    @torch.no_grad()
    def score_texts(
        self, queries: Sequence[str], documents: Sequence[str], batch: int = 32
    ) -> Floats:
        """MaxSim of each pair."""
        self.module.eval()
        device = next(self.module.parameters()).device
        scores = np.empty(len(queries), dtype=np.float32)
        for part in by_length(documents, batch):
            asked = _moved(self._queries([queries[i] for i in part]), device)
            found = _moved(self._documents([documents[i] for i in part]), device)
            left, right = self.module(asked), self.module(found)
            closed = (1 - found["attention_mask"][:, None, :]) * -2.0
            best = (torch.einsum("ntd,nsd->nts", left, right) + closed).amax(-1)
            real = asked["attention_mask"].to(best.dtype)
            scores[part] = (best * real).sum(-1).cpu().numpy()
        return scores

    def save(self, folder: Path) -> None:
        """Writes a sentence-transformers multi-vector directory: transformer, dense, normalise."""
        write_late_interaction(self.module, self.tokens, self.similarity, folder)

    def _queries(self, texts: Sequence[str]) -> Tokens:
        return self.tokens.queries([self.similarity.query_prompt + text for text in texts])

    def _documents(self, texts: Sequence[str]) -> Tokens:
        return self.tokens.documents([self.similarity.document_prompt + text for text in texts])


def max_sim(queries: Tensor, documents: Tensor, mask: Tensor) -> Tensor:
    """[G, N] from token vectors [G, t, d] and [N, s, d]; mask [N, s] says which are real.

    Zero vectors of queries (padding) add nothing.
    """
    cosines = torch.einsum("gtd,nsd->gnts", queries, documents)
    best = (cosines + (1 - mask[None, :, None, :]) * -2.0).amax(-1)
    real = queries.abs().sum(-1) > 0
    return (best * real[:, None, :]).sum(-1)


def _moved(tokens: Tokens, device: torch.device) -> Tokens:
    return {name: value.to(device) for name, value in tokens.items()}
