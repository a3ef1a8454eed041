"""Terms made by other processes are those made here, and their death is an error, no hang."""

from __future__ import annotations

import os
import signal

import pyarrow as pa
import pytest

from crossrank.errors import CollectionError
from crossrank.store import analysis
from crossrank.store.analysis import Analysis
from crossrank.store.workers import Worker
from crossrank.text.analyzer import Analyzer
from crossrank.text.vocabulary import VocabularyBuilder

TEXTS = [
    f"Der Medikamentenkühlschrank Nr. {i} mit {i} l\nand 2 °C \0 § 14 x\0y" for i in range(700)
]


def _analyser() -> Analyzer:
    builder = VocabularyBuilder()
    builder.add(["Medikamente im Kühlschrank", "Medikamente, Kühlschrank"] * 3)
    return Analyzer("auto", builder.build())


def test_other_processes_give_the_same_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    analyzer = _analyser()
    monkeypatch.setattr(analysis, "ALONE", 10_000)
    batches = [(number, pa.array(TEXTS[number : number + 100])) for number in range(0, 700, 100)]
    with Analysis(analyzer, workers=2) as many:
        found = list(many.of([*batches, (700, pa.array([], pa.string()))]))
        assert not many._alone  # the first batches were done here, the others were not
    assert [number for number, _ in found] == [*range(0, 701, 100)]
    wanted = analyzer.documents(TEXTS)
    assert [terms for _, part in found for terms in part.to_pylist()] == wanted
    assert "kuhlschrank" in wanted[0]


def test_a_dead_process_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "ALONE", 0)
    started: list[int] = []
    start = Worker.__enter__

    def noted(worker: Worker) -> Worker:
        started.append(worker._process.pid)
        return start(worker)

    monkeypatch.setattr(Worker, "__enter__", noted)
    with Analysis(_analyser(), workers=2) as many:
        terms = many.of((0, pa.array(f"{text} {n}ab" for text in TEXTS)) for n in range(50))
        next(terms)
        for pid in started:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(CollectionError, match="ended early"):
            list(terms)
