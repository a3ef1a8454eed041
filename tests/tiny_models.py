"""Tiny models written without torch: a random BERT graph, a tokenizer of letters, settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from crossrank.train.graph import bert_graph
from crossrank.types import Floats
from tiny_transformers import POSITIONS, tiny_tokenizer

HIDDEN = 16
PROMPTED = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
    ],
    "pair": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"SpecialToken": {"id": "q", "type_id": 0}},
        {"SpecialToken": {"id": "##,", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
        {"SpecialToken": {"id": "[CLS]", "type_id": 1}},
        {"SpecialToken": {"id": "p", "type_id": 1}},
        {"Sequence": {"id": "B", "type_id": 1}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
    ],
}


def tensors(labels: int = 0, seed: int = 0) -> dict[str, Floats]:
    """Random weights of a BERT of one layer, 16 wide; with a classifier of `labels` outputs."""
    rng = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings": (tiny_tokenizer().get_vocab_size(), HIDDEN),
        "embeddings.position_embeddings": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings": (2, HIDDEN),
    }
    part = "encoder.layer.0"
    for name in ("self.query", "self.key", "self.value", "output.dense"):
        shapes[f"{part}.attention.{name}"] = (HIDDEN, HIDDEN)
    shapes[f"{part}.intermediate.dense"] = (32, HIDDEN)
    shapes[f"{part}.output.dense"] = (HIDDEN, 32)
    if labels:
        shapes |= {"pooler.dense": (HIDDEN, HIDDEN), "classifier": (labels, HIDDEN)}
    found = {f"{name}.weight": rng.normal(size=shape) * 0.4 for name, shape in shapes.items()}
    biased = [name for name in shapes if not name.startswith("embeddings")]
    found |= {f"{name}.bias": rng.normal(size=shapes[name][0]) * 0.1 for name in biased}
    for name in ("embeddings", f"{part}.attention.output", f"{part}.output"):
        found[f"{name}.LayerNorm.weight"] = np.ones(HIDDEN)
        found[f"{name}.LayerNorm.bias"] = np.zeros(HIDDEN)
    return {name: value.astype(np.float32) for name, value in found.items()}


def save_cross(folder: Path, settings: Mapping[str, Any] | None = None, labels: int = 1) -> Path:
    """A cross-encoder whose pair template has prompts and token types; `crossrank.json` added."""
    usual = {"kind": "cross-encoder", "max_length": POSITIONS}
    return _save(folder, bert_graph(tensors(labels), 2, 1e-12), usual | dict(settings or {}), True)


def save_bi(folder: Path, settings: Mapping[str, Any] | None = None) -> Path:
    """A bi-encoder that gives token vectors, with prompts; `crossrank.json` added."""
    prompts = {"query": "q, ", "document": "p, "}
    usual = {"kind": "bi-encoder", "max_length": POSITIONS, "prompts": prompts}
    return _save(folder, bert_graph(tensors(), 2, 1e-12), usual | dict(settings or {}), False)


def _save(folder: Path, graph: onnx.ModelProto, settings: dict[str, Any], prompted: bool) -> Path:
    folder.mkdir(parents=True)
    onnx.save(graph, str(folder / "model.onnx"))
    tokenizer = json.loads(tiny_tokenizer().to_str())
    if prompted:
        ids = tokenizer["model"]["vocab"]
        names = ("[CLS]", "[SEP]", "q", "##,", "p")
        special = {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in names}
        tokenizer["post_processor"] = PROMPTED | {"special_tokens": special}
    for name, content in (("tokenizer.json", tokenizer), ("crossrank.json", settings)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder
