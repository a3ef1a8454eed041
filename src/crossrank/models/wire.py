"""ONNX files given more outputs or more weights, without the package onnx.

In the wire format of protocol buffers two messages one after the other are one merged message:
lists are joined. A model with more outputs is therefore its own bytes, followed by a model that
has nothing but a graph that has nothing but those outputs; and so it is with weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

_GRAPH: Final = 7  # ModelProto.graph
_NODE: Final = 1  # GraphProto.node
_WEIGHT: Final = 5  # GraphProto.initializer
_INPUT: Final = 11  # GraphProto.input
_OUTPUT: Final = 12  # GraphProto.output
_NODE_INPUT: Final = 1  # NodeProto.input
_NODE_OUTPUT: Final = 2  # NodeProto.output
_WEIGHT_NAME: Final = 8  # TensorProto.name
_NAME: Final = 1  # ValueInfoProto.name
_TYPE: Final = 2  # ValueInfoProto.type
_TENSOR: Final = 1  # TypeProto.tensor_type
_ELEMENT: Final = 1  # TypeProto.Tensor.elem_type
_FLOAT: Final = 1  # TensorProto.FLOAT
_SHAPE: Final = 2  # TypeProto.Tensor.shape
_AXIS: Final = 1  # TensorShapeProto.dim
_VARINT: Final = 0
_DELIMITED: Final = 2
_FIXED: Final = {1: 8, 5: 4}  # kinds of fields and their bytes


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


def lacking(model: bytes) -> set[str]:
    """The values that nodes of the model's graph read and nothing in it gives."""
    used: set[str] = set()
    given = {""}  # an input that a node leaves out
    for number, content in _graph(model):
        if number == _NODE:
            for each, name in _fields(content):
                if each in (_NODE_INPUT, _NODE_OUTPUT):
                    (used if each == _NODE_INPUT else given).add(bytes(name).decode())
        elif number in (_WEIGHT, _INPUT):
            given.add(_name(content, _WEIGHT_NAME if number == _WEIGHT else _NAME))
    return used - given


def with_weights(model: bytes, lender: bytes) -> bytes:
    """The model with the weights that it lacks and another model has, under the same names."""
    wanted = lacking(model)
    lent = (
        _field(_WEIGHT, bytes(content))
        for number, content in _graph(lender)
        if number == _WEIGHT and _name(content, _WEIGHT_NAME) in wanted
    )
    return model + _field(_GRAPH, b"".join(lent))


def _graph(model: bytes) -> Iterator[tuple[int, memoryview]]:
    """The fields of the model's graph, of all its parts."""
    for number, content in _fields(memoryview(model)):
        if number == _GRAPH:
            yield from _fields(content)


def _name(message: memoryview, number: int) -> str:
    return next((bytes(c).decode() for n, c in _fields(message) if n == number), "")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and content of the length-delimited fields; others are passed over."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == _DELIMITED:
            size, at = _read_varint(message, at)
            if at + size > len(message):
                raise ValueError("the message ends within a field")
            yield key >> 3, message[at : at + size]
            at += size
        elif kind == _VARINT:
            _, at = _read_varint(message, at)
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise ValueError(f"a field of the unknown kind {kind}")


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("the message ends within a number")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | _DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
