"""Leaves out of a model's graph the weights that another model has: see `borrows` in a
directory's crossrank.json."""

from __future__ import annotations

import onnx
from onnx import numpy_helper

SMALL = 256
"""Constants of up to so many bytes stay: they tell nothing and cost nothing."""


def without_borrowed(model: onnx.ModelProto, lender: onnx.ModelProto) -> onnx.ModelProto:
    """The model without what the lender has under the same name with the same content."""
    theirs = {each.name: each for each in lender.graph.initializer}

    def borrowed(own: onnx.TensorProto) -> bool:
        content = _content(own)
        return (
            len(content[-1]) > SMALL
            and own.name in theirs
            and content == _content(theirs[own.name])
        )

    kept = [each for each in model.graph.initializer if not borrowed(each)]
    out = onnx.ModelProto()
    out.CopyFrom(model)
    del out.graph.initializer[:]
    out.graph.initializer.extend(kept)
    return out


def _content(tensor: onnx.TensorProto) -> tuple[int, tuple[int, ...], bytes]:
    return tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes()
