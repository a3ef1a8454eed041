"""Runs a graph with ONNX Runtime: one session, single-threaded runs on every core at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput, ModelError
from crossrank.models.batches import Order, batches, fair_budget
from crossrank.models.padding import padded
from crossrank.models.saturation import saturates
from crossrank.models.tokens import TokenBatch
from crossrank.models.wire import with_unsigned_weights
from crossrank.models.workers import cores, run_each
from crossrank.types import Floats, Offsets

Device = Literal["auto", "cpu", "cuda"]
Mask = npt.NDArray[np.int64]
# The graph's output for a padded group, and its attention mask [b, s], to one row each: [b, k].
Reduce = Callable[[Floats, Mask], Floats]

_INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
_TYPES: Final = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_CPU_TOKENS: Final = 1024  # fits the caches of a core; more gains nothing there
_GPU_TOKENS: Final = 1 << 16
# Outputs that hold what is wanted, most finished first; else the first output is taken.
_OUTPUTS: Final = ("logits", "sentence_embedding", "last_hidden_state", "token_embeddings")


class OnnxBackend:
    """A loaded graph. It may be used by any number of threads at once.

    Results do not depend on the threads: a job is cut into the same groups whoever runs it.
    `alone`: a graph that scales its activations over the whole batch (dynamic int8) gets one
    input a run, since a score would depend on its company otherwise. For passages that costs
    nothing (there is no padding), for inputs of a dozen tokens about half more time.
    """

    def __init__(self, graph: Path | bytes, pad: int, device: Device = "auto") -> None:
        """`graph`: an ONNX file, or what is in one."""
        self.device = _chosen(device)
        content = b""
        source = graph
        if self.device == "cpu":
            content = graph.read_bytes() if isinstance(graph, Path) else graph
            source = exact(graph, content)
        self._session = _session(source, self.device)
        self._pad = pad
        self.alone = _scales_over_batches(content)
        self._inputs = _inputs(self._session, graph)
        output = _output(self._session)
        self._name: str = output.name
        self.rank = len(output.shape)
        self.width = output.shape[-1] if isinstance(output.shape[-1], int) else 0
        self.pooled = output.name == "sentence_embedding"

    def run(self, batch: TokenBatch, reduce: Reduce) -> Floats:
        """What `reduce` makes of the graph's output for each input: float32 [n, k]."""
        lengths = batch.lengths()
        groups = list(batches(lengths, self._budget(lengths)))
        rows: dict[int, Floats] = {}

        def work(at: int) -> None:
            feed = self._feed(batch, groups[at])
            columns = np.arange(feed["input_ids"].shape[1])
            mask = (columns < lengths[groups[at]][:, None]).astype(np.int64)
            try:
                (found,) = self._session.run([self._name], feed)
            except Exception as error:  # the library raises classes of its own
                raise ModelError(
                    f"the graph failed on {mask.shape[0]} inputs of up to {mask.shape[1]} tokens "
                    f"(is its max_length lower?): {error}"
                ) from error
            rows[at] = reduce(np.asarray(found, dtype=np.float32), mask)

        run_each(work, range(len(groups)), alone=self.device == "cuda")
        if not groups:
            return np.empty((0, self.width), np.float32)
        out = np.empty((len(batch), rows[0].shape[1]), np.float32)
        for at, group in enumerate(groups):
            out[group] = rows[at]
        return out

    def _budget(self, lengths: Offsets) -> int:
        if self.device == "cuda":
            return _GPU_TOKENS
        if self.alone:
            return 1
        return fair_budget(lengths, cores(), _CPU_TOKENS)

    def _feed(self, batch: TokenBatch, group: Order) -> dict[str, Any]:
        """The graph's inputs for some inputs of a batch."""
        made = dict(padded(batch, group, self._pad))
        shape = made["input_ids"].shape
        made["position_ids"] = np.broadcast_to(np.arange(shape[1]), shape)
        return {name: made[name].astype(kind) for name, kind in self._inputs.items()}


def exact(graph: Path | bytes, content: bytes) -> Path | bytes:
    """The graph, `content` its bytes, with products exact on this processor (see `saturates`)."""
    if not any(each in content for each in (b"MatMulInteger", b"DequantizeLinear")):
        return graph
    if not saturates():
        return graph
    try:
        made = with_unsigned_weights(content)
    except ValueError:  # no graph: ONNX Runtime says so
        return graph
    return graph if made is content else made


def _chosen(device: Device) -> str:
    import onnxruntime as ort

    gpu = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cuda" and not gpu:
        raise BadInput(
            "a GPU wanted (device='cuda'), this onnxruntime has none: install onnxruntime-gpu"
        )
    return "cuda" if gpu and device != "cpu" else "cpu"


def _session(graph: Path | bytes, device: str) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # a plan for each shape would be kept for ever
    options.enable_cpu_mem_arena = False  # an arena keeps the most it ever needed
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    try:
        return ort.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph),
            options,
            providers=providers if device == "cuda" else providers[1:],
        )
    except Exception as error:  # the library raises classes of its own
        raise ModelError(
            f"a graph that ONNX Runtime runs wanted, {_title(graph)}: {error}"
        ) from error


def _title(graph: Path | bytes) -> str:
    return str(graph) if isinstance(graph, Path) else f"one of {len(graph):,} bytes"


def _scales_over_batches(content: bytes) -> bool:
    """Whether the graph has an operation whose scale is taken from all of its input."""
    return b"DynamicQuantizeLinear" in content or b"DynamicQuantizeMatMul" in content


def _inputs(session: Any, graph: Path | bytes) -> dict[str, Any]:
    """The numpy type of each input of the graph."""
    found = {each.name: _TYPES.get(each.type) for each in session.get_inputs()}
    strange = [name for name, kind in found.items() if name not in _INPUTS or kind is None]
    if strange or "input_ids" not in found:
        raise ModelError(
            f"{_title(graph)}: the inputs {', '.join(_INPUTS)} wanted, got {list(found)}"
        )
    return found


def _output(session: Any) -> Any:
    found = {each.name: each for each in session.get_outputs()}
    name = next((name for name in _OUTPUTS if name in found), next(iter(found)))
    return found[name]
