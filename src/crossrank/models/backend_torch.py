"""Runs a directory of safetensors with torch: on a GPU, or where bf16 is wanted on a CPU.

Import this only after `extras.require("torch", extra="export")`, or use `torch_backend`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch

from crossrank.errors import BadInput
from crossrank.models.backend_onnx import Device, Reduce
from crossrank.models.batches import batches
from crossrank.models.padding import padded
from crossrank.models.tokens import TokenBatch
from crossrank.models.torch_modules import TorchModel, load_torch
from crossrank.types import Floats

Precision = Literal["fp32", "bf16", "fp16"]
PRECISIONS: Final[dict[str, Precision]] = {
    "torch-fp32": "fp32",
    "torch-bf16": "bf16",
    "torch-fp16": "fp16",
}
_DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_CPU_TOKENS: Final = 2048
_GPU_TOKENS: Final = 1 << 16


class TorchBackend:
    """A loaded torch model with the same `run` as the ONNX backend; any number of threads."""

    def __init__(self, model: TorchModel, device: Device, precision: Precision = "fp32") -> None:
        if precision not in _DTYPES:
            raise BadInput(f"a precision of {', '.join(_DTYPES)} wanted, got {precision!r}")
        self.device: str = _device(device)
        self._model = model
        self._module = model.module.to(self.device, _DTYPES[precision])
        self.rank = 3 if model.output == "last_hidden_state" else 2
        self.width = model.width
        self.pooled = model.output == "sentence_embedding"

    def run(self, batch: TokenBatch, reduce: Reduce) -> Floats:
        """What `reduce` makes of the model's output for each input: float32 [n, k]."""
        most = _GPU_TOKENS if self.device == "cuda" else _CPU_TOKENS
        out: Floats | None = None
        for group in batches(batch.lengths(), most):
            feed = padded(batch, group, self._model.pad)
            tensors = (torch.from_numpy(feed[name]).to(self.device) for name in self._model.inputs)
            with torch.inference_mode():
                found = self._module(*tensors).float().cpu().numpy()
            rows = reduce(found, feed["attention_mask"])
            if out is None:
                out = np.empty((len(batch), rows.shape[1]), np.float32)
            out[group] = rows
        return np.empty((0, self.width), np.float32) if out is None else out


def torch_backend(
    folder: Path, device: Device = "auto", precision: Precision = "fp32"
) -> TorchBackend:
    """The model in `folder` (safetensors) on a device: "auto" takes a GPU where there is one.

    bf16 and fp16 halve the memory; on a CPU only bf16 may gain speed. Outputs come as float32.
    """
    return TorchBackend(load_torch(folder, attention=None), device, precision)


def _device(wanted: Device) -> str:
    gpu = torch.cuda.is_available()
    if wanted == "cuda" and not gpu:
        raise BadInput("a GPU wanted (device='cuda'), torch sees none: check the driver, or 'cpu'")
    return "cuda" if gpu and wanted != "cpu" else "cpu"
