"""Makes a loaded transformers model smaller: fewer pieces in the vocabulary, fewer layers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from crossrank.errors import BadInput, ModelError
from crossrank.train.vocabulary import trimmed_tokenizer

_TOKEN_IDS = ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")


def drop_layers(model: Any, layers: int | Sequence[int]) -> tuple[int, ...]:
    """Keeps some encoder layers of a model, in place, and tells which.

    layers: their numbers from 0, or how many: then evenly spaced ones, the last among them.
    """
    stack, owner, name = _layer_stack(model)
    kept = _evenly(len(stack), layers) if isinstance(layers, int) else tuple(layers)
    outside = [layer for layer in kept if not 0 <= layer < len(stack)]
    if outside or not kept:
        raise BadInput(f"layers from 0 to {len(stack) - 1} wanted, got {list(kept)}")
    setattr(owner, name, nn.ModuleList([stack[i] for i in kept]))
    model.config.num_hidden_layers = len(kept)
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = [model.config.layer_types[i] for i in kept]
    return kept


def trim_vocabulary(
    model: Any, tokenizer: Any, texts: Iterable[str], size: int
) -> tuple[Any, list[int]]:
    """A tokenizer of `size` pieces, the most frequent of `texts`; the model's rows follow.

    The model is changed in place. Returns the new tokenizer and the old id of each piece.
    Text whose pieces all survive is scored exactly as before.
    """
    kept_json, ids = trimmed_tokenizer(tokenizer.backend_tokenizer.to_str(), texts, size)
    trimmed = _wrapped(tokenizer, kept_json)
    old = model.get_input_embeddings()
    if max(ids) >= old.num_embeddings:
        raise ModelError(
            f"{max(ids) + 1} embedding rows wanted for the tokenizer, the model has "
            f"{old.num_embeddings}: do model and tokenizer belong together?"
        )
    new = {before: now for now, before in enumerate(ids)}
    padding = new.get(old.padding_idx) if old.padding_idx is not None else None
    rows = nn.Embedding(len(ids), old.embedding_dim, padding_idx=padding)
    with torch.no_grad():
        rows.weight.copy_(old.weight[torch.from_numpy(np.asarray(ids))])
    model.set_input_embeddings(rows)
    model.config.vocab_size = len(ids)
    for key in _TOKEN_IDS:
        if getattr(model.config, key, None) is not None:
            setattr(model.config, key, new.get(getattr(model.config, key)))
    return trimmed, ids


def _wrapped(tokenizer: Any, tokenizer_json: str) -> Any:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    special = {
        name: str(value)
        for name, value in tokenizer.special_tokens_map.items()
        if isinstance(value, str) or hasattr(value, "content")
    }
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tokenizer_json),
        model_max_length=tokenizer.model_max_length,
        padding_side=tokenizer.padding_side,
        truncation_side=tokenizer.truncation_side,
        model_input_names=list(tokenizer.model_input_names),
        clean_up_tokenization_spaces=False,
        **special,
    )


def _evenly(count: int, wanted: int) -> tuple[int, ...]:
    if not 1 <= wanted <= count:
        raise BadInput(f"1 to {count} layers wanted, got {wanted}")
    places = np.linspace(count / wanted - 1, count - 1, wanted)
    return tuple(int(i) for i in np.round(places + 1e-9))


def _layer_stack(model: Any) -> tuple[nn.ModuleList, nn.Module, str]:
    """The list of encoder layers, the module that holds it, and its name there."""
    count = int(model.config.num_hidden_layers)
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == count and _is_encoder(name):
            parent, _, attribute = name.rpartition(".")
            return module, model.get_submodule(parent), attribute
    raise ModelError(
        f"a list of {count} encoder layers wanted, {type(model).__name__} has none: "
        "start from this model without dropping layers"
    )


def _is_encoder(name: str) -> bool:
    return name.rpartition(".")[2] in ("layer", "layers", "h", "block", "blocks")


def describe(model: Any) -> str:
    """The size of a model in words: layers, width, pieces, parameters."""
    config = json.loads(model.config.to_json_string())
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    return (
        f"{config.get('model_type')}, {model.config.num_hidden_layers} layers, "
        f"{model.config.hidden_size} wide, {model.config.vocab_size:,} pieces, {millions:.1f} M"
    )
