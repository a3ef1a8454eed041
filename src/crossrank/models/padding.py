"""Ragged tokens to rectangles: what a graph reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from crossrank.models.batches import Order
from crossrank.models.tokens import TokenBatch

Rectangle = npt.NDArray[np.int64]


def padded(batch: TokenBatch, group: Order, pad: int) -> Mapping[str, Rectangle]:
    """The inputs of a graph for some inputs of a batch, padded on the right: int64 [b, s] each.

    input_ids (`pad` beyond the end), attention_mask (1 for real tokens), token_type_ids.
    """
    starts, lengths = batch.offsets[group], batch.lengths()[group]
    columns = np.arange(max(int(lengths.max(initial=0)), 1))
    real = columns < lengths[:, None]
    at = np.where(real, starts[:, None] + columns, 0)
    ids, types = (part if len(part) else np.zeros(1, np.int32) for part in (batch.ids, batch.types))
    return {
        "input_ids": np.where(real, ids[at], pad).astype(np.int64),
        "attention_mask": real.astype(np.int64),
        "token_type_ids": np.where(real, types[at], 0).astype(np.int64),
    }
