"""What a pipeline is made of, as plain values: stages, depths, models, weights.

A spec names models by path, hub id or bundled name and loads none; `build` makes the stages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from crossrank.errors import BadInput

EMBED: Final = "crossrank-embed"
SMALL: Final = "crossrank-small"
LONG: Final = ("truncate", "window")
"""What a re-ranker makes of a document that does not fit: its beginning, or all of it."""


def _require(ok: bool, wanted: str, came: object) -> None:
    if not ok:
        raise BadInput(f"{wanted} wanted, got {came!r}")


@dataclass(frozen=True, slots=True)
class Bm25:
    """BM25 over the analysed terms of a collection; `where` is an SQL filter ("" for none)."""

    type: ClassVar[str] = "bm25"
    depth: int = 100
    where: str = ""

    def __post_init__(self) -> None:
        _require(1 <= self.depth <= 10_000, "a depth from 1 to 10,000", self.depth)


@dataclass(frozen=True, slots=True)
class Dense:
    """Nearest vectors of a bi-encoder; `where` is an SQL filter ("" for none)."""

    type: ClassVar[str] = "dense"
    model: str = EMBED
    depth: int = 100
    where: str = ""

    def __post_init__(self) -> None:
        _require(1 <= self.depth <= 10_000, "a depth from 1 to 10,000", self.depth)


@dataclass(frozen=True, slots=True)
class All:
    """Every document of the collection as a candidate: for small collections."""

    type: ClassVar[str] = "all"


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Keeps the first `depth` documents."""

    type: ClassVar[str] = "cut"
    depth: int = 100

    def __post_init__(self) -> None:
        _require(self.depth >= 1, "a depth of 1 or more", self.depth)


@dataclass(frozen=True, slots=True)
class Reranker:
    """A cross-encoder over the first `depth` candidates.

    `weight` is the cross-encoder's share of the final score, 1 for the cross-encoder alone;
    below 1 the incoming ranking keeps the rest (both z-normalised within the query).
    """

    type: ClassVar[str] = "rerank"
    model: str = SMALL
    depth: int = 100
    long: str = "truncate"
    weight: float = 1.0

    def __post_init__(self) -> None:
        _require(self.depth >= 1, "a depth of 1 or more", self.depth)
        _require(0 < self.weight <= 1, "a weight above 0 and up to 1", self.weight)
        _require(self.long in LONG, f"long: {' or '.join(LONG)}", self.long)


@dataclass(frozen=True, slots=True)
class Fusion:
    """Several stages on the same question, their rankings combined.

    After other stages it re-ranks: its inner stages score the candidates. `crossrank.fuse` says
    what method, weights, normalise, missing and k mean; normalise holds one name, or one a stage.
    """

    type: ClassVar[str] = "fuse"
    of: tuple[StageSpec, ...] = ()
    method: str = "rrf"
    weights: tuple[float, ...] = ()
    depth: int = 100
    normalise: tuple[str, ...] = ("auto",)
    missing: str = "auto"
    k: float = 60.0

    def __post_init__(self) -> None:
        _require(len(self.of) >= 2, "two or more stages to fuse (key 'of')", len(self.of))
        _require(self.depth >= 1, "a depth of 1 or more", self.depth)
        if self.weights and len(self.weights) != len(self.of):
            raise BadInput(
                f"one weight for each of {len(self.of)} stages wanted, got {self.weights}"
            )


@dataclass(frozen=True, slots=True)
class Learned:
    """Several stages on the same question, ranked by a model that `crossrank tune` learned.

    `model` is the folder it was written to. It re-ranks after other stages, as a fusion does.
    """

    type: ClassVar[str] = "learned"
    of: tuple[StageSpec, ...] = ()
    model: str = ""
    depth: int = 100

    def __post_init__(self) -> None:
        _require(len(self.of) >= 2, "two or more stages to fuse (key 'of')", len(self.of))
        _require(bool(self.model), "the folder of a learned fusion (key 'model')", self.model)
        _require(self.depth >= 1, "a depth of 1 or more", self.depth)


@dataclass(frozen=True, slots=True)
class Conditioned:
    """Lowers candidates that violate what the query states: numbers, norms, names, negation.

    `model` scores the wanted thing without its conditions ("": none does); `strength` scales what
    a violated condition costs.
    """

    type: ClassVar[str] = "conditions"
    model: str = SMALL
    depth: int = 100
    strength: float = 1.0

    def __post_init__(self) -> None:
        _require(self.depth >= 1, "a depth of 1 or more", self.depth)
        _require(0 < self.strength <= 10, "a strength above 0 and up to 10", self.strength)


