"""Plain runs of an ONNX graph on padded inputs, to compare graphs with each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from crossrank.errors import ModelError
from crossrank.types import Floats

Feed = dict[str, npt.NDArray[np.int64]]
Pairs = Sequence[tuple[str, str]]

# Families that count positions from pad_token_id + 1.
_OFFSET_POSITIONS: Final = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl")


def session(graph: Path, threads: int = 0) -> Any:
    """An ONNX Runtime session on the CPU that says nothing; 0 threads: as many as cores."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def gives_vectors(running: Any) -> bool:
    """Whether the first output of a session is one of vectors rather than logits."""
    return str(running.get_outputs()[0].name) != "logits"


def run_all(running: Any, inputs: Sequence[Feed]) -> Floats:
    """The first output of a session, one row a text, over all of `inputs`."""
    rows = [per_text(running.run(None, feed)[0], feed["attention_mask"]) for feed in inputs]
    return np.concatenate(rows)


def per_text(values: npt.ArrayLike, mask: npt.NDArray[np.int64]) -> Floats:
    """Outputs as float32 [b, n]: of token vectors, the mean and the last over the real tokens."""
    outputs = np.asarray(values, dtype=np.float32)
    if outputs.ndim == 2:
        return outputs
    weights = mask[:, :, None].astype(np.float32)
    mean = (outputs * weights).sum(1) / weights.sum(1)
    last = outputs[np.arange(len(mask)), mask.sum(1) - 1]
    return np.concatenate([mean, last], axis=1)


def feeds_for(folder: Path, running: Any, pairs: Pairs) -> list[Feed]:
    """The inputs of a session for `pairs`, by the tokenizer and the limits of its directory."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelError(f"a tokenizer.json wanted in {folder}, found none")
    names = [each.name for each in running.get_inputs()]
    tokenizer = Tokenizer.from_file(str(path))
    return feeds(tokenizer, pairs, names, positions(folder), not gives_vectors(running))


def positions(folder: Path) -> int:
    """How many tokens the model in `folder` can read; 512 where its configuration is silent."""
    config = _json(folder / "config.json")
    most = int(config.get("max_position_embeddings") or 512)
    if config.get("model_type") in _OFFSET_POSITIONS:
        most -= int(config.get("pad_token_id") or 0) + 1
    return min(most, int(_json(folder / "crossrank.json").get("max_length") or most))


def feeds(
    tokenizer: Tokenizer,
    pairs: Pairs,
    names: Sequence[str],
    most: int,
    joined: bool,
    batch: int = 6,
) -> list[Feed]:
    """The graph inputs `names` for `pairs`, padded by batch, in order, cut to `most` tokens.

    `joined` gives one input a pair, else one for each of its two texts that is not blank.
    """
    reader = Tokenizer.from_str(tokenizer.to_str())  # the caller's keeps its settings
    reader.no_padding()
    reader.enable_truncation(min(most, 512))
    singles = [text for pair in pairs for text in pair if text.strip()]
    encodings = reader.encode_batch(list(pairs) if joined else singles)
    encodings = [each for each in encodings if each.ids]
    groups = (encodings[at : at + batch] for at in range(0, len(encodings), batch))
    return [{name: _column(group, name) for name in names} for group in groups]


def _column(group: Sequence[Encoding], name: str) -> npt.NDArray[np.int64]:
    column = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
    rows = [getattr(encoding, column[name]) for encoding in group]
    padded = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for at, row in enumerate(rows):
        padded[at, : len(row)] = row
    return padded


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
