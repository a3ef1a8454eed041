"""The starting point of a run: a model by path or hub id, made smaller where asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crossrank.errors import BadInput, Error, NotFound, Offline
from crossrank.extras import require
from crossrank.io.documents import read_documents
from crossrank.io.problems import Problems
from crossrank.types import Ranking, Scale

if TYPE_CHECKING:
    from crossrank.train.config import TrainConfig
    from crossrank.train.objectives import Objective
    from crossrank.train.students import Student


def load_student(
    kind: str, config: TrainConfig, objective: Objective, data: Ranking, folder: Path | None = None
) -> Student:
    """The student of that kind, from `config.model` (or from `folder`, which takes its place)."""
    from crossrank.train.students.tokens import Tokeniser

    source = str(folder) if folder else located(config.model)
    outputs = objective.outputs(grades_of(data)) if objective.classes else 1
    with _quietly(config.model):
        model, tokenizer = _loaded(kind, source, outputs)
    if folder is None:
        tokenizer = _shrunk(model, tokenizer, config, data)
    tokens = Tokeniser(tokenizer, config.max_length, config.query_length)
    return _student(kind, model, tokens, config, objective)


def trim(
    model: str, out: Path, files: Sequence[Path], size: int, layers: int | tuple[int, ...]
) -> tuple[str, str]:
    """Writes a smaller copy of a model; tells its size before and after, in words.

    size: pieces to keep, the most frequent in `files`; 0 for all. layers: see `drop_layers`.
    """
    require("transformers", extra="train")
    from crossrank.train.shrink import describe, drop_layers, trim_vocabulary
    from crossrank.train.students.quiet import quiet

    if size and not files:
        raise BadInput("texts wanted to tell which pieces to keep, got none: give --texts")
    if (out / "config.json").exists():
        raise BadInput(f"a folder without a model wanted to write, {out} has one")
    with _quietly(model):
        loaded, tokenizer = _original(located(model))
    before = describe(loaded)
    if layers:
        drop_layers(loaded, layers)
    if size:
        tokenizer, _ = trim_vocabulary(loaded, tokenizer, _bodies(files), size)
    with quiet():
        loaded.save_pretrained(str(out), safe_serialization=True)
        tokenizer.save_pretrained(str(out))
    return before, describe(loaded)


def _original(source: str) -> tuple[Any, Any]:
    """A model as the class that its config.json names, with its tokenizer."""
    import transformers

    names = transformers.AutoConfig.from_pretrained(source).architectures or []
    known = getattr(transformers, names[0], None) if names else None
    loader = known or transformers.AutoModel
    model = loader.from_pretrained(source, use_safetensors=True)
    return model, transformers.AutoTokenizer.from_pretrained(source)


def _student(
    kind: str, model: Any, tokens: Any, config: TrainConfig, objective: Objective
) -> Student:
    if kind == "cross-encoder":
        from crossrank.train.students.cross import CrossStudent

        scale = Scale(config.scale) if config.scale else None
        return CrossStudent(model, tokens, objective, scale)
    if objective.classes:
        raise BadInput(f"a {kind} gives one score a pair: objective {objective.name!r} is for "
                       "cross-encoders")  # fmt: skip
    if kind == "bi-encoder":
        from crossrank.train.students.bi import BiStudent

        return BiStudent(model, tokens, config.similarity, objective.name)
    from crossrank.train.students.late import LateModel, LateStudent

    return LateStudent(LateModel(model, config.similarity.dimension), tokens, config.similarity)


def grades_of(data: Ranking) -> int:
    """How many classes labelled data has: whole labels from 0 to this minus 1, at least 2."""
    labels = data.scores
    if (labels < 0).any() or (labels != np.round(labels)).any():
        wrong = labels[(labels < 0) | (labels != np.round(labels))][0]
        raise BadInput(f"whole labels from 0 wanted for classes and grades, got {wrong:g}")
    return max(2, int(labels.max(initial=0)) + 1)


def located(model: str) -> str:
    """The directory of a model, downloaded first when `model` is a hub id."""
    path = Path(model).expanduser()
    if path.is_dir():
        return str(path / "0_Transformer" if (path / "0_Transformer").is_dir() else path)
    if path.is_absolute() or model.startswith(".") or model.count("/") > 1:
        raise NotFound(f"a model directory or a hub id wanted, {model} is not there")
    hub = require("huggingface_hub", extra="train")
    try:
        return str(
            hub.snapshot_download(
                model, allow_patterns=["*.json", "*.txt", "*.model", "model*.safetensors"]
            )
        )
    except Exception as error:
        raise Offline(
            f"the model {model!r} is neither a directory here nor in the hub's cache, and cannot "
            f"be downloaded now ({type(error).__name__}): give the path of a model directory"
        ) from error


def recompute_activations(module: Any) -> None:
    """Gradient checkpointing: activations are computed again instead of kept, to save memory."""
    model = module if hasattr(module, "config") else module.model
    settings = {"use_reentrant": False}
    if hasattr(model, "activation_checkpointing_enable"):  # transformers from 5.20 or so
        model.activation_checkpointing_enable(activation_checkpointing_kwargs=settings)
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=settings)


def _loaded(kind: str, source: str, outputs: int) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source)
    if kind == "cross-encoder":
        model = AutoModelForSequenceClassification.from_pretrained(
            source, num_labels=outputs, ignore_mismatched_sizes=True, use_safetensors=True
        )
        if outputs == 1:  # transformers would call the one output a regression of its own
            model.config.problem_type = None
    else:
        model = AutoModel.from_pretrained(source, use_safetensors=True)
    return model.float(), tokenizer


def _shrunk(model: Any, tokenizer: Any, config: TrainConfig, data: Ranking) -> Any:
    from crossrank.train.shrink import drop_layers, trim_vocabulary

    start = config.start
    if start.layers:
        drop_layers(model, start.layers)
    if start.vocabulary:
        texts = _texts(data, start.texts)
        tokenizer, _ = trim_vocabulary(model, tokenizer, texts, start.vocabulary)
    return tokenizer


def _texts(data: Ranking, files: Sequence[Path]) -> Iterator[str]:
    yield from data.queries.texts
    yield from data.corpus.texts(np.unique(data.docs))
    yield from _bodies(files)


def _bodies(files: Sequence[Path]) -> Iterator[str]:
    for document in read_documents(list(files), Problems()):
        yield f"{document.title}\n{document.text}".strip()


@contextmanager
def _quietly(name: str) -> Iterator[None]:
    """Loads without the library's chatter; its errors become ours, with the name of the model."""
    from crossrank.train.students.quiet import quiet

    try:
        with quiet():
            yield
    except Error:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise NotFound(
            f"{name}: a directory with config.json, a tokenizer and model.safetensors wanted, "
            f"loading it failed: {error}"
        ) from error
