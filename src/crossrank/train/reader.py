"""The reader beside the gated layers: joint layers from low down, where facts can be told apart.

The gated layers of train.gated see both segments only after eight layers of reading each alone;
by then a number or a negation is folded into a summary. The reader starts after `START` layers and
looks across freely. It knows which pieces the other segment has too (their states get a learned
mark), and its logit is read off `[CLS]` and the mean of the query's tokens.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from crossrank.train.gated import Encoder, joint_bias, mean_pool

START = 4
"""Layers below the reader, in which each segment is read alone."""

DEPTH = 6
"""Layers of the reader."""


class Reader(nn.Module):
    """Joint layers, started as copies of the encoder's own after `START`."""

    def __init__(self, encoder: Encoder, depth: int = DEPTH) -> None:
        super().__init__()
        hidden = encoder.shape.hidden
        self.layers = nn.ModuleList(copy.deepcopy(encoder.layers[START : START + depth]))
        self.gates = nn.Parameter(torch.full((depth, encoder.shape.heads, 2), -1.0))
        self.marks = nn.Parameter(torch.zeros(4, hidden))
        self.pool = nn.Linear(2 * hidden, hidden)
        self.head = nn.Linear(hidden, 1)

    def forward(self, state: Tensor, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        """Logits [b] from the states after `START` layers [b, s, hidden]; the rest int64 [b, s]."""
        state = state + self.marks[2 * kinds + shared(ids, mask, kinds)]
        for layer, gates in zip(self.layers, self.gates, strict=True):
            state = layer(state, joint_bias(gates, mask, kinds, state.dtype))
        asked = mean_pool(state, mask * (1 - kinds))
        out: Tensor = self.head(F.gelu(self.pool(torch.cat([state[:, 0], asked], -1))))[:, 0]
        return out


def shared(ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
    """1 for tokens whose piece the other segment has too: int64 [b, s]."""
    same = ids[:, :, None] == ids[:, None, :]
    across = (kinds[:, :, None] != kinds[:, None, :]) & (mask[:, None, :] > 0)
    return ((same & across).any(-1) & (mask > 0)).long()
