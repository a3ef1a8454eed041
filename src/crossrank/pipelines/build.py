"""Makes the stages that a spec describes; every model is loaded once a process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from crossrank.fuse import Fuse
from crossrank.pipelines.spec import (
    All,
    Bm25,
    Conditioned,
    Cutoff,
    Dense,
    Fusion,
    Learned,
    PipelineSpec,
    Reranker,
    StageSpec,
)
from crossrank.rerank import Rerank
from crossrank.rerank.conditions import Conditions
from crossrank.stage import Cut, Everything, Pipeline, Stage, chain
from crossrank.types import Encoder, Ranking, Scorer

if TYPE_CHECKING:
    from crossrank.fuse.features import Fields
    from crossrank.fuse.learned import LearnedFuse
    from crossrank.store import Collection


@cache
def _scorer(name: str) -> Scorer:
    from crossrank.models import CrossEncoder

    return CrossEncoder(name)


@cache
def _windows(name: str) -> Scorer:
    from crossrank.models import CrossEncoder

    return CrossEncoder(name, long="window")


@cache
def _encoder(name: str) -> Encoder:
    from crossrank.models import BiEncoder

    return BiEncoder(name)


@dataclass(frozen=True, slots=True)
class Models:
    """How a model name becomes a model: by default loaded at first use, then shared."""

    scorer: Callable[[str], Scorer] = _scorer
    encoder: Callable[[str], Encoder] = _encoder
    windows: Callable[[str], Scorer] = _windows  # reads all of a long document


def build(spec: PipelineSpec, collection: Collection, models: Models | None = None) -> Pipeline:
    """The pipeline of `spec` over `collection`, ready to be called with a `Search`."""
    loading = models or Models()
    return chain([stage_of(each, collection, loading) for each in spec.stages], spec.name)


def stage_of(spec: StageSpec, collection: Collection, models: Models) -> Stage[Ranking]:
    """One stage of a pipeline, with the stages inside it."""
    match spec:
        case Bm25():
            from crossrank.retrieve import BM25

            return BM25(collection, depth=spec.depth, where=spec.where or None)
        case Dense():
            from crossrank.retrieve import Dense as DenseStage

            encoder = models.encoder(spec.model)
            return DenseStage(collection, encoder, depth=spec.depth, where=spec.where or None)
        case All():
            return Everything()
        case Cutoff():
            return Cut(spec.depth)
        case Reranker():
            load = models.windows if spec.long == "window" else models.scorer
            return Rerank(load(spec.model), depth=spec.depth, weight=spec.weight)
        case Conditioned():
            scorer = models.scorer(spec.model) if spec.model else None
            return Conditions(scorer, depth=spec.depth, strength=spec.strength)
        case Fusion():
            inner = [stage_of(each, collection, models) for each in spec.of]
            return fuse_of(spec, inner)
        case Learned():
            inner = [stage_of(each, collection, models) for each in spec.of]
            return learned_of(spec, inner, collection)


def fuse_of(spec: Fusion, inner: Sequence[Stage[Ranking]]) -> Fuse:
    """The fusion of `spec` over stages made already."""
    names = spec.normalise[0] if len(spec.normalise) == 1 else spec.normalise
    return Fuse(
        *inner,
        method=spec.method,
        weights=spec.weights,
        normalise=names,
        missing=spec.missing,
        k=spec.k,
        depth=spec.depth,
    )


def learned_of(
    spec: Learned, inner: Sequence[Stage[Ranking]], collection: Collection
) -> LearnedFuse:
    """The learned fusion of `spec` over stages made already."""
    from crossrank.fuse.learned import LearnedFuse, load_learned

    model = load_learned(Path(spec.model))
    fields = metadata(collection)
    return LearnedFuse(
        *inner, model=model, analysis=collection.analyzer, fields=fields, depth=spec.depth
    )


def metadata(collection: Collection) -> Fields:
    """The metadata of documents of a collection, by row."""
    return lambda rows: [document.fields for document in collection.documents(rows)]
