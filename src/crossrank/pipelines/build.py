"""Makes the stages that a spec describes; every model is loaded once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from crossrank.fuse import Fuse
from crossrank.pipelines.spec import (
    All,
    Bm25,
    Cutoff,
    Dense,
    Fusion,
    PipelineSpec,
    Reranker,
    StageSpec,
)
from crossrank.rerank import Rerank
from crossrank.stage import Cut, Everything, Pipeline, Stage, chain
from crossrank.types import Encoder, Ranking, Scorer

if TYPE_CHECKING:
    from crossrank.store import Collection


@cache
def _scorer(name: str) -> Scorer:
    from crossrank.models import CrossEncoder

    return CrossEncoder(name)


@cache
def _encoder(name: str) -> Encoder:
    from crossrank.models import BiEncoder

    return BiEncoder(name)


@dataclass(frozen=True, slots=True)
class Models:
    """How a model name becomes a model: by default loaded at first use, then shared."""

    scorer: Callable[[str], Scorer] = _scorer
    encoder: Callable[[str], Encoder] = _encoder


def build(spec: PipelineSpec, collection: Collection, models: Models | None = None) -> Pipeline:
    """The pipeline of `spec` over `collection`, ready to be called with a `Search`."""
    loading = models or Models()
    return chain([_stage(each, collection, loading) for each in spec.stages], spec.name)


def _stage(spec: StageSpec, collection: Collection, models: Models) -> Stage[Ranking]:
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
            return Rerank(models.scorer(spec.model), depth=spec.depth)
        case Fusion():
            inner = [_stage(each, collection, models) for each in spec.of]
            return Fuse(*inner, method=spec.method, weights=spec.weights, depth=spec.depth)
