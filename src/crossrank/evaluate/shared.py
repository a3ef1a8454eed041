"""Pipelines over one collection with every shared beginning run once, and kept on disk.

A stage is run for a block of queries at a time; a block that is kept is not run again. So an
interrupted experiment goes on where it was, and pipelines that begin alike (or fuse the same
stages) pay once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossrank import __version__
from crossrank.evaluate.kept import Kept, RankingStore, key_from
from crossrank.pipelines.spec import Fusion, Learned, PipelineSpec, StageSpec
from crossrank.stage import Stage, Step, Trace
from crossrank.types import Ranking, Search

if TYPE_CHECKING:
    from crossrank.pipelines.build import Models
    from crossrank.store import Collection

BLOCK = 32


@dataclass(frozen=True, slots=True)
class Known:
    """A stage whose answer is known already."""

    name: str
    ranking: Ranking

    def __call__(self, given: Search, /) -> Ranking:
        """The known answer."""
        return self.ranking


@dataclass(frozen=True, slots=True)
class Ran:
    """What a stage gave for all queries, block by block, and the key it is kept under."""

    key: str
    steps: tuple[Step, ...]  # the inner ones first, the last holds the result
    blocks: tuple[Ranking, ...]


class SharedRun:
    """Runs pipelines over one collection and one set of queries.

    `done` is told the queries finished, counted once for each stage; `runs` counts the blocks
    that had to be computed.
    """

    def __init__(
        self,
        collection: Collection,
        search: Search,
        store: RankingStore,
        done: Callable[[int], None] = lambda count: None,
        models: Models | None = None,
        block: int = BLOCK,
    ) -> None:
        from crossrank.pipelines.build import Models as Loading

        self._collection, self._store, self._done = collection, store, done
        self._models = models or Loading()
        self._given = [
            search.select(slice(start, start + block))
            for start in range(0, max(len(search), 1), block)
        ]
        state = collection.corpus().state
        self._root = key_from([str(collection.path.resolve()), str(state), __version__])
        self._known: dict[str, Ran] = {}
        self._finished = 0
        self.runs = 0

    def trace(self, pipeline: PipelineSpec) -> Trace:
        """The trace of a pipeline; what is known is not run again, its time is as it was then."""
        steps: list[Step] = []
        key, blocks = self._root, self._given
        for stage in pipeline.stages:
            ran = self._run(stage, key, blocks)
            steps.extend(ran.steps)
            key, blocks = ran.key, list(ran.blocks)
        return Trace(tuple(steps))

    def _run(self, spec: StageSpec, parent: str, given: Sequence[Search]) -> Ran:
        key = key_from([parent, repr(spec), *_fingerprints(spec)])
        if key not in self._known:
            if isinstance(spec, Fusion | Learned):
                self._known[key] = self._fused(spec, key, parent, given)
            else:
                self._known[key] = self._plain(spec, key, given)
        return self._known[key]

    def _plain(self, spec: StageSpec, key: str, given: Sequence[Search]) -> Ran:
        from crossrank.pipelines.build import stage_of

        # made when the first block has to be run: what is kept needs no model
        stages: list[Stage[Ranking]] = []

        def stage() -> Stage[Ranking]:
            if not stages:
                stages.append(stage_of(spec, self._collection, self._models))
            return stages[0]

        return self._blocks(key, stage_name(spec), given, lambda at: stage()(given[at]), ())  # type: ignore[arg-type]

    def _fused(self, spec: Fusion | Learned, key: str, parent: str, given: Sequence[Search]) -> Ran:
        from crossrank.pipelines.build import fuse_of, learned_of

        inner = [self._run(each, parent, given) for each in spec.of]
        steps = tuple(step for each in inner for step in each.steps)

        def fused(at: int) -> Ranking:
            known = [Known(each.steps[-1].name, each.blocks[at]) for each in inner]
            if isinstance(spec, Fusion):
                return fuse_of(spec, known)(given[at])
            return learned_of(spec, known, self._collection)(given[at])

        return self._blocks(key, stage_name(spec), given, fused, steps)

    def _blocks(
        self,
        key: str,
        name: str,
        given: Sequence[Search],
        run: Callable[[int], Ranking],
        before: tuple[Step, ...],
    ) -> Ran:
        found = [self._block(key, at, part, run) for at, part in enumerate(given)]
        whole = Ranking.concat([each.ranking for each in found])
        step = Step(name, whole, sum(each.seconds for each in found))
        return Ran(key, (*before, step), tuple(each.ranking for each in found))

    def _block(self, key: str, at: int, given: Search, run: Callable[[int], Ranking]) -> Kept:
        queries = given.queries
        own = key_from([key, *queries.ids, "", *queries.texts])
        kept = self._store.get(own, given)
        if kept is None:
            start = time.perf_counter()
            kept = Kept(run(at), time.perf_counter() - start)
            self._store.put(own, kept)
            self.runs += 1
        self._finished += len(queries)
        self._done(self._finished)
        return kept


def stage_name(spec: StageSpec) -> str:
    """A short name for tables, with what tells it from others of its type."""
    match spec:
        case Fusion():
            return f"fuse {spec.method}"
        case _ if hasattr(spec, "model") and "/" in spec.model:
            return f"{spec.type} {spec.model.rstrip('/').rpartition('/')[2]}"
        case _:
            return spec.type


def count_stages(pipelines: Sequence[PipelineSpec]) -> int:
    """How many different stages these pipelines have: what runs when nothing is kept."""
    seen: set[tuple[StageSpec, ...]] = set()

    def add(stage: StageSpec, before: tuple[StageSpec, ...]) -> None:
        seen.add((*before, stage))
        for inner in stage.of if isinstance(stage, Fusion | Learned) else ():
            add(inner, before)

    for pipeline in pipelines:
        for at, stage in enumerate(pipeline.stages):
            add(stage, pipeline.stages[:at])
    return len(seen)


def _fingerprints(spec: StageSpec) -> list[str]:
    """What changes when the files of a stage's model do."""
    from crossrank.errors import Error
    from crossrank.models.hub import find_model

    name = getattr(spec, "model", "")
    if not name or isinstance(spec, Fusion):
        return []
    try:
        folder = find_model(name)
    except Error:
        return [name]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(path, path.stat()) for path in files]
    return [f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats]
