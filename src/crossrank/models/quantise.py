"""Smaller and faster forms of an ONNX model: int8 in three ways, and fp16 for GPUs.

Only matrix products with constant weights are quantised; attention, normalisation and activations
stay float32. What is lost is measured while it is made and lies beside it in `export.json`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from crossrank.errors import BadInput, ModelError
from crossrank.extras import require
from crossrank.models.backend_onnx import OnnxBackend
from crossrank.models.batches import batches
from crossrank.models.cached import copy_sidecars, place_directory, refuse_taken
from crossrank.models.describe import read_settings
from crossrank.models.export_report import graph_of, read_report, write_report
from crossrank.models.padding import Rectangle, padded
from crossrank.models.parity import PAIRS
from crossrank.models.probe import Pairs, compare_graphs, gives_logits, probe_batch
from crossrank.models.quantise_rows import indexing_nodes, int8_rows
from crossrank.models.tokens import load_tokenizer


class Mode(StrEnum):
    """How the weights of a model are stored and multiplied."""

    FP32 = "fp32"
    INT8 = "int8"  # activations scaled by their range over the input: fastest on a CPU
    INT8_BLOCK = "int8-block"  # scaled by blocks of 32: closest to fp32, same in any batch
    INT8_STATIC = "int8-static"  # activations scaled by ranges seen on calibration texts
    FP16 = "fp16"  # for GPUs; a CPU gains nothing
    BF16 = "bf16"  # only the torch backend: ONNX Runtime lacks the kernels


@dataclass(frozen=True, slots=True)
class Options:
    """What may be chosen about int8.

    `per_channel` scales each output of a matrix on its own; `embeddings` stores the word vectors
    as int8 rows with a scale each; `seven_bit` keeps weights within 7 bits, exact on CPUs without
    VNNI, whose int8 products can saturate.
    """

    per_channel: bool = True
    embeddings: bool = False
    seven_bit: bool = False


def quantise_model(
    folder: Path,
    out: Path,
    mode: Mode,
    options: Options = Options(),
    calibration: Pairs = (),
) -> dict[str, Any]:
    """Writes the quantised model as the new directory `out`; returns the report that lies in it.

    `calibration` are (query, document) pairs for `int8-static`, a few hundred of what the model
    will read. Raises ModelError when `out` is there already or the graph cannot be quantised.
    """
    refuse_taken(out)
    place_directory(out, lambda to: quantise_into(folder, to, mode, options, calibration))
    return read_report(out)


def quantise_into(
    folder: Path,
    to: Path,
    mode: Mode,
    options: Options = Options(),
    calibration: Pairs = (),
) -> None:
    """Fills the directory `to` with the model in `folder`, quantised."""
    if mode not in _WRITERS:
        raise ModelError(
            f"one of {', '.join(_WRITERS)} wanted, got {mode}: for bf16 use the torch backend"
        )
    onnx = require("onnx", extra="export")
    graph, target = graph_of(folder), to / "model.onnx"
    copy_sidecars(folder, to)
    model = onnx.load(str(graph))
    _refuse_quantised(graph, {node.op_type for node in model.graph.node})
    if options.embeddings:
        int8_rows(onnx, model)
    with _quiet():
        names = [each.name for each in model.graph.input]
        reader = _calibrating(folder, graph, names, mode, calibration)
        _WRITERS[mode](model, target, options, reader)
    drift = compare_graphs(folder, graph, target, PAIRS)
    sizes = {"bytes": target.stat().st_size, "bytes_before": graph.stat().st_size}
    write_report(to, {"mode": mode, "options": asdict(options), **sizes}, drift)


def _refuse_quantised(graph: Path, operators: set[str]) -> None:
    done = operators & {"MatMulInteger", "MatMulNBits", "DequantizeLinear", "QLinearMatMul"}
    if done:
        raise ModelError(
            f"a float32 graph wanted, {graph} is quantised already ({', '.join(sorted(done))}): "
            "start from the weights"
        )


def _dynamic(model: Any, target: Path, options: Options, _reader: Any) -> None:
    tools = require("onnxruntime.quantization", extra="export")
    tools.quantize_dynamic(
        model,
        target,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=options.per_channel,
        reduce_range=options.seven_bit,
        extra_options={"MatMulConstBOnly": True},
    )


def _block(model: Any, target: Path, _options: Options, _reader: Any) -> None:
    tools = require("onnxruntime.quantization.matmul_nbits_quantizer", extra="export")
    config = tools.DefaultWeightOnlyQuantConfig(
        block_size=_BLOCK, is_symmetric=True, accuracy_level=_INT8_PRODUCTS, bits=8
    )
    quantiser = tools.MatMulNBitsQuantizer(model, algo_config=config)
    quantiser.process()
    quantiser.model.save_model_to_file(str(target), False)


def _static(model: Any, target: Path, options: Options, reader: Any) -> None:
    tools = require("onnxruntime.quantization", extra="export")
    tools.quantize_static(
        model,
        target,
        reader,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=options.per_channel,
        reduce_range=options.seven_bit,
        activation_type=tools.QuantType.QUInt8,
        weight_type=tools.QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )


def _half(model: Any, target: Path, _options: Options, _reader: Any) -> None:
    tools = require("onnxruntime.transformers.float16", extra="export")
    onnx = require("onnx", extra="export")
    exact = [*tools.DEFAULT_OP_BLOCK_LIST]
    kept = indexing_nodes(onnx, model)
    half = tools.convert_float_to_float16(
        model, keep_io_types=True, op_block_list=exact, node_block_list=kept
    )
    onnx.save(half, str(target))


_BLOCK: Final = 32
_CALIBRATION_TOKENS: Final = 1024
_INT8_PRODUCTS: Final = 4  # accuracy_level of MatMulNBits: activations as int8, block by block
_WRITERS: Final[dict[Mode, Callable[[Any, Path, Options, Any], None]]] = {
    Mode.INT8: _dynamic,
    Mode.INT8_BLOCK: _block,
    Mode.INT8_STATIC: _static,
    Mode.FP16: _half,
}


class _Reader:
    """The inputs of a calibration, one after the other, as ONNX Runtime asks for them."""

    def __init__(self, feeds: Iterable[Mapping[str, Rectangle]]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Mapping[str, Rectangle] | None:
        return next(self._feeds, None)


def _calibrating(
    folder: Path, graph: Path, names: Sequence[str], mode: Mode, pairs: Pairs
) -> _Reader:
    if mode is not Mode.INT8_STATIC:
        return _Reader([])
    if not pairs:
        raise BadInput(f"texts to calibrate {mode} on wanted, got none: pass some hundred pairs")
    pad = read_settings(folder).pad or 0
    backend = OnnxBackend(graph, pad, "cpu")
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    batch = probe_batch(folder, tokenizer, pairs, gives_logits(backend))
    groups = batches(batch.lengths(), _CALIBRATION_TOKENS)
    feeds = (padded(batch, group, pad) for group in groups)
    return _Reader({name: feed[name] for name in names} for feed in feeds)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that onnxruntime.quantization writes to the root logger."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
