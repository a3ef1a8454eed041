"""Writes a torch model as an ONNX graph with free batch and sequence axes, and checks the graph.

Import this only after `extras.require("torch", extra="export")`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from crossrank.errors import ModelError
from crossrank.extras import require
from crossrank.models.backend_onnx import OnnxBackend
from crossrank.models.backend_torch import TorchBackend
from crossrank.models.parity import Parity
from crossrank.models.probe import compare
from crossrank.models.tokens import TokenBatch
from crossrank.models.torch_modules import TorchModel

OPSET: Final = 17
TOLERANCE: Final = 1e-3  # float32 sums in another order; a wrong graph is off by far more


def export_graph(model: TorchModel, batch: TokenBatch, path: Path) -> tuple[Parity, str]:
    """Writes `path`; the parity with torch on `batch`, and which exporter of torch wrote it.

    Tracing comes first: it takes a second where torch.export takes ten, and ONNX Runtime runs
    both graphs equally fast. Where the traced graph is not equal to the model (it depends on the
    shapes it was traced with) torch.export is tried. Raises ModelError when neither is equal.
    """
    found = ""
    torch_side = TorchBackend(model, "cpu")
    for name, write in (("trace", _trace), ("torch.export", _torch_export)):
        try:
            with _quiet():
                write(model, path)
            graph_side = OnnxBackend(path, model.pad, "cpu")
            drift = compare(torch_side, graph_side, batch, vectors=model.output != "logits")
        except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
            found += f"\n{name}: {str(error).splitlines()[0] if str(error) else error!r}"
            continue
        if drift.within(TOLERANCE):
            return drift, name
        found += f"\n{name}: {drift}"
    raise ModelError(f"the exported graph does not compute what the model computes:{found}")


def _example(model: TorchModel) -> tuple[Tensor, ...]:
    """Padded inputs of no special shape, so that a trace takes no short cut."""
    ids = (torch.arange(33).reshape(3, 11) * 7 + 5) % model.vocabulary
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    ids[1, 7:] = model.pad
    kinds = torch.zeros_like(ids)
    kinds[:, 5:] = 1
    return (ids, mask, kinds)[: len(model.inputs)]


def _trace(model: TorchModel, path: Path) -> None:
    axes = {name: {0: "batch", 1: "sequence"} for name in model.inputs}
    axes[model.output] = {0: "batch"}
    if model.output == "last_hidden_state":
        axes[model.output] = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        model.module,
        _example(model),
        str(path),
        input_names=list(model.inputs),
        output_names=[model.output],
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )


def _torch_export(model: TorchModel, path: Path) -> None:
    require("onnxscript", extra="export")
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    torch.onnx.export(
        model.module,
        _example(model),
        str(path),
        input_names=list(model.inputs),
        output_names=[model.output],
        dynamic_shapes=(tuple(free for _ in model.inputs),),
        dynamo=True,
        external_data=False,
        verbose=False,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice of both exporters, which a user of crossrank cannot follow."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
