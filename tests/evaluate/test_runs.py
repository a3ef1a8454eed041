"""Runs from files: their names, and how several come to share a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossrank import MemoryCorpus, Queries, Ranking, Search
from crossrank.errors import BadInput
from crossrank.evaluate import evaluate, nDCG, over_one_corpus
from crossrank.evaluate.runs import read_runs, run_name
from crossrank.fuse import fuse
from crossrank.io.trec import read_qrels


def test_names_of_runs() -> None:
    assert run_name(Path("a/dl21.bm25.trec.gz")) == "dl21.bm25"
    assert run_name(Path("run")) == "run"
    assert run_name(Path(".trec")) == ".trec"


def test_runs_of_one_name_go_by_their_folder(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "run.trec" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("q Q0 d 1 1 t\n")
    assert list(read_runs(paths)) == ["a/run", "b/run"]
    with pytest.raises(BadInput, match="different names"):
        read_runs([paths[0], paths[0]])


def _run(queries: dict[str, list[str]]) -> Ranking:
    names = sorted({doc for docs in queries.values() for doc in docs})
    corpus = MemoryCorpus(names, [""] * len(names))
    search = Search(Queries(tuple(queries), ("",) * len(queries)), corpus)
    return Ranking.of_lists(
        search,
        [corpus.find(docs) for docs in queries.values()],
        [[1 / (1 + i) for i in range(len(docs))] for docs in queries.values()],
    )


def test_rankings_of_other_files_can_be_fused_after_it(tmp_path: Path) -> None:
    a, b = _run({"q1": ["x", "y"], "q2": ["z"]}), _run({"q2": ["y", "z"], "q3": ["x"]})
    one, two = over_one_corpus([a, b])
    assert one.corpus is two.corpus
    assert one.queries.ids == two.queries.ids == ("q1", "q2", "q3")
    assert one.depths().tolist() == [2, 1, 0]
    assert [two.corpus.ids(docs) for docs, _ in two] == [[], ["y", "z"], ["x"]]
    fused = fuse([one, two])
    assert fused.corpus.ids(fused.query(1)[0]) == ["z", "y"]


def test_a_run_measures_the_same_before_and_after(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("q1 0 y 1\nq2 0 z 2\nq3 0 x 1\n")
    qrels = read_qrels(tmp_path / "qrels")
    a, b = _run({"q1": ["x", "y"], "q2": ["z"]}), _run({"q2": ["y", "z"], "q3": ["x"]})
    for before, after in zip((a, b), over_one_corpus([a, b]), strict=True):
        values = [evaluate(each, qrels, [nDCG]).values.tolist() for each in (before, after)]
        assert values[0] == values[1]


def test_rankings_that_share_everything_stay_as_they_are() -> None:
    a = _run({"q": ["x"]})
    assert over_one_corpus([a, a])[0] is a
    with pytest.raises(BadInput, match="at least one ranking"):
        over_one_corpus([])
