"""A random cross-encoder of two layers that runs like a real one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from crossrank.train.graph import bert_graph

LAYERS, HEADS, HIDDEN = 2, 2, 8
WORDS = [
    "kühlschrank",
    "labor",
    "280",
    "liter",
    "ohne",
    "gefrierfach",
    "fridge",
    "warm",
    "leise",
    "din",
]


def tiny_model(folder: Path) -> Path:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    onnx.save(bert_graph(_tensors(len(vocabulary)), HEADS, 1e-12), str(folder / "model.onnx"))
    settings = {"kind": "cross-encoder", "max_length": 24, "scale": "logit"}
    (folder / "crossrank.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def _tensors(vocabulary: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(0, 0.7, shape).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": normal(vocabulary, HIDDEN),
        "embeddings.position_embeddings.weight": normal(24, HIDDEN),
        "embeddings.token_type_embeddings.weight": normal(2, HIDDEN),
        "pooler.dense.weight": normal(HIDDEN, HIDDEN),
        "pooler.dense.bias": normal(HIDDEN),
        "classifier.weight": normal(1, HIDDEN),
        "classifier.bias": normal(1),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        own = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            found[f"{own}.attention.{part}.weight"] = normal(HIDDEN, HIDDEN)
            found[f"{own}.attention.{part}.bias"] = normal(HIDDEN)
        found[f"{own}.intermediate.dense.weight"] = normal(16, HIDDEN)
        found[f"{own}.intermediate.dense.bias"] = normal(16)
        found[f"{own}.output.dense.weight"] = normal(HIDDEN, 16)
        found[f"{own}.output.dense.bias"] = normal(HIDDEN)
        norms += [f"{own}.attention.output.LayerNorm", f"{own}.output.LayerNorm"]
    for name in norms:
        found[f"{name}.weight"] = np.ones(HIDDEN, np.float32)
        found[f"{name}.bias"] = np.zeros(HIDDEN, np.float32)
    return found


def tiny_gated(folder: Path) -> Path:
    """A tiny model of the shipped kind, whose head compares token states."""
    from crossrank.train.gated_graph import gated_graph  # brings torch

    tiny_model(folder)
    random = np.random.default_rng(9)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(0, 0.7, shape).astype(np.float32)

    found = {
        "embeddings.words.weight": normal(len(WORDS) + 4, HIDDEN),
        "embeddings.places.weight": normal(24, HIDDEN),
        "gates": normal(LAYERS - 1, HEADS, 2),
        "views": normal(3),
        "weigh.weight": normal(2, HIDDEN),
        "weigh.bias": normal(2),
        "pool.weight": normal(HIDDEN, HIDDEN),
        "pool.bias": normal(HIDDEN),
        "head.weight": normal(1, HIDDEN),
        "head.bias": normal(1),
    }
    sizes = {"qkv": (24, HIDDEN), "mixed": (HIDDEN, HIDDEN), "wide": (16, HIDDEN)}
    for layer in range(LAYERS):
        for part, shape in (sizes | {"narrow": (HIDDEN, 16)}).items():
            found[f"layers.{layer}.{part}.weight"] = normal(*shape)
            found[f"layers.{layer}.{part}.bias"] = normal(shape[0])
        for part in ("middle", "out"):
            found[f"layers.{layer}.{part}.weight"] = np.ones(HIDDEN, np.float32)
            found[f"layers.{layer}.{part}.bias"] = np.zeros(HIDDEN, np.float32)
    found["embeddings.norm.weight"] = np.ones(HIDDEN, np.float32)
    found["embeddings.norm.bias"] = np.zeros(HIDDEN, np.float32)
    onnx.save(gated_graph(found, 1, HEADS, 1e-12, None), str(folder / "model.onnx"))
    return folder


def tiny_encoder(folder: Path) -> Path:
    tiny_model(folder)
    tensors = {
        name: value
        for name, value in _tensors(len(WORDS) + 4).items()
        if not name.startswith(("classifier", "pooler"))
    }
    onnx.save(bert_graph(tensors, HEADS, 1e-12), str(folder / "model.onnx"))
    settings = {
        "kind": "bi-encoder",
        "max_length": 24,
        "prompts": {"query": "labor: ", "document": ""},
    }
    (folder / "crossrank.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder
