"""ONNX files given more outputs, more weights or other ones, without the package onnx.

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
_OPERATION: Final = 4  # NodeProto.op_type
_WEIGHT_NAME: Final = 8  # TensorProto.name
_KIND: Final = 2  # TensorProto.data_type
_NUMBERS: Final = 5  # TensorProto.int32_data, where an int8 may lie too
_RAW: Final = 9  # TensorProto.raw_data
_INT8: Final = 3  # TensorProto.INT8
_UINT8: Final = 2  # TensorProto.UINT8
_INT32: Final = 6  # TensorProto.INT32
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
_INTEGERS: Final = {"MatMulInteger": (1, 3), "DequantizeLinear": (0, 2)}
"""Operations that read int8 weights, and which inputs are the weight and its zero point."""
_FLIPPED: Final = bytes(each ^ 0x80 for each in range(256))  # x + 128 of two's complement


def with_outputs(model: bytes, names: Sequence[str], axes: int = 4) -> bytes:
    """The model with these float32 values of its graph, of `axes` axes, as further outputs."""
    shape = _field(_SHAPE, _field(_AXIS, b"") * axes)
    kind = _field(_TENSOR, _number(_ELEMENT, _FLOAT) + shape)
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


def with_unsigned_weights(model: bytes) -> bytes:
    """The model with uint8 for int8 weights: 128 more, and their zero points too.

    Every product is the same number, for (w + 128) - (z + 128) = w - z. Reads both forms of
    quantised graphs, integer products and weights that are dequantised. Weights kept outside of
    the file stay as they are.
    """
    signed = _signed_weights(model)
    if not signed:
        return model
    made = bytearray()
    for number, whole, content in _pieces(memoryview(model)):
        if number != _GRAPH:
            made += whole
            continue
        graph = bytearray()
        for part, piece, tensor in _pieces(content):
            if part == _WEIGHT and _name(tensor, _WEIGHT_NAME) in signed:
                piece = memoryview(_field(_WEIGHT, _unsigned(tensor)))
            graph += piece
        made += _field(_GRAPH, bytes(graph))
    return bytes(made)


def int8_product(weights: bytes, shape: tuple[int, int]) -> bytes:
    """A model that multiplies its input `a`, uint8 [n, shape[0]], by these int8 weights: int32."""
    dims = b"".join(_number(1, size) for size in shape)
    tensor = dims + _number(_KIND, _INT8) + _field(_WEIGHT_NAME, b"b") + _field(_RAW, weights)
    node = _field(_NODE_INPUT, b"a") + _field(_NODE_INPUT, b"b") + _field(_NODE_OUTPUT, b"y")
    node += _field(_OPERATION, b"MatMulInteger")

    def value(name: bytes, kind: int) -> bytes:
        axes = _field(_SHAPE, _field(_AXIS, b"") * 2)
        return _field(_NAME, name) + _field(_TYPE, _field(_TENSOR, _number(_ELEMENT, kind) + axes))

    graph = _field(_NODE, node) + _field(2, b"product") + _field(_WEIGHT, tensor)
    graph += _field(_INPUT, value(b"a", _UINT8)) + _field(_OUTPUT, value(b"y", _INT32))
    return _number(1, 8) + _field(8, _number(2, 13)) + _field(_GRAPH, graph)  # IR 8, opset 13


def _signed_weights(model: bytes) -> set[str]:
    """The names of int8 weights and their zero points that only such operations read."""
    pairs: list[set[str]] = []
    elsewhere: set[str] = set()
    signed: set[str] = set()
    for number, content in _graph(model):
        if number == _NODE:
            places = _INTEGERS.get(_name(content, _OPERATION), ())
            inputs = [bytes(name).decode() for n, name in _fields(content) if n == _NODE_INPUT]
            elsewhere.update(name for i, name in enumerate(inputs) if i not in places)
            pairs.append({name for i, name in enumerate(inputs) if i in places and name})
        elif number == _WEIGHT and _is_int8(content):
            signed.add(_name(content, _WEIGHT_NAME))
    found = signed & set[str]().union(*pairs) - elsewhere
    for pair in pairs:  # a weight or zero point that cannot change with the other stays too
        if len(pair) < 2 or not pair <= found:
            found -= pair
    return found


def _is_int8(tensor: memoryview) -> bool:
    """Whether a tensor is of int8, its content in the file."""
    held = {number: bytes(content[:1]) for number, _, content in _pieces(tensor)}
    return held.get(_KIND) == bytes([_INT8]) and (_RAW in held or _NUMBERS in held)


def _int8(tensor: memoryview) -> bytes:
    """The content of an int8 tensor."""
    found = bytearray()
    for number, whole, content in _pieces(tensor):
        if number == _RAW:
            found += content
        elif number == _NUMBERS:  # one a field, or many packed into one
            at, end = (0, len(content)) if whole[0] & 7 == _DELIMITED else (0, 1)
            while at < end:
                value, at = _read_varint(content, at)
                found.append(value & 0xFF)
    return bytes(found)


def _unsigned(tensor: memoryview) -> bytes:
    """An int8 tensor as uint8, 128 added."""
    made = bytearray()
    for number, whole, _ in _pieces(tensor):
        if number not in (_KIND, _RAW, _NUMBERS):
            made += whole
    return bytes(made) + _number(_KIND, _UINT8) + _field(_RAW, _int8(tensor).translate(_FLIPPED))


def _graph(model: bytes) -> Iterator[tuple[int, memoryview]]:
    """The fields of the model's graph, of all its parts."""
    for number, content in _fields(memoryview(model)):
        if number == _GRAPH:
            yield from _fields(content)


def _name(message: memoryview, number: int) -> str:
    return next((bytes(c).decode() for n, c in _fields(message) if n == number), "")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and content of the length-delimited fields; others are passed over."""
    for number, whole, content in _pieces(message):
        if whole[0] & 7 == _DELIMITED:
            yield number, content


def _pieces(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number, all bytes and content of every field."""
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        kind, inside = key & 7, at
        if kind == _DELIMITED:
            size, inside = _read_varint(message, at)
            at = inside + size
        elif kind == _VARINT:
            _, at = _read_varint(message, at)
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
        if at > len(message):
            raise ValueError("the message ends within a field")
        yield key >> 3, message[start:at], message[inside:at]


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


def _number(number: int, value: int) -> bytes:
    """A field that holds a number."""
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
