"""The demo runs offline, measures every stage and prints what it promises."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from typer.testing import CliRunner

from crossrank.cli.app import app
from crossrank.demo import Report, run
from crossrank.demo.catalogue import KINDS
from crossrank.demo.run import DEPTH, SHOWN
from crossrank.errors import BadInput
from crossrank.store import Collection
from crossrank.types import Floats
from fakes import FakeEncoder, FakeScorer

STAGES = ["bm25", "bi-encoder", "both fused", "cross-encoder", "blend 0.6", "conditions"]


def _refuse(*args: object, **kwargs: object) -> NoReturn:
    raise AssertionError("the demo must not open a connection")


class CountingScorer(FakeScorer):
    pairs = 0

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        self.pairs += len(queries)
        return super().score_texts(queries, documents)


SCORER = CountingScorer()


@pytest.fixture(scope="module")
def report() -> Report:
    """Run in a folder that is gone when the report is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _refuse)
        return run(FakeEncoder(), SCORER, weight=0.6)


def test_every_stage_is_measured_over_all_queries(report: Report) -> None:
    assert [stage.name for stage in report.stages] == STAGES
    for stage in report.stages:
        assert len(stage.scores.queries) == len(report.catalogue.queries)
        assert stage.seconds > 0
    assert SCORER.pairs <= 2 * DEPTH * len(report.catalogue.queries)  # and once for the thing alone
    bm25, letters = report.stages[0], report.stages[1]
    assert report.mean(bm25)[0] > 0.6 > report.mean(letters)[0]  # counting letters is no search


def test_the_mean_over_all_is_that_of_the_kinds(report: Report) -> None:
    for stage in report.stages:
        weighted = sum(
            report.mean(stage, kind)[0] * report.catalogue.kinds.count(kind) for kind in KINDS
        )
        expected = report.mean(stage)[0] * len(report.catalogue.queries)
        assert weighted == pytest.approx(expected)


def test_shown_results_carry_their_grades(report: Report) -> None:
    top = report.top(report.stages[0], "q06")
    assert len(top) == 5 and [grade for _, grade in top[:3]] == [3, 3, 3]
    assert {shown["id"] for shown in report.as_dict()["shown"]} == set(SHOWN)


def test_a_kept_collection_can_be_searched(tmp_path: Path) -> None:
    run(FakeEncoder(), FakeScorer(), tmp_path / "kept")
    assert len(Collection.open(tmp_path / "kept")) == 211


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("of mine", encoding="utf-8")
    with pytest.raises(BadInput):
        run(FakeEncoder(), FakeScorer(), tmp_path)
    assert (tmp_path / "something").read_text(encoding="utf-8") == "of mine"


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, report: Report) -> CliRunner:
    monkeypatch.setattr("crossrank.demo.run", lambda *args: report)
    monkeypatch.setattr("crossrank.models.BiEncoder", lambda name: name, raising=False)
    monkeypatch.setattr("crossrank.models.CrossEncoder", lambda name: name, raising=False)
    return CliRunner()


def test_the_command_prints_orders_and_measures(runner: CliRunner) -> None:
    done = runner.invoke(app, ["demo"])
    assert done.exit_code == 0, done.output
    for text in (*STAGES, *KINDS, "laborkühlschrank 280 l", "nDCG@10", "Recall@10", "+++"):
        assert text in done.output, text


def test_the_command_prints_json(runner: CliRunner) -> None:
    done = runner.invoke(app, ["demo", "--json"])
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert [stage["stage"] for stage in value["stages"]] == STAGES
    assert value["documents"] == 211 and value["rerank_depth"] == DEPTH
    assert set(value["stages"][0]["nDCG@10_by_kind"]) == set(KINDS)
