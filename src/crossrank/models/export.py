"""Weights to ONNX, once: what comes out is cached by content, and later loads need no torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from crossrank.errors import ModelError
from crossrank.extras import require
from crossrank.models.cached import (
    content_hash,
    copy_sidecars,
    made_once,
    place_directory,
    refuse_taken,
)
from crossrank.models.export_attention import with_attention_outputs
from crossrank.models.export_report import graph_of, read_report, write_report
from crossrank.models.files import find_graph
from crossrank.models.parity import PAIRS
from crossrank.models.probe import probe_batch
from crossrank.models.quantise import Mode, quantise_into
from crossrank.models.sbert import transformer_folder
from crossrank.models.tokens import load_tokenizer

_FORMAT: Final = "export 1"  # raise it when an exporter changes what it writes


def ensure_onnx(folder: Path, mode: Mode = Mode.FP32) -> Path:
    """A directory with `model.onnx`, tokenizer and configuration for the model in `folder`.

    `folder` itself where it has an ONNX graph already; else an exported copy in the cache, made
    the first time (extra `export`). With another `mode` a quantised copy of that.
    Graph inputs: input_ids, attention_mask and, where the model has them, token_type_ids, int64
    [b, s]. First output: `logits` [b, labels] for a cross-encoder, also a modular one;
    `sentence_embedding` [b, dimension] for a bi-encoder, after all of its modules (pooling,
    dense, normalise); `last_hidden_state` [b, s, hidden] for a bare encoder.
    """
    exported = folder
    if find_graph(folder) is None:
        exported = made_once("onnx", content_hash(folder, _FORMAT), lambda to: _export(folder, to))
    if mode is Mode.FP32:
        return exported
    name = content_hash(exported, _FORMAT, mode)
    return made_once("onnx", name, lambda to: quantise_into(exported, to, mode))


def export_model(folder: Path, out: Path, mode: Mode = Mode.FP32) -> dict[str, Any]:
    """Writes the exported model as the new directory `out`; returns the report that lies in it.

    Raises ModelError when `out` is there already, and what `ensure_onnx` raises.
    """
    refuse_taken(out)
    made = ensure_onnx(folder, mode)
    if made == folder:
        raise ModelError(f"weights without ONNX wanted, {folder} has {find_graph(folder)} already")
    place_directory(out, lambda to: _copy(made, to))
    return read_report(out)


def export_with_attention(folder: Path) -> Path:
    """The ONNX file of the model in `folder` with the output `attentions` added; cached.

    The output is float32 [layers, b, heads, s, s]. Needs the extra `export`: only its package
    onnx where `folder` has a graph already.
    """
    exported = ensure_onnx(folder)
    graph = graph_of(exported)

    def make(to: Path) -> None:
        (to / "model.onnx").write_bytes(with_attention_outputs(graph))

    return made_once("onnx", content_hash(exported, _FORMAT, "attentions"), make) / "model.onnx"


def _export(folder: Path, to: Path) -> None:
    torch = require("torch", extra="export")
    transformers = require("transformers", extra="export")
    require("onnx", extra="export")
    from crossrank.models.torch_export import export_graph
    from crossrank.models.torch_modules import load_torch

    model = load_torch(folder)
    copy_sidecars(folder, to)
    tokenizer = _tokenizer(transformers, folder, to)
    batch = probe_batch(folder, tokenizer, PAIRS, model.output == "logits")
    drift, exporter = export_graph(model, batch, to / "model.onnx")
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    size = (to / "model.onnx").stat().st_size
    facts = {"mode": Mode.FP32, "bytes": size, "exporter": exporter, "versions": versions}
    write_report(to, facts, drift)


def _tokenizer(transformers: Any, folder: Path, to: Path) -> Any:
    """The model's fast tokenizer; written to `to` where the source had none ready."""
    path = to / "tokenizer.json"
    head = transformer_folder(folder)
    if (head / "tokenizer.json").is_file():
        return load_tokenizer(head / "tokenizer.json")
    try:
        slow = transformers.AutoTokenizer.from_pretrained(
            str(head), trust_remote_code=False, local_files_only=True, use_fast=True
        )
        slow.backend_tokenizer.save(str(path))
    except (OSError, ValueError, AttributeError, ImportError) as error:
        raise ModelError(f"{folder}: no tokenizer.json, and none can be made: {error}") from error
    return load_tokenizer(path)


def _copy(source: Path, to: Path) -> None:
    shutil.copytree(source, to, dirs_exist_ok=True)
