"""What runs a model: ONNX Runtime, or torch on the weights themselves."""

from __future__ import annotations

from typing import Final, Literal, Protocol, get_args

from crossrank.errors import BadInput
from crossrank.extras import require
from crossrank.models.backend_onnx import Device, OnnxBackend, Reduce
from crossrank.models.files import ModelFiles
from crossrank.models.tokens import TokenBatch
from crossrank.types import Floats

# "onnx" runs a graph (weights are exported once); the others run safetensors with torch.
Runtime = Literal["onnx", "torch-fp32", "torch-bf16", "torch-fp16"]
RUNTIMES: Final[tuple[Runtime, ...]] = get_args(Runtime)


class Backend(Protocol):
    """A loaded model, safe for any number of threads.

    rank, width: axes of its output and the last one's size (0 if not fixed); pooled: whether the
    output is one finished vector a text; device: "cpu" or "cuda".
    """

    rank: int
    width: int
    pooled: bool
    device: str

    def run(self, batch: TokenBatch, reduce: Reduce) -> Floats:
        """What `reduce` makes of the output for each input of the batch: float32 [n, k]."""
        ...


def load_backend(files: ModelFiles, pad: int, device: Device, runtime: Runtime) -> Backend:
    """The model in `files`, loaded. Raises MissingExtra where torch is wanted and not there."""
    if runtime not in RUNTIMES:
        raise BadInput(f"a runtime of {', '.join(RUNTIMES)} wanted, got {runtime!r}")
    if runtime == "onnx":
        return OnnxBackend(files.whole(), pad, device)
    require("torch", extra="export")
    from crossrank.models.backend_torch import PRECISIONS, torch_backend

    return torch_backend(files.folder, device, PRECISIONS[runtime])
