"""Leaves out of a model's graph the weights that another model has: see `borrows` in a
directory's crossrank.json."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
from onnx import numpy_helper

SMALL = 256
"""Constants of up to so many bytes stay: they tell nothing and cost nothing."""


def without_borrowed(model: onnx.ModelProto, lender: Path) -> tuple[onnx.ModelProto, str]:
    """The model without what the graph in `lender` has under the same name with the same content,
    and that graph's SHA-256."""
    theirs = {each.name: each for each in onnx.load(lender).graph.initializer}
    kept = [
        each
        for each in model.graph.initializer
        if each.name not in theirs
        or _content(each) != _content(theirs[each.name])
        or len(_content(each)[-1]) <= SMALL
    ]
    out = onnx.ModelProto()
    out.CopyFrom(model)
    del out.graph.initializer[:]
    out.graph.initializer.extend(kept)
    return out, hashlib.sha256(lender.read_bytes()).hexdigest()


def _content(tensor: onnx.TensorProto) -> tuple[int, tuple[int, ...], bytes]:
    return tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes()
