"""One query answered: the documents, why they are shown, and what every stage did and took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crossrank.pipelines.build import Models, build
from crossrank.pipelines.hits import Hit, Place, hits
from crossrank.pipelines.spec import PipelineSpec
from crossrank.rerank.conditions import CHECKING, Stated, Wanted, stated, wanted
from crossrank.stage import Step, Trace, Watch, unwatched
from crossrank.text.snippet import Snippet, snippet
from crossrank.types import Note, Queries, Search

if TYPE_CHECKING:
    from crossrank.store import Collection


@dataclass(frozen=True, slots=True)
class Result:
    """One document of an answer: where it stood in each stage, and what a person reads of it.

    `conditions` are empty unless the pipeline has a stage that checks them.
    """

    hit: Hit
    title: str
    snippet: Snippet
    fields: Mapping[str, Any]
    conditions: tuple[Stated, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values; `stages` lists rank and score of each stage in order."""
        hit = self.hit
        return {
            "rank": hit.rank,
            "id": hit.id,
            "score": hit.score,
            "scale": str(hit.scale),
            "moved": hit.moved,
            "title": self.title,
            "snippet": self.snippet.text,
            "highlights": [list(span) for span in self.snippet.highlights],
            "fields": dict(self.fields),
            "conditions": [each.as_dict() for each in self.conditions],
            "stages": [_place(place) for place in hit.places],
        }


@dataclass(frozen=True, slots=True)
class StageTime:
    """What one stage cost: how many documents it left, and its wall time in seconds."""

    name: str
    documents: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Results:
    """The answer to one query, best first."""

    query: str
    pipeline: str
    results: tuple[Result, ...]
    stages: tuple[StageTime, ...]
    notes: tuple[Note, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON values."""
        return {
            "query": self.query,
            "pipeline": self.pipeline,
            "results": [result.as_dict() for result in self.results],
            "stages": [
                {"name": each.name, "documents": each.documents, "seconds": each.seconds}
                for each in self.stages
            ],
            "notes": [
                {"kind": each.kind, "count": each.count, "text": each.text} for each in self.notes
            ],
        }


def answer(
    collection: Collection,
    query: str,
    spec: PipelineSpec,
    k: int = 10,
    models: Models | None = None,
    watch: Watch = unwatched,
) -> Results:
    """The best `k` documents of `collection` for one query, through the pipeline `spec`.

    `watch` is told as each stage ends.
    """
    pipeline = build(spec.at_least(k), collection, models)
    trace = pipeline.trace(Search(Queries.of([query]), collection.corpus()), watch)
    return describe(trace, collection, k, spec.name)


def describe(trace: Trace, collection: Collection, k: int, pipeline: str = "") -> Results:
    """The first query of a trace as a person reads it."""
    query = trace.ranking.queries.texts[0]
    found = hits(trace, 0, k)
    corpus = collection.at(trace.ranking.corpus)  # others may have written since
    rows = [hit.row for hit in found]
    documents = corpus.documents(rows)
    checks = any(step.name == CHECKING for step in trace.steps)
    asked = wanted(query) if checks else Wanted(query, query)
    texts = corpus.texts(np.array(rows, dtype=np.int32)) if asked.conditions else [""] * len(rows)
    results = tuple(
        Result(
            hit,
            document.title,
            snippet(query, document.text, corpus.analyzer),
            document.fields,
            stated(asked, text),
        )
        for hit, document, text in zip(found, documents, texts, strict=True)
    )
    times = tuple(_time(step) for step in trace.steps)
    return Results(query, pipeline, results, times, trace.ranking.notes)


def _time(step: Step) -> StageTime:
    return StageTime(step.name, len(step.ranking.docs), step.seconds)


def _place(place: Place) -> dict[str, Any]:
    return {
        "stage": place.stage,
        "rank": place.rank,
        "score": place.score,
        "scale": str(place.scale),
    }