StageSpec = Bm25 | Dense | All | Cutoff | Reranker | Conditioned | Fusion | Learned
RETRIEVERS: Final = (Bm25, Dense, All, Fusion, Learned)


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """Stages in order, under a name. The first one must be able to search a collection."""

    stages: tuple[StageSpec, ...]
    name: str = ""

    def __post_init__(self) -> None:
        _require(len(self.stages) >= 1, "at least one stage", len(self.stages))
        first = self.stages[0]
        if not isinstance(first, RETRIEVERS):
            raise BadInput(
                f"a pipeline starts with a stage that searches (bm25, dense, fuse, all), "
                f"got {first.type!r}: put one before it"
            )

    def filtered(self, where: str) -> PipelineSpec:
        """The same pipeline with the SQL filter `where` on everything that searches."""
        return replace(self, stages=tuple(_filtered(stage, where) for stage in self.stages))

    def at_least(self, k: int) -> PipelineSpec:
        """The same pipeline with every depth raised to `k`, so that k results can come out."""
        return replace(self, stages=tuple(_deepened(stage, k) for stage in self.stages))

    def with_reranker(self, model: str) -> PipelineSpec:
        """The same pipeline with another cross-encoder. Raises BadInput if it has none.

        Where several re-rank one after the other, the last one is replaced: those before it sift.
        The weight that suits the bundled cross-encoder is not kept for another one, which then
        decides alone.
        """
        sifting = [i for i, stage in enumerate(self.stages) if isinstance(stage, Reranker)][:-1]
        changed = tuple(
            stage if i in sifting else _reranked(stage, model)
            for i, stage in enumerate(self.stages)
        )
        if not any(isinstance(stage, Reranker) for stage in _flat(changed)):
            raise BadInput(f"pipeline {self.name!r} has no cross-encoder to replace by {model!r}")
        return replace(self, stages=changed)

    def with_models_in(self, folder: Path) -> PipelineSpec:
        """The same pipeline with the folders of learned fusions relative to `folder`."""
        return replace(self, stages=tuple(_located(stage, folder) for stage in self.stages))

    def scores_everything(self) -> bool:
        """Whether a cross-encoder is to score every document of the collection."""
        kinds = [type(stage) for stage in self.stages]
        return kinds[0] is All and kinds[1:2] == [Reranker]

    def encoders(self) -> tuple[str, ...]:
        """The bi-encoders the pipeline needs vectors of."""
        return tuple(dict.fromkeys(s.model for s in _flat(self.stages) if isinstance(s, Dense)))


def _flat(stages: tuple[StageSpec, ...]) -> tuple[StageSpec, ...]:
    inner = (s for stage in stages if isinstance(stage, Fusion | Learned) for s in _flat(stage.of))
    return (*stages, *inner)


def _filtered(stage: StageSpec, where: str) -> StageSpec:
    match stage:
        case Bm25() | Dense():
            both = f"({stage.where}) AND ({where})" if stage.where and where else where
            return replace(stage, where=both or stage.where)
        case Fusion() | Learned():
            return replace(stage, of=tuple(_filtered(inner, where) for inner in stage.of))
        case All() if where:
            raise BadInput("a filter cannot be combined with scoring everything (stage 'all')")
        case _:
            return stage


def _deepened(stage: StageSpec, k: int) -> StageSpec:
    match stage:
        case Fusion() | Learned():
            of = tuple(_deepened(inner, k) for inner in stage.of)
            return replace(stage, of=of, depth=max(stage.depth, k))
        case All():
            return stage
        case _:
            return replace(stage, depth=max(stage.depth, k))


def _reranked(stage: StageSpec, model: str) -> StageSpec:
    match stage:
        case Reranker():
            weight = 1.0 if stage.model == SMALL != model else stage.weight
            return replace(stage, model=model, weight=weight)
        case Conditioned() if stage.model:
            return replace(stage, model=model)
        case Fusion() | Learned():
            return replace(stage, of=tuple(_reranked(inner, model) for inner in stage.of))
        case _:
            return stage


def _located(stage: StageSpec, folder: Path) -> StageSpec:
    if not isinstance(stage, Fusion | Learned):
        return stage
    of = tuple(_located(inner, folder) for inner in stage.of)
    if isinstance(stage, Learned):
        return replace(stage, of=of, model=str(folder / stage.model))
    return replace(stage, of=of)
