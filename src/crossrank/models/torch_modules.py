"""Torch models from a directory of safetensors: no remote code, no pickle, no missing weights.

Import this only after `extras.require("torch", extra="export")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from crossrank.errors import ModelError
from crossrank.extras import require
from crossrank.models.describe import read_settings
from crossrank.models.sbert import read_modules, transformer_folder
from crossrank.models.settings import Kind, read_json
from crossrank.models.torch_steps import load_step

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class TorchModel:
    """A module over int64 [b, s] tensors, one for each name in `inputs`, all positional.

    `output` says what comes back: "logits" [b, labels], "sentence_embedding" [b, dimension]
    (pooled, and of unit length where the model says so), "last_hidden_state" [b, s, hidden].
    `width` is the last axis of the output, `pad` the id to pad with, `vocabulary` the ids known.
    """

    module: nn.Module
    inputs: tuple[str, ...]
    output: str
    width: int
    pad: int
    vocabulary: int


class _Chain(nn.Module):
    """An encoder and the sentence-transformers modules that follow it."""

    def __init__(self, encoder: nn.Module, inputs: tuple[str, ...], steps: list[nn.Module]) -> None:
        super().__init__()
        self.encoder, self.steps, self.inputs = encoder, nn.ModuleList(steps), inputs

    def forward(self, *tensors: Tensor) -> Tensor:
        """The logits, or the last hidden state taken through the steps."""
        given = dict(zip(self.inputs, tensors, strict=True))
        found = self.encoder(**given)
        state: Tensor = found.logits if hasattr(found, "logits") else found.last_hidden_state
        for step in self.steps:
            state = step(state, given["attention_mask"])
        return state


def load_torch(folder: Path, *, attention: str | None = "eager") -> TorchModel:
    """The model in `folder`, float32, on the CPU, in evaluation mode.

    `folder` is a Hugging Face directory (`*ForSequenceClassification`, or a bare encoder) or one
    of sentence-transformers: a cross-encoder, also modular, or a bi-encoder. `attention` names
    one of transformers' implementations; None takes the fastest that the family has.
    Raises ModelError for weights that are pickled, missing or in need of code from the hub, and
    for module types that are not supported.
    """
    modules = read_modules(folder)
    head = transformer_folder(folder)
    steps = [load_step(place, kind) for kind, place in modules[1:]]
    classifies = _classifies(head)
    if classifies and steps:
        raise ModelError(f"{folder}: a classifier followed by other modules is not supported")
    encoder = _pretrained(head, classifies, attention)
    inputs = _inputs(encoder)
    chain = _Chain(encoder, inputs, steps).float().eval().requires_grad_(False)
    output = "last_hidden_state"
    if read_settings(folder).kind is Kind.CROSS:
        output = "logits"
    elif steps:
        output = "sentence_embedding"
    config = cast("Any", encoder).config
    pad = int(getattr(config, "pad_token_id", None) or 0)
    return TorchModel(chain, inputs, output, _width(chain, inputs), pad, int(config.vocab_size))


def _width(chain: nn.Module, inputs: tuple[str, ...]) -> int:
    """The last axis of the output, found by running one token."""
    one = torch.ones((1, 1), dtype=torch.int64)
    with torch.inference_mode():
        return int(chain(*([one] * len(inputs))).shape[-1])


def _classifies(folder: Path) -> bool:
    found = read_json(folder / "config.json")
    if not found:
        raise ModelError(
            f"a config.json wanted in {folder}, found none: is this a model directory?"
        )
    names = found.get("architectures") or [""]
    if found.get("is_decoder") or str(names[0]).endswith("ForCausalLM"):
        raise ModelError(f"{folder}: an encoder wanted, got the decoder {names[0]}")
    return str(names[0]).endswith("ForSequenceClassification")


def _pretrained(folder: Path, classifies: bool, attention: str | None) -> nn.Module:
    transformers = require("transformers", extra="export")
    refuse_pickle(folder)
    auto = transformers.AutoModelForSequenceClassification if classifies else transformers.AutoModel
    chosen = {} if attention is None else {"attn_implementation": attention}
    try:
        with _quiet(transformers):
            model, info = auto.from_pretrained(
                str(folder),
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **chosen,
            )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(f"{folder}: transformers cannot load it: {error}") from error
    missing = {key for key in info["missing_keys"] if classifies or "pooler" not in key}
    if missing or info.get("mismatched_keys"):
        names = ", ".join(sorted(map(str, missing or info["mismatched_keys"]))[:4])
        raise ModelError(f"{folder}: weights for all of the model wanted, none fit {names}")
    return cast("nn.Module", model)


def refuse_pickle(folder: Path) -> None:
    """Raises ModelError when `folder` has no safetensors; says how to convert pickled weights."""
    if any(folder.glob("*.safetensors")):
        return
    pickled = sorted(path.name for path in folder.glob("*.bin"))
    if not pickled:
        raise ModelError(f"a model.safetensors wanted in {folder}, found no weights there")
    raise ModelError(
        f"{folder} has only pickled weights ({', '.join(pickled)}), which can run code when they "
        "are read. Where you trust them, convert them once with transformers: "
        f"AutoModelForSequenceClassification.from_pretrained({str(folder)!r}).save_pretrained(OUT)"
    )


def _inputs(encoder: nn.Module) -> tuple[str, ...]:
    types = int(getattr(cast("Any", encoder).config, "type_vocab_size", 0) or 0)
    return INPUTS if types > 1 else INPUTS[:2]


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """No progress bars or advice from transformers; its settings are as before afterwards."""
    log = transformers.utils.logging
    before, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(before)
        if bars:
            log.enable_progress_bar()
