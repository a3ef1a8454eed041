"""Fusion equals ranx on the algorithms that both have; `golden/make_ranx.py` made the values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossrank import MemoryCorpus, Queries, Ranking, Search
from crossrank.fuse import fuse, normalised

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "ranx.json").read_text(encoding="utf-8")
)
CORPUS = MemoryCorpus([f"d{i}" for i in range(12)], [""] * 12)


def ranking(run: dict[str, dict[str, float]]) -> Ranking:
    search = Search(Queries(tuple(run), ("",) * len(run)), CORPUS)
    docs = [CORPUS.find(list(each)) for each in run.values()]
    return Ranking.of_lists(search, docs, [list(each.values()) for each in run.values()])


RUNS = [ranking(run) for run in GOLDEN["runs"]]
OURS: dict[str, dict[str, Any]] = {
    "sum": {"method": "sum", "missing": "zero"},
    "mnz": {"method": "mnz"},
    "anz": {"method": "anz"},
    "max": {"method": "max"},
    "min": {"method": "min"},
    "med": {"method": "med"},
    "isr": {"method": "isr"},
    "log_isr": {"method": "log-isr"},
    "logn_isr": {"method": "logn-isr"},
    "bordafuse": {"method": "borda"},
    "rrf": {"method": "rrf"},
    "wsum": {"method": "sum", "missing": "zero", "weights": (0.2, 0.3, 0.5)},
}
NORMS = {"min-max": "min-max", "max": "max", "sum": "sum", "zmuv": "z-score", "rank": "rank"}


def scores(found: Ranking, values: Any) -> dict[str, dict[str, float]]:
    ids = [CORPUS.ids(docs) for docs, _ in found]
    ends = found.indptr
    return {
        query: dict(zip(names, values[ends[i] : ends[i + 1]].tolist(), strict=True))
        for i, (query, names) in enumerate(zip(found.queries.ids, ids, strict=True))
    }


def assert_close(ours: dict[str, dict[str, float]], theirs: dict[str, dict[str, float]]) -> None:
    assert set(ours) == set(theirs)
    for query, docs in ours.items():
        assert docs == pytest.approx(theirs[query], abs=2e-6), query


def test_every_golden_method_is_compared() -> None:
    assert set(OURS) == set(GOLDEN["fused"])
    assert set(NORMS) == set(GOLDEN["norms"])


@pytest.mark.parametrize("name", OURS)
def test_methods(name: str) -> None:
    fused = fuse(RUNS, **OURS[name])
    assert_close(scores(fused, fused.scores), GOLDEN["fused"][name])


@pytest.mark.parametrize("name", NORMS)
def test_normalisers(name: str) -> None:
    values = normalised(RUNS[0], NORMS[name])
    assert_close(scores(RUNS[0], values), GOLDEN["norms"][name])
