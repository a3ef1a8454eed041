"""Runs and judgements: read as trec_eval reads them, written to be read back."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput, NotFound
from crossrank.io.trec import read_candidates, read_qrels, read_run, write_qrels, write_run
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search


def _file(folder: Path, text: str, name: str = "x.trec") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def _as_lists(ranking: Ranking) -> dict[str, list[str]]:
    return {
        query: ranking.corpus.ids(rows)
        for query, (rows, _) in zip(ranking.queries.ids, ranking, strict=True)
    }


def test_a_run_is_sorted_by_score_then_id_descending_whatever_its_ranks_say(tmp_path: Path) -> None:
    lines = "q2 Q0 a 1 0.5 t\nq1 Q0 b 1 1 t\nq1 Q0 c 2 2 t\n\nq2 Q0 b 9 0.5 t\n"
    for name in ("a.trec", "a.trec.gz"):
        run = read_run(_file(tmp_path, lines, name))
        assert _as_lists(run) == {"q2": ["b", "a"], "q1": ["c", "b"]}
        assert run.scale is Scale.RAW


def test_ms_marco_lines_have_ranks_for_scores(tmp_path: Path) -> None:
    run = read_run(_file(tmp_path, "q\ta\t2\nq\tb\t1\n"))
    assert _as_lists(run) == {"q": ["b", "a"]}
    assert run.scores.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("q Q0 a 1 0.5 t\nq Q0 b 1 x t\n", r"x\.trec:2: a finite score"),
        ("q Q0 a 1 nan t\n", r":1: a finite score"),
        ("q Q0 a 1 1e40 t\n", r":1: a finite score"),
        ("q Q0 a 1 0.5\n", r":1: six columns"),
        ("q Q0 a 1 0.5 t\nq Q0 a 2 0.4 t\n", r":2: each document once"),
        ("q a 0\n", r":1: three columns"),
    ],
)
def test_broken_runs_name_file_and_line(tmp_path: Path, lines: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        read_run(_file(tmp_path, lines))


def test_qrels_in_both_forms(tmp_path: Path) -> None:
    trec = read_qrels(_file(tmp_path, "q 0 a 2\nq 0 b 0\nq 0 a 2\n"))
    beir = read_qrels(_file(tmp_path, "query-id\tcorpus-id\tscore\nq\ta\t2\nq\tb\t0\n", "b.tsv"))
    for qrels in (trec, beir):
        assert _as_lists(qrels) == {"q": ["a", "b"]}
        assert qrels.scores.tolist() == [2, 0] and qrels.scale is Scale.GRADE
    with pytest.raises(BadInput, match=r":2: one grade a document, having seen 2, not 1"):
        read_qrels(_file(tmp_path, "q 0 a 2\nq 0 a 1\n"))
    with pytest.raises(BadInput, match=r":2: four columns"):
        read_qrels(_file(tmp_path, "q 0 a 2\nq 0 a\n"))
    with pytest.raises(NotFound, match="check the path"):
        read_qrels(tmp_path / "none")


def test_candidates_over_a_known_corpus(tmp_path: Path) -> None:
    search = Search(Queries(("q1", "q2"), ("", "")), MemoryCorpus(["a", "b"], ["", ""]))
    path = _file(tmp_path, "q1 Q0 b 1 2 t\nq1 Q0 zz 2 1 t\nother Q0 a 1 1 t\n")
    ranking = read_candidates(path, search)
    assert _as_lists(ranking) == {"q1": ["b"], "q2": []}
    assert [(note.kind, note.count) for note in ranking.notes] == [("missing-documents", 1)]


# the very lowest score cannot be lowered any further where it is tied
finite = st.floats(-(2.0**127), float(np.finfo(np.float32).max), width=32)


@given(st.lists(st.lists(finite | st.sampled_from([0.0, -0.0, 1.0]), max_size=8), min_size=1))
def test_what_is_written_is_read_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, scores: list[list[float]]
) -> None:
    corpus = MemoryCorpus([f"d{i}" for i in range(8)], [""] * 8)
    search = Search(Queries.of([""] * len(scores)), corpus)
    ranking = Ranking.of_lists(search, [np.arange(len(each)) for each in scores], scores)
    path = tmp_path_factory.mktemp("run") / "out.trec.gz"
    write_run(path, ranking, "tag")
    if not ranking.docs.size:
        return
    back = _as_lists(read_run(path))
    assert back == {query: ids for query, ids in _as_lists(ranking).items() if ids}
    assert _as_lists(read_candidates(path, search)) == _as_lists(ranking)


def test_judgements_go_both_ways_and_odd_names_are_refused(tmp_path: Path) -> None:
    qrels = read_qrels(_file(tmp_path, "q 0 a 2\nq 0 b 0\np 0 c 1\n"))
    write_qrels(tmp_path / "out", qrels)
    assert _as_lists(read_qrels(tmp_path / "out")) == _as_lists(qrels)
    search = Search(Queries.of([""]), MemoryCorpus(["a b"], [""]))
    ranking = Ranking.of_lists(search, [[0]], [[1.0]])
    with pytest.raises(BadInput, match="without blanks"):
        write_run(tmp_path / "run", ranking, "tag")
    with pytest.raises(BadInput, match="tag"):
        write_run(tmp_path / "run", ranking, "a tag")
    assert not (tmp_path / "run").exists()
