"""Our measures against trec_eval (pytrec_eval), ir-measures and gdeval's formulas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrank.evaluate import AP, DEFAULT, ERR, RBP, RR, Judged, Measure, evaluate, parse_measure
from crossrank.io.trec import read_qrels, read_run, write_run
from crossrank.types import Ranking

Grades = dict[str, dict[str, int]]
Run = dict[str, dict[str, float]]

# trec_eval's name for each of our measures
TREC_EVAL = {
    "nDCG@10": "ndcg_cut_10",
    "nDCG@3": "ndcg_cut_3",
    "nDCG": "ndcg",
    "RR": "recip_rank",
    "AP": "map",
    "AP@5": "map_cut_5",
    "R@5": "recall_5",
    "P@5": "P_5",
    "P@10": "P_10",
    "Success@1": "success_1",
    "Success@5": "success_5",
    "Rprec": "Rprec",
}

_docs = st.integers(0, 14).map(lambda n: f"d{n}")
_queries = st.integers(0, 4).map(lambda n: f"q{n}")
# trec_eval never returns from a query whose judgements are all negative: one of them is not
_judged = st.dictionaries(_docs, st.integers(-1, 3), min_size=1).map(
    lambda grades: grades if max(grades.values()) >= 0 else {**grades, min(grades): 0}
)
_grades = st.dictionaries(_queries, _judged, min_size=1, max_size=5)
# few distinct scores, so that most runs have ties
_tied = st.sampled_from([-1.5, 0.0, 0.25, 0.5, 1.0, 1.0 + 2**-23, 7.0])
_runs = st.dictionaries(_queries, st.dictionaries(_docs, _tied, max_size=15), max_size=5)


def _write(folder: Path, grades: Grades, run: Run) -> tuple[Path, Path]:
    qrels, ranked = folder / "qrels.txt", folder / "run.trec"
    qrels.write_text(
        "".join(f"{q} 0 {d} {g}\n" for q, docs in grades.items() for d, g in docs.items())
    )
    ranked.write_text(
        "".join(f"{q} Q0 {d} 0 {s!r} t\n" for q, docs in run.items() for d, s in docs.items())
    )
    return qrels, ranked


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("parity")


def _reference(grades: Grades, run: Run, names: dict[str, str], **options: int) -> np.ndarray:
    found = pytrec_eval.RelevanceEvaluator(grades, set(names.values()), **options).evaluate(run)
    return np.array([[found.get(q, {}).get(name, 0.0) for q in grades] for name in names.values()])


def _ours(folder: Path, grades: Grades, run: Run, measures: list[Measure]) -> np.ndarray:
    qrels, ranked = _write(folder, grades, run)
    scores = evaluate(read_run(ranked), read_qrels(qrels), measures)
    assert scores.queries == tuple(grades)
    return scores.values


@settings(deadline=None, max_examples=150)
@given(grades=_grades, run=_runs)
def test_equals_trec_eval_on_tied_graded_runs(folder: Path, grades: Grades, run: Run) -> None:
    ours = _ours(folder, grades, run, [parse_measure(text) for text in TREC_EVAL])
    np.testing.assert_allclose(ours, _reference(grades, run, TREC_EVAL), atol=1e-6, rtol=0)


@settings(deadline=None, max_examples=60)
@given(grades=_grades, run=_runs, rel=st.integers(1, 3))
def test_equals_trec_eval_at_a_relevance_level(
    folder: Path, grades: Grades, run: Run, rel: int
) -> None:
    names = {
        k.replace("@", f"(rel={rel})@") if "@" in k else f"{k}(rel={rel})": v
        for k, v in TREC_EVAL.items()
        if not k.startswith("nDCG")
    }
    ours = _ours(folder, grades, run, [parse_measure(text) for text in names])
    expected = _reference(grades, run, names, relevance_level=rel)
    np.testing.assert_allclose(ours, expected, atol=1e-6, rtol=0)


@settings(deadline=None, max_examples=60)
@given(
    grades=st.dictionaries(
        _queries, st.dictionaries(_docs, st.integers(0, 3), min_size=1), min_size=1, max_size=5
    ),
    run=_runs,
)
def test_equals_trec_eval_on_judged_documents_only(folder: Path, grades: Grades, run: Run) -> None:
    measures = [Measure(m.name, m.cutoff, judged_only=True) for m in map(parse_measure, TREC_EVAL)]
    expected = _reference(grades, run, TREC_EVAL, judged_docs_only_flag=1)
    np.testing.assert_allclose(_ours(folder, grades, run, measures), expected, atol=1e-6, rtol=0)


def test_a_query_judged_with_negative_grades_only_counts_zero(folder: Path) -> None:
    ours = _ours(
        folder, {"q": {"d1": -1, "d2": -2}}, {"q": {"d1": 2.0, "d3": 1.0}}, [*DEFAULT, ERR, RBP]
    )
    assert ours.tolist() == [[0.0]] * 7


def _random(seed: int) -> tuple[Grades, Run]:
    rng = np.random.default_rng(seed)
    grades = {
        f"{q}": {f"d{d}": int(rng.integers(0, 4)) for d in rng.permutation(200)[:40]}
        for q in range(30)
    }
    run = {
        f"{q}": {f"d{d}": float(rng.normal()) for d in rng.permutation(200)[:120]}
        for q in range(3, 33)  # three judged queries are missing, three have no judgements
    }
    return grades, run


@pytest.mark.parametrize("seed", range(3))
def test_equals_ir_measures_on_random_runs(folder: Path, seed: int) -> None:
    grades, run = _random(seed)
    texts = [*TREC_EVAL, "RR@10", "R@100", "P(rel=2)@10", "Judged@10", "AP(rel=2)@100"]
    ours = _ours(folder, grades, run, [parse_measure(text) for text in texts])
    theirs = ir_measures.calc_aggregate(
        [ir_measures.parse_measure(text) for text in texts], grades, run
    )
    expected = [theirs[ir_measures.parse_measure(text)] for text in texts]
    np.testing.assert_allclose(ours.mean(axis=1), expected, atol=1e-6, rtol=0)


def test_reciprocal_rank_at_a_cutoff_is_the_whole_one_cut(folder: Path) -> None:
    grades, run = _random(9)
    whole, cut = _ours(folder, grades, run, [RR, RR @ 2])
    np.testing.assert_array_equal(cut, np.where(whole >= 1 / 2, whole, 0))


def _cascade(ranked: list[int], top: int) -> float:
    # gdeval.pl of the TREC web track, line by line
    score, decay = 0.0, 1.0
    for i, grade in enumerate(ranked):
        r = (2 ** max(grade, 0) - 1) / 2**top
        score += r * decay / (i + 1)
        decay *= 1 - r
    return score


@settings(deadline=None, max_examples=60)
@given(grades=_grades, run=_runs)
def test_err_and_rbp_equal_their_formulas(folder: Path, grades: Grades, run: Run) -> None:
    ours = _ours(folder, grades, run, [ERR @ 4, ERR(max_rel=3), RBP, RBP(p=0.5) @ 3, Judged @ 4])
    for column, query in enumerate(grades):
        # trec_eval's order: score, then document id, both descending
        ranked = sorted(run.get(query, {}).items(), key=lambda x: (x[1], x[0]), reverse=True)
        found = [grades[query].get(doc, 0) for doc, _ in ranked]
        hits = [0.8**i for i, grade in enumerate(found) if grade >= 1]
        short = [0.5**i for i, grade in enumerate(found[:3]) if grade >= 1]
        known = [doc in grades[query] for doc, _ in ranked[:4]]
        expected = [
            _cascade(found[:4], 4),
            _cascade(found, 3),
            0.2 * sum(hits),
            0.5 * sum(short),
            sum(known) / len(known) if known else 0.0,
        ]
        np.testing.assert_allclose(ours[:, column], expected, atol=1e-9, rtol=0)


@settings(deadline=None, max_examples=60)
@given(grades=_grades, run=_runs)
def test_a_written_run_measures_the_same_in_trec_eval(
    folder: Path, grades: Grades, run: Run
) -> None:
    qrels, ranked = _write(folder, grades, run)
    ranking = read_run(ranked)
    write_run(folder / "again.trec", ranking, "t")
    again: Run = {}
    for line in (folder / "again.trec").read_text().splitlines():
        query, _, doc, _, score, _ = line.split()
        again.setdefault(query, {})[doc] = float(score)
    ours = evaluate(ranking, read_qrels(qrels), [AP])
    expected = _reference(grades, again, {"AP": "map"})
    np.testing.assert_allclose(ours.values, expected, atol=1e-6, rtol=0)


def test_judged_documents_outside_the_corpus_still_count(tmp_path: Path) -> None:
    from crossrank.types import MemoryCorpus, Queries, Search

    qrels, _ = _write(tmp_path, {"q": {"here": 1, "gone": 1}}, {})
    search = Search(Queries(("q",), ("a query",)), MemoryCorpus(["other", "here"], ["", ""]))
    run = Ranking.of_lists(search, [[1]], [[1.0]])
    scores = evaluate(run, read_qrels(qrels), [parse_measure("R@10"), parse_measure("nDCG@10")])
    assert scores.values[0, 0] == 0.5
    assert scores.values[1, 0] == pytest.approx(1 / (1 + 1 / np.log2(3)))
