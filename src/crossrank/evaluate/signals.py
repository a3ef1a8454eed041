"""The rankings a fusion is tuned on: from run files, or from the inner stages of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crossrank.errors import BadInput
from crossrank.evaluate.runs import over_one_corpus, read_runs
from crossrank.fuse.features import Analysis, Fields
from crossrank.fuse.setting import Setting
from crossrank.pipelines.spec import All, Fusion, Learned, PipelineSpec, StageSpec
from crossrank.types import Ranking, Search

if TYPE_CHECKING:
    from crossrank.pipelines.build import Models
    from crossrank.store import Collection


@dataclass(frozen=True, slots=True)
class Signals:
    """Rankings of the same queries by name, and where texts and metadata come from, if known."""

    rankings: dict[str, Ranking]
    analysis: Analysis | None = None
    fields: Fields | None = None


def signals_of_runs(paths: Sequence[Path]) -> Signals:
    """The rankings of run files, laid over one corpus."""
    named = read_runs(paths)
    return Signals(dict(zip(named, over_one_corpus(list(named.values())), strict=True)))


def signals_of_pipeline(
    spec: PipelineSpec,
    collection: Collection,
    search: Search,
    done: Callable[[int], None] = lambda count: None,
    models: Models | None = None,
    batch: int = 8,
) -> Signals:
    """What each inner stage of the fusion at the end of a pipeline makes of the queries.

    `done` is told the number of queries finished. Raises BadInput where no fusion is at the end.
    """
    from crossrank.pipelines.build import Models as Loading
    from crossrank.pipelines.build import metadata, stage_of
    from crossrank.stage import chain

    loading = models or Loading()
    inner = fusion_of(spec).of
    before = [stage_of(each, collection, loading) for each in spec.stages[:-1]]
    stages = [stage_of(each, collection, loading) for each in inner]
    parts: list[list[Ranking]] = [[] for _ in stages]
    for start in range(0, len(search.queries), batch):
        given = search.select(slice(start, start + batch))
        candidates = chain(before)(given) if before else given
        for found, stage in zip(parts, stages, strict=True):
            found.append(stage(candidates))  # type: ignore[arg-type]
        done(min(start + batch, len(search.queries)))
    rankings = [Ranking.concat(each) for each in parts]
    names = signal_names(inner)
    return Signals(
        dict(zip(names, rankings, strict=True)), collection.analyzer, metadata(collection)
    )


def fusion_of(spec: PipelineSpec) -> Fusion | Learned:
    """The fusion a pipeline ends with. Raises BadInput where it ends with something else."""
    last = spec.stages[-1]
    if not isinstance(last, Fusion | Learned):
        raise BadInput(
            f"a pipeline that ends with a fusion (type 'fuse') wanted, {spec.name!r} ends with "
            f"{last.type!r}"
        )
    return last


def signal_names(stages: Sequence[StageSpec]) -> tuple[str, ...]:
    """Names for the stages of a fusion: their types, numbered where one comes twice."""
    types = [stage.type for stage in stages]
    return tuple(
        f"{name}-{types[: i + 1].count(name)}" if types.count(name) > 1 else name
        for i, name in enumerate(types)
    )


def tuned_pipeline(spec: PipelineSpec, setting: Setting) -> PipelineSpec:
    """The pipeline with the fusion at its end set as `tune` found best."""
    last, how = fusion_of(spec), setting.how
    names = (how.normalise,) if isinstance(how.normalise, str) else how.normalise
    of = tuple(_at_depth(each, setting.depth) for each in last.of)
    fusion = Fusion(of, how.method, how.weights, last.depth, names, how.missing, how.k)
    return PipelineSpec((*spec.stages[:-1], fusion), f"{spec.name}-tuned")


def learned_pipeline(spec: PipelineSpec) -> PipelineSpec:
    """The pipeline with the learned fusion at its end that lies in the folder of its file."""
    last = fusion_of(spec)
    stages = (*spec.stages[:-1], Learned(last.of, ".", last.depth))
    return PipelineSpec(stages, f"{spec.name}-learned")


def _at_depth(stage: StageSpec, depth: int) -> StageSpec:
    if not depth or isinstance(stage, All):
        return stage
    return replace(stage, depth=min(stage.depth, depth))
