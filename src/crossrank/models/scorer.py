"""`CrossEncoder`: reads a query and a document together and scores how well they fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from crossrank.errors import BadInput, ModelError
from crossrank.models.backend import Runtime
from crossrank.models.backend_onnx import Device, Mask
from crossrank.models.heads import Reals, activation, head_of, softmax
from crossrank.models.loaded import load
from crossrank.models.pairs import QUERY_SHARE, Flags, Joined, Joiner
from crossrank.models.scores import (
    AGGREGATES,
    Aggregate,
    PairScores,
    Ranked,
    aggregate_scale,
    combine,
)
from crossrank.models.settings import Kind
from crossrank.models.template import pair_template
from crossrank.models.tokens import TokenStore
from crossrank.models.watch import Done, unwatched
from crossrank.types import Floats, Offsets, Scale

Long = Literal["truncate", "window"]
Pair = tuple[str, str]
DEFAULT: Final = "crossrank-small"
_CHUNK: Final = 2048  # pairs in memory at a time, as tokens


class CrossEncoder:
    """A cross-encoder: `score` pairs, `rank` documents, or hand it to `Rerank` as a `Scorer`.

    `name_or_path` is a directory, the name of a bundled model, or an id of the Hugging Face hub.
    Scores are float32 on the stated `scale`, log-odds of relevance for most models. A score does
    not depend on what else is scored: int8 graphs that scale over a batch run pair by pair, others
    agree within 1e-5. One object may be used by any number of threads.
    """

    def __init__(
        self,
        name_or_path: str | Path = DEFAULT,
        *,
        long: Long = "truncate",
        aggregate: Aggregate = "max",
        max_length: int = 0,
        query_share: float = QUERY_SHARE,
        label: str = "",
        graph: str = "",
        revision: str = "",
        device: Device = "auto",
        runtime: Runtime = "onnx",
    ) -> None:
        """Loads the model, or takes the one loaded before.

        long: "truncate" cuts what does not fit, from the document first; "window" reads all of
        it in overlapping windows, whose scores are combined as `aggregate` says.
        max_length: tokens of an input, 0 for what the model is meant for.
        query_share: the part of the room that a query may take from a document that needs it.
        label: for a model of several classes, the one whose log-odds are the score.
        graph, revision, device: see `find_model`; "auto" takes a GPU that onnxruntime can use.
        runtime: "onnx", or "torch-fp32", "torch-bf16", "torch-fp16" to run safetensors with torch
        (extra `export`); "auto" then takes a GPU that torch can use.
        """
        if aggregate not in AGGREGATES:
            raise BadInput(f"aggregate={', '.join(AGGREGATES)} wanted, got {aggregate!r}")
        if long not in get_args(Long):
            raise BadInput(f"long={' or '.join(get_args(Long))} wanted, got {long!r}")
        self._model = load(
            name_or_path, Kind.CROSS, graph=graph, revision=revision, device=device, runtime=runtime
        )
        settings, backend = self._model.files.settings, self._model.backend
        if backend.rank != 2 or backend.width < 1:
            raise ModelError(
                f"a graph that gives logits [batch, labels] wanted, {self._model.files.graph} "
                f"gives an output of rank {backend.rank}: is it a bi-encoder?"
            )
        self._title, self._label = str(name_or_path), label
        self._head = head_of(settings, backend.width, label)
        self._aggregate: Aggregate = aggregate
        self.scale: Scale = self._head.scale
        windows = long == "window" and aggregate != "first"
        if windows:
            self.scale = aggregate_scale(aggregate, self.scale)
        length = _length(max_length, settings.max_length, settings.positions)
        template = pair_template(self._model.tokenizer)
        self._joiner = Joiner(template, length, query_share, windows)

    @property
    def name(self) -> str:
        """The model's name with a hash of its content: scores of equal names are comparable."""
        joiner, settings = self._joiner, self._model.files.settings
        stated = {
            "max_length": joiner.max_length if joiner.max_length != settings.max_length else "",
            "query_share": joiner.query_share if joiner.query_share != QUERY_SHARE else "",
            "label": self._label,
            "windows": self._aggregate if joiner.windows else "",
        }
        changed = [f"{name}={value}" for name, value in stated.items() if value]
        return ":".join([self._model.name, *changed])

    @property
    def folder(self) -> Path:
        """Where the model lies."""
        return self._model.files.folder

    @property
    def max_length(self) -> int:
        """The most tokens of a pair that are read at once."""
        return self._joiner.max_length

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the model's outputs."""
        return self._head.labels

    def __repr__(self) -> str:
        return f"CrossEncoder({self._title!r}, scale={self.scale}, max_length={self.max_length})"

    def score(self, pairs: Iterable[Pair], done: Done = unwatched) -> Floats:
        """One score for each (query, document): float32 [n], in input order, on `scale`.

        Pairs are read as they are needed, so a generator of millions takes little memory.
        """
        return self.scored(pairs, done).values

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        """One score for each (queries[i], documents[i]): float32 [n]. The form of a `Scorer`."""
        return self.score_noted(queries, documents).values

    def score_noted(self, queries: Sequence[str], documents: Sequence[str]) -> PairScores:
        """The scores of (queries[i], documents[i]) with their scale and what was cut."""
        if len(queries) != len(documents):
            raise BadInput(
                f"as many queries as documents wanted, got {len(queries)} and {len(documents)}"
            )
        return self.scored(zip(queries, documents, strict=True))

    def scored(self, pairs: Iterable[Pair], done: Done = unwatched) -> PairScores:
        """Scores with their scale, the pairs that were cut, and the windows they took."""
        values: list[Floats] = [np.empty(0, np.float32)]
        cut: list[Flags] = [np.empty(0, np.bool_)]
        windows: list[Offsets] = [np.empty(0, np.int64)]
        count = 0
        for joined, outputs in self._runs(pairs):
            counts = np.bincount(joined.owner, minlength=len(joined.truncated))
            starts = np.cumsum(counts) - counts
            values.append(
                combine(self._head.scores(outputs), starts, self._aggregate, self._head.scale)
            )
            cut.append(joined.truncated)
            windows.append(counts)
            count += len(counts)
            done(count)
        return PairScores(
            np.concatenate(values), self.scale, np.concatenate(cut), np.concatenate(windows)
        )

    def probability(self, pairs: Iterable[Pair], done: Done = unwatched) -> Reals:
        """The probability of relevance, float64 [n]: one sigmoid of the logits, not calibrated.

        Raises BadInput for models whose scores are not logits.
        """
        return self.scored(pairs, done).probability()

    def class_probabilities(self, pairs: Iterable[Pair], done: Done = unwatched) -> Reals:
        """The probability of each of the `labels`: float64 [n, labels], rows that sum to 1."""
        if len(self.labels) < 2:
            raise BadInput("a model of several classes wanted, this one has one output")
        return softmax(self._outputs(pairs, done))

    def predict(self, pairs: Iterable[Pair], done: Done = unwatched) -> Reals:
        """What sentence-transformers' `CrossEncoder.predict` gives, with the model's activation.

        float64 [n], or [n, labels] for several labels. Its scale is the model's own business:
        prefer `score` and `probability`, which state theirs.
        """
        apply = activation(self._model.files.settings.activation, len(self.labels))
        values = apply(self._outputs(pairs, done).astype(np.float64))
        return values[:, 0] if len(self.labels) == 1 else values

    def rank(self, query: str, documents: Sequence[str], top_k: int | None = None) -> list[Ranked]:
        """The documents, best first (ties in input order), the best `top_k` of them if given."""
        found = self.score_noted([query] * len(documents), documents)
        order = np.argsort(-found.values, kind="stable")[:top_k]
        return [
            Ranked(
                rank,
                int(at),
                float(found.values[at]),
                found.scale,
                documents[at],
                bool(found.truncated[at]),
            )
            for rank, at in enumerate(order, 1)
        ]

    def _outputs(self, pairs: Iterable[Pair], done: Done) -> Floats:
        if self._joiner.windows:
            raise BadInput("one window a pair wanted for raw outputs, this one has long='window'")
        parts: list[Floats] = [np.empty((0, len(self.labels)), np.float32)]
        count = 0
        for _, outputs in self._runs(pairs):
            parts.append(outputs)
            count += len(outputs)
            done(count)
        return np.concatenate(parts)

    def _runs(self, pairs: Iterable[Pair]) -> Iterator[tuple[Joined, Floats]]:
        """The inputs and outputs of a few pairs at a time."""
        store = TokenStore(self._model.tokenizer)
        rest = iter(pairs)
        while chunk := list(islice(rest, _CHUNK)):
            queries, documents = _columns(chunk)
            joined = self._joiner.join(store.read(queries), store.read(documents))
            yield joined, self._model.backend.run(joined.batch, _as_it_is)


def _as_it_is(outputs: Floats, mask: Mask) -> Floats:
    return outputs


def _columns(pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
    wrong = next((each for each in pairs if isinstance(each, str) or len(each) != 2), None)
    if wrong is not None:
        raise BadInput(f"pairs (query, document) wanted, got {wrong!r:.80}")
    queries, documents = zip(*pairs, strict=True)
    return list(queries), list(documents)


def _length(wanted: int, meant: int, most: int) -> int:
    if wanted < 0 or wanted > most:
        raise BadInput(f"a max_length up to {most} tokens wanted, got {wanted}")
    return wanted or meant
