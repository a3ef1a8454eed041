"""Weights of a shipped graph as float32 tensors, to train on from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from crossrank.train.gated import Encoder, Shape
from crossrank.train.graph import PackedRows

PARTS = ("qkv", "mixed", "wide", "narrow")
NORMS = ("middle", "out")


class Shipped:
    """The constants of an ONNX graph that train.gated_graph and ship.py wrote."""

    def __init__(self, path: Path) -> None:
        self.held = {each.name: each for each in onnx.load(path).graph.initializer}

    def array(self, name: str) -> np.ndarray:
        """A constant as float32."""
        return numpy_helper.to_array(self.held[name]).astype(np.float32)

    def tensor(self, name: str) -> Tensor:
        """A constant as a float32 tensor."""
        return torch.from_numpy(self.array(name).copy())

    def matrix(self, name: str) -> Tensor:
        """A weight [outputs, inputs] of a product, dequantised."""
        if f"{name}_Q8" in self.held:
            return self._blocks(self.array(f"{name}_Q8") - 128.0, name)
        if f"{name}_Q4" in self.held:
            packed = numpy_helper.to_array(self.held[f"{name}_Q4"])
            codes = np.stack([packed & 15, packed >> 4], -1).astype(np.float32)
            return self._blocks(codes.reshape(*packed.shape[:2], -1) - 8.0, name)
        whole = self.array(f"{name}_quantized") - self.array(f"{name}_zero_point")
        return torch.from_numpy(np.ascontiguousarray((whole * self.array(f"{name}_scale")).T))

    def _blocks(self, codes: np.ndarray, name: str) -> Tensor:
        scaled = codes * self.array(f"{name}_scales")[:, :, None]
        return torch.from_numpy(scaled.reshape(len(scaled), -1))

    def layers(self) -> int:
        """How many layers the graph has."""
        return 1 + max(int(n.split(".")[1]) for n in self.held if n.startswith("layer."))

    def layer(self, i: int) -> dict[str, Tensor]:
        """The tensors of layer i under the names of train.gated.Layer."""
        found: dict[str, Tensor] = {}
        for part in PARTS:
            found[f"{part}.weight"] = self.matrix(f"layer.{i}.{part}.weight")
            found[f"{part}.bias"] = self.tensor(f"layer.{i}.{part}.bias")
        for part in NORMS:
            for kind in ("weight", "bias"):
                found[f"{part}.{kind}"] = self.tensor(f"layer.{i}.{part}.{kind}")
        return found

    def words(self) -> PackedRows:
        """The word embeddings as they are packed."""
        nibbles, scales = (
            numpy_helper.to_array(self.held[f"words.{x}"]) for x in ("nibbles", "scales")
        )
        return PackedRows(nibbles.reshape(len(nibbles), -1), scales[:, :, 0])

    def encoder(self, split: int) -> Encoder:
        """The whole bi-encoder."""
        rows = self.words()
        found = {
            "embeddings.words.weight": torch.from_numpy(rows.unpack()),
            "embeddings.places.weight": self.tensor("positions"),
            "embeddings.norm.weight": self.tensor("embeddings.weight"),
            "embeddings.norm.bias": self.tensor("embeddings.bias"),
        }
        for i in range(self.layers()):
            found |= {f"layers.{i}.{name}": value for name, value in self.layer(i).items()}
        encoder = Encoder(Shape(len(rows.nibbles), layers=self.layers(), split=split))
        encoder.load_state_dict(found)
        return encoder
