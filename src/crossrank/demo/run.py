"""Indexes the catalogue, runs BM25, bi-encoder and cross-encoder, and measures each of them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crossrank.demo.catalogue import KINDS, Catalogue, read_catalogue
from crossrank.evaluate import R, Scores, evaluate, nDCG
from crossrank.fuse import Fuse
from crossrank.rerank import Rerank
from crossrank.rerank.conditions import Conditions
from crossrank.retrieve import BM25, Dense
from crossrank.stage import Pipeline, Step, trace_in_batches
from crossrank.types import Encoder, Ranking, Scorer, Search

if TYPE_CHECKING:
    from crossrank.store import Collection

DEPTH = 30
"""How many candidates the cross-encoder reads for a query."""

SHOWN = ("q01", "q06", "q03", "q32")
"""The queries whose results are shown side by side: German, German, English, German."""

TOP = 5
"""How many results of a query are shown."""

FUSED = "both fused"
"""The name of the stage that fuses both retrievers."""

NDCG, RECALL = nDCG @ 10, R(rel=2) @ 10


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the demo: its measures, its wall time for all queries, what it put first.

    `tops` holds the ids of the first documents of each query of the catalogue, in its order.
    """

    name: str
    scores: Scores
    tops: tuple[tuple[str, ...], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the demo found: stages in the order they ran, and the time indexing took."""

    catalogue: Catalogue
    stages: tuple[Stage, ...]
    indexing: float

    def mean(self, stage: Stage, kind: str = "") -> tuple[float, float]:
        """nDCG@10 and Recall@10 (grades 2 and 3) of a stage, over one kind of query or all."""
        chosen = np.array([kind in ("", each) for each in self._kinds(stage)])
        values = stage.scores.values[:, chosen].mean(axis=1)
        return float(values[0]), float(values[1])

    def top(self, stage: Stage, query: str) -> list[tuple[str, int]]:
        """The first documents of a stage for a query id, each with its grade (0: none)."""
        grades = self.catalogue.grades()
        names = stage.tops[self.catalogue.queries.ids.index(query)]
        return [(name, grades.get((query, name), 0)) for name in names]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: measures of each stage over all queries and by kind, shown results, times."""
        count = len(self.catalogue.queries)
        return {
            "documents": len(self.catalogue.documents),
            "queries": count,
            "rerank_depth": DEPTH,
            "indexing_seconds": self.indexing,
            "stages": [
                {
                    "stage": stage.name,
                    **dict(zip(("nDCG@10", "R(rel=2)@10"), self.mean(stage), strict=True)),
                    "seconds": stage.seconds,
                    "ms_per_query": 1000 * stage.seconds / count,
                    "nDCG@10_by_kind": {kind: self.mean(stage, kind)[0] for kind in KINDS},
                    "R(rel=2)@10_by_kind": {kind: self.mean(stage, kind)[1] for kind in KINDS},
                }
                for stage in self.stages
            ],
            "shown": [self._shown(query) for query in SHOWN],
        }

    def query_text(self, query: str) -> str:
        """The text of a query id."""
        queries = self.catalogue.queries
        return queries.texts[queries.ids.index(query)]

    def _shown(self, query: str) -> dict[str, Any]:
        tops = {
            stage.name: [{"id": name, "grade": grade} for name, grade in self.top(stage, query)]
            for stage in self.stages
        }
        return {"query": self.query_text(query), "id": query, "top": tops}

    def _kinds(self, stage: Stage) -> list[str]:
        kinds = dict(zip(self.catalogue.queries.ids, self.catalogue.kinds, strict=True))
        return [kinds[name] for name in stage.scores.queries]


def run(
    encoder: Encoder,
    scorer: Scorer,
    folder: Path | None = None,
    done: Callable[[int], None] = lambda count: None,
    weight: float = 1.0,
) -> Report:
    """Indexes the catalogue in `folder` (else in one that is removed again) and measures it.

    The candidates of BM25 and of the bi-encoder are fused; the first 30 are re-ranked, and with a
    `weight` below 1 blended with what came in; then candidates that violate a condition of the
    query are lowered. `done` is told the number of queries finished.
    """
    if folder is not None:
        return _run(encoder, scorer, folder, done, weight)
    with tempfile.TemporaryDirectory(prefix="crossrank-demo-") as made:
        return _run(encoder, scorer, Path(made) / "catalogue", done, weight)


def _run(
    encoder: Encoder, scorer: Scorer, folder: Path, done: Callable[[int], None], weight: float
) -> Report:
    catalogue = read_catalogue()
    start = time.perf_counter()
    collection = _index(catalogue, encoder, folder)
    indexing = time.perf_counter() - start
    pipeline = Pipeline(
        Fuse(BM25(collection), Dense(collection, encoder, name="bi-encoder"), name=FUSED),
        Rerank(scorer, depth=DEPTH, weight=weight),
        Conditions(scorer, depth=DEPTH),
    )
    search = Search(catalogue.queries, collection.corpus())
    trace = trace_in_batches(pipeline, search, 4, done)
    stages = [_measured(step, catalogue.qrels) for step in trace.steps]
    return Report(catalogue, tuple(stages), indexing)


def _measured(step: Step, qrels: Ranking) -> Stage:
    """The stage with all that is wanted of its ranking, whose collection may go away."""
    tops = tuple(tuple(step.ranking.corpus.ids(rows[:TOP])) for rows, _ in step.ranking)
    scores = evaluate(step.ranking, qrels, (NDCG, RECALL))
    return Stage(step.name, scores, tops, step.seconds)


def _index(catalogue: Catalogue, encoder: Encoder, folder: Path) -> Collection:
    from crossrank.store import Collection

    collection = Collection.create(folder)
    collection.add(catalogue.documents, [encoder])
    return collection
