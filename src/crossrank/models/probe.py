"""The same tokens for two forms of a model, and outputs that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crossrank.models.backend import Backend
from crossrank.models.backend_onnx import Mask, OnnxBackend
from crossrank.models.describe import read_settings
from crossrank.models.pairs import Joiner
from crossrank.models.parity import Parity, parity
from crossrank.models.template import pair_template, single_template
from crossrank.models.tokens import TokenBatch, TokenStore, load_tokenizer
from crossrank.types import Floats

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Pairs = Sequence[tuple[str, str]]
_LONGEST = 512  # a model that reads more is compared on this much


def probe_batch(folder: Path, tokenizer: Tokenizer, pairs: Pairs, joined: bool) -> TokenBatch:
    """The inputs that the model in `folder` reads for `pairs`, long ones cut to what it can.

    `joined` gives one input a pair, else one for each of its texts that is not blank.
    """
    length = min(read_settings(folder).max_length, _LONGEST)
    store = TokenStore(tokenizer)
    if joined:
        queries, documents = (store.read([pair[i] for pair in pairs]) for i in (0, 1))
        return Joiner(pair_template(tokenizer), length).join(queries, documents).batch
    template = single_template(tokenizer)
    texts = store.read([text for pair in pairs for text in pair if text.strip()])
    return TokenBatch.of([template.join(ids[: length - template.specials]) for ids in texts])


def compare(reference: Backend, other: Backend, batch: TokenBatch, *, vectors: bool) -> Parity:
    """The parity of two forms of a model on `batch`."""
    return parity(reference.run(batch, per_input), other.run(batch, per_input), vectors=vectors)


def compare_graphs(folder: Path, reference: Path, other: Path, pairs: Pairs) -> Parity:
    """The parity of two graphs of the model in `folder` on `pairs`."""
    pad = read_settings(folder).pad or 0
    first, second = OnnxBackend(reference, pad, "cpu"), OnnxBackend(other, pad, "cpu")
    joined = gives_logits(first)
    batch = probe_batch(folder, load_tokenizer(folder / "tokenizer.json"), pairs, joined)
    return compare(first, second, batch, vectors=not joined)


def gives_logits(backend: Backend) -> bool:
    """Whether a graph scores pairs, rather than giving vectors of single texts."""
    return backend.rank == 2 and not backend.pooled


def per_input(outputs: Floats, mask: Mask) -> Floats:
    """Outputs as float32 [b, k]: of token vectors, the mean and the last over the real tokens."""
    if outputs.ndim == 2:
        return outputs
    weights = mask[:, :, None].astype(np.float32)
    mean = (outputs * weights).sum(1) / weights.sum(1)
    last = outputs[np.arange(len(mask)), mask.sum(1) - 1]
    return np.concatenate([mean, last], axis=1)
