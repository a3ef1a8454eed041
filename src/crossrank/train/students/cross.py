"""The cross-encoder in training: any transformers model for sequence classification."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from crossrank.train.students.batch import Batch, Features
from crossrank.train.students.save import write_classifier
from crossrank.train.students.tokens import Tokeniser, by_length
from crossrank.types import Floats, Scale

if TYPE_CHECKING:
    from crossrank.train.objectives import Objective


class CrossStudent:
    """Scores pairs read together. With classes or grades a pair's score is the expected grade."""

    def __init__(
        self, model: Any, tokens: Tokeniser, objective: Objective, scale: Scale | None = None
    ) -> None:
        self.module: nn.Module = model
        self.tokens = tokens
        self.objective = objective
        self.outputs = int(model.config.num_labels)
        self.scale = scale or objective.scale
        if objective.name == "coral":
            share_weights(model, self.outputs)

    def features(self, batch: Batch) -> Features:
        """Token tensors of the pairs under the mask, and the mask."""
        tokens = self.tokens.pairs(*batch.pairs())
        return {"tokens": tokens, "mask": torch.from_numpy(batch.mask)}

    def scores(self, features: Features) -> Tensor:
        """[G, N] logits, or [G, N, outputs] where the objective has classes."""
        logits: Tensor = self.module(**features["tokens"]).logits.float()
        mask: Tensor = features["mask"]
        if not self.objective.classes:
            logits = logits[:, 0]
        spread = logits.new_zeros((*mask.shape, *logits.shape[1:]))
        spread[mask] = logits
        return spread

    @torch.no_grad()
    def score_texts(
        self, queries: Sequence[str], documents: Sequence[str], batch: int = 64
    ) -> Floats:
        """The logit of each pair, or its expected grade."""
        self.module.eval()
        device = next(self.module.parameters()).device
        found = np.empty(len(queries), dtype=np.float32)
        for part in by_length(documents, batch):
            tokens = self.tokens.pairs([queries[i] for i in part], [documents[i] for i in part])
            moved = {name: value.to(device) for name, value in tokens.items()}
            found[part] = self._single(self.module(**moved).logits.float()).cpu().numpy()
        return found

    def _single(self, logits: Tensor) -> Tensor:
        if not self.objective.classes:
            return logits[:, 0]
        if self.objective.name == "cross-entropy":
            grades = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype)
            return logits.softmax(-1) @ grades
        return logits.sigmoid().sum(-1)

    def save(self, folder: Path) -> None:
        """Writes the model with its tokenizer and what its outputs mean."""
        write_classifier(self.module, self.tokens, folder, self.scale, self.objective.cumulative)


def share_weights(model: nn.Module, outputs: int) -> None:
    """Makes the last layer one weight vector for all thresholds, with a bias for each (CORAL).

    The rows start equal and get the same gradient, the sum of theirs, so they stay equal.
    """
    last = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == outputs][
        -1
    ]
    with torch.no_grad():
        last.weight.copy_(last.weight[:1].expand_as(last.weight))
        last.bias.copy_(torch.linspace(1, -1, outputs) if outputs > 1 else last.bias)
    last.weight.register_hook(_summed)  # type: ignore[no-untyped-call]


def _summed(grad: Tensor) -> Tensor:
    return grad.sum(0, keepdim=True).expand_as(grad).clone()
