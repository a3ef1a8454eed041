"""Torch models from a directory of safetensors: no remote code, no pickle, no missing weights.

Import this only after `extras.require("torch", extra="export")`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from crossrank.errors import ModelError
from crossrank.extras import require
from crossrank.models.torch_steps import load_step

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class TorchModel:
    """A module over int64 [b, s] tensors, one for each name in `inputs`, all positional.

    `output` says what comes back: "logits" [b, labels], "sentence_embedding" [b, dimension]
    (pooled, and of unit length where the model says so), "last_hidden_state" [b, s, hidden].
    """

    module: nn.Module
    inputs: tuple[str, ...]
    output: str
    vocabulary: int
    pad: int


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


def load_torch(folder: Path, *, attention: str = "eager") -> TorchModel:
    """The model in `folder`, float32, on the CPU, in evaluation mode.

    `folder` is a Hugging Face directory (`*ForSequenceClassification`, or a bare encoder) or one
    of sentence-transformers: a cross-encoder, also modular, or a bi-encoder.
    Raises ModelError for weights that are pickled, missing or in need of code from the hub, and
    for module types that are not supported.
    """
    modules = _module_list(folder)
    head = folder / str(modules[0].get("path", ""))
    steps = [load_step(folder / str(each["path"]), _kind(each)) for each in modules[1:]]
    classifies = _classifies(head)
    if classifies and steps:
        raise ModelError(f"{folder}: a classifier followed by other modules is not supported")
    encoder = _pretrained(head, classifies, attention)
    inputs = _inputs(encoder)
    output = "logits" if classifies else _output(folder, modules)
    chain = _Chain(encoder, inputs, steps).float().eval().requires_grad_(False)
    config = cast("Any", encoder).config
    pad = getattr(config, "pad_token_id", None) or 0
    return TorchModel(chain, inputs, output, int(config.vocab_size), int(pad))


def _module_list(folder: Path) -> list[Mapping[str, Any]]:
    path = folder / "modules.json"
    modules = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else [{"path": ""}]
    if path.is_file() and (not modules or _kind(modules[0]) != "Transformer"):
        raise ModelError(
            f"{path}: a first module Transformer wanted, got {[_kind(m) for m in modules[:1]]}"
        )
    return list(modules)


def _kind(module: Mapping[str, Any]) -> str:
    return str(module.get("type", "")).rpartition(".")[2]


def _classifies(folder: Path) -> bool:
    config = folder / "config.json"
    if not config.is_file():
        raise ModelError(
            f"a config.json wanted in {folder}, found none: is this a model directory?"
        )
    found = json.loads(config.read_text(encoding="utf-8"))
    names = found.get("architectures") or [""]
    if found.get("is_decoder") or str(names[0]).endswith("ForCausalLM"):
        raise ModelError(f"{folder}: an encoder wanted, got the decoder {names[0]}")
    return str(names[0]).endswith("ForSequenceClassification")


def _output(folder: Path, modules: list[Mapping[str, Any]]) -> str:
    if len(modules) == 1:
        return "last_hidden_state"
    last = folder / str(modules[-1]["path"]) / "config.json"
    config = json.loads(last.read_text(encoding="utf-8")) if last.is_file() else {}
    scores = config.get("module_output_name") == "scores"
    return "logits" if scores else "sentence_embedding"


def _pretrained(folder: Path, classifies: bool, attention: str) -> nn.Module:
    transformers = require("transformers", extra="export")
    refuse_pickle(folder)
    auto = transformers.AutoModelForSequenceClassification if classifies else transformers.AutoModel
    try:
        with _quiet(transformers):
            model, info = auto.from_pretrained(
                str(folder),
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=True,
                attn_implementation=attention,
                output_loading_info=True,
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
