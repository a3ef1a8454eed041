"""ONNX files given more outputs, without the package onnx.

In the wire format of protocol buffers two messages one after the other are one merged message:
lists are joined. A model with more outputs is therefore its own bytes, followed by a model that
has nothing but a graph that has nothing but those outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_GRAPH: Final = 7  # ModelProto.graph
_OUTPUT: Final = 12  # GraphProto.output
_NODE_OUTPUT: Final = 2  # NodeProto.output
_NAME: Final = 1  # ValueInfoProto.name
_TYPE: Final = 2  # ValueInfoProto.type
_TENSOR: Final = 1  # TypeProto.tensor_type
_ELEMENT: Final = 1  # TypeProto.Tensor.elem_type
_FLOAT: Final = 1  # TensorProto.FLOAT
_SHAPE: Final = 2  # TypeProto.Tensor.shape
_AXIS: Final = 1  # TensorShapeProto.dim


def with_outputs(model: bytes, names: Sequence[str], axes: int = 4) -> bytes:
    """The model with these float32 values of its graph, of `axes` axes, as further outputs."""
    shape = _field(_SHAPE, _field(_AXIS, b"") * axes)
    kind = _field(_TENSOR, _varint(_ELEMENT << 3) + _varint(_FLOAT) + shape)
    outputs = b"".join(
        _field(_OUTPUT, _field(_NAME, name.encode()) + _field(_TYPE, kind)) for name in names
    )
    return model + _field(_GRAPH, outputs)


def is_output_of_a_node(model: bytes, name: str) -> bool:
    """Whether a node of the model's graph computes the value `name`."""
    return _field(_NODE_OUTPUT, name.encode()) in model


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
