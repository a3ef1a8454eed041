"""Hard negatives from any pipeline over a corpus, filtered by a cross-encoder where wanted.

100,000 queries take the memory of one part: a part is ranked, scored, written, and forgotten.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.io.lines import replaced
from crossrank.stage import Stage
from crossrank.train.negatives import COPY, POSITIVE, RANK, Rule, choose, in_ranks
from crossrank.train.shards import Shards
from crossrank.train.split import folded
from crossrank.types import Corpus, Floats, Ranking, Rows, Scale, Scorer, Search

PART: Final = 1000
"""Queries a part: what is lost when a run is killed, and what is in memory."""


@dataclass(frozen=True, slots=True)
class Mined:
    """What a mining run made: its files, and how many candidates were kept or not, and why."""

    files: tuple[Path, ...]
    queries: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Job:
    labels: Ranking
    corpus: Corpus
    pipeline: Stage[Search]
    rule: Rule
    scorer: Scorer | None


def mine(
    labels: Ranking,
    corpus: Corpus,
    pipeline: Stage[Search],
    rule: Rule,
    out: Path,
    scorer: Scorer | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    done: Callable[[int], None] = lambda count: None,
    part: int = PART,
) -> Mined:
    """Hard negatives of every query of `labels`, written under `out` as JSONL groups.

    labels: queries with their relevant documents (label above 0), known to the corpus by id or
    by text. pipeline: finds the candidates. With a scorer its scores are compared (logits as
    probabilities), else the pipeline's own. settings: what else tells this run from another.
    A run that was killed goes on with the first part that is missing. `done` is told the number
    of queries finished.
    """
    if rule.relabel and scorer is None:
        raise BadInput("a cross-encoder wanted to relabel by, got none: name one with --filter")
    told = {"queries": len(labels.queries), "part": part, **asdict(rule), **(settings or {})}
    shards = Shards(out, told)
    job = _Job(labels, corpus, pipeline, rule, scorer)
    for number, start in enumerate(range(0, len(labels.queries), part)):
        stop = min(start + part, len(labels.queries))
        if not shards.has(number):
            counts: Counter[str] = Counter()
            rows = list(_mined(job, start, stop, counts, done))
            shards.write(number, rows, counts)
        done(stop)
    total = shards.counts()
    with replaced(out / "report.json") as file:
        file.write(json.dumps({"queries": len(labels.queries), "candidates": dict(total)}) + "\n")
    return Mined(tuple(shards.files()), len(labels.queries), dict(total))


def _mined(
    job: _Job, start: int, stop: int, counts: Counter[str], done: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    for first in range(start, stop, 32):
        last = min(first + 32, stop)
        search = Search(job.labels.queries[first:last], job.corpus)
        ranking = job.pipeline(search)
        for offset in range(last - first):
            yield _row(job, ranking, offset, first + offset, counts)
        done(last)


def _row(
    job: _Job, ranking: Ranking, place: int, query: int, counts: Counter[str]
) -> dict[str, Any]:
    rows, scores = ranking.query(place)
    positives = _positives(job, query)
    texts = job.corpus.texts(rows)
    open_to_all = _candidates(job.rule, rows, texts, positives, counts)
    candidates, found = rows[open_to_all], [texts[i] for i in np.flatnonzero(open_to_all)]
    text = job.labels.queries.texts[query]
    if job.scorer is None:
        values = scores[open_to_all]
        there = scores[np.isin(rows, positives.rows)]
        best = float(there.max()) if len(there) else float("nan")
    else:
        values, best = _scored(job.scorer, text, found, positives.texts)
    chosen = choose(job.rule, values, best, query, counts)
    names = job.corpus.ids(candidates)
    members = [{"id": i, "text": t, "label": 1} for i, t in positives.named]
    for label, picked in ((1, chosen.relabelled), (0, chosen.negatives)):
        members += [
            {"id": names[i], "text": found[i], "label": label, "score": round(float(values[i]), 5)}
            for i in picked
        ]
    return {"query_id": job.labels.queries.ids[query], "query": text, "documents": members}


@dataclass(frozen=True, slots=True)
class _Positives:
    named: tuple[tuple[str, str], ...]
    rows: Rows
    texts: list[str]


def _positives(job: _Job, query: int) -> _Positives:
    docs, labels = job.labels.query(query)
    docs = docs[labels > 0]
    ids, texts = job.labels.corpus.ids(docs), job.labels.corpus.texts(docs)
    rows = job.corpus.find(ids)
    return _Positives(tuple(zip(ids, texts, strict=True)), rows[rows >= 0], texts)


def _candidates(
    rule: Rule, rows: Rows, texts: list[str], positives: _Positives, counts: Counter[str]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    relevant = np.isin(rows, positives.rows)
    known = {folded(text) for text in positives.texts}
    heads = {_head(text) for text in positives.texts}
    same = [_head(text) in heads and folded(text) in known for text in texts]
    copies = np.array(same, dtype=np.bool_) & ~relevant
    inside = in_ranks(rule, rows) & ~relevant & ~copies
    counts[POSITIVE] += int(relevant.sum())
    counts[COPY] += int(copies.sum())
    counts[RANK] += int((~(inside | relevant | copies)).sum())
    return inside


def _head(text: str) -> str:
    """The folded beginning of a text: equal for copies, and cheap to tell others by."""
    return folded(text[:200])[:40]


def _scored(
    scorer: Scorer, query: str, found: list[str], relevant: list[str]
) -> tuple[Floats, float]:
    """The scores of the candidates, and the best one of the relevant documents (NaN for none)."""
    texts = [*found, *relevant]
    if not texts:
        return np.empty(0, np.float32), float("nan")
    scores = scorer.score_texts([query] * len(texts), texts)
    if scorer.scale is Scale.LOGIT:
        scores = (0.5 + 0.5 * np.tanh(scores / 2)).astype(np.float32)
    own = scores[len(found) :]
    return scores[: len(found)], float(own.max()) if len(own) else float("nan")
