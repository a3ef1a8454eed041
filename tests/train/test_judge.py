"""The judge's grades, and agreement figures against SciPy and hand-made tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from crossrank.errors import BadInput
from crossrank.evaluate import nDCG
from crossrank.train.agreement import agreement, kappa, kendall_tau
from crossrank.train.dev import spearman
from crossrank.train.judge import fit_cuts, graded, judge, scored
from crossrank.types import Floats, MemoryCorpus, Queries, Ranking, Scale, Search

FIGURES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=12)


@given(FIGURES)
def test_tau_and_spearman_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    if len(set(first)) > 1 and len(set(second)) > 1:
        assert kendall_tau(first, second) == pytest.approx(kendalltau(first, second).statistic)
        assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)
    else:
        assert kendall_tau(first, second) == spearman(first, second) == 0


def test_kappa_by_hand() -> None:
    # Cohen 1960 style table: 20 yes-yes, 15 no-no, 5 and 10 apart
    first = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert kappa(first, second) == pytest.approx(0.4)
    assert kappa(first, first) == 1
    assert kappa([0, 0], [0, 0]) == 0
    # off by one weighs 1, off by two 4: observed (1 + 4) / 4, by chance 1.25 + 0.125 + 0.125
    assert kappa([0, 1, 2, 0], [1, 1, 2, 2], quadratic=True) == pytest.approx(1 - 1.25 / 1.5)
    assert kappa([0, 1, 2, 0], [1, 1, 2, 2]) < kappa([0, 1, 2, 0], [1, 1, 2, 0])


class Lengths:
    """A scorer whose score is the number written in the text."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        return np.array([float(text) for text in documents], dtype=np.float32)


def candidates(values: Sequence[float]) -> Ranking:
    corpus = MemoryCorpus.of([str(value) for value in values])
    return Ranking.everything(Search(Queries.of(["q"]), corpus))


def grades(ranking: Ranking) -> dict[str, float]:
    rows, values = ranking.query(0)
    return dict(zip(ranking.corpus.texts(rows), values.tolist(), strict=True))


def test_grades_count_the_cuts_that_a_score_reaches() -> None:
    found = judge(candidates([-9, -1, 0, 1, 9]), Lengths(Scale.LOGIT))
    assert grades(found) == {"-9": 0, "-1": 1, "0": 2, "1": 2, "9": 3}
    assert found.scale is Scale.GRADE
    expected = judge(candidates([0.2, 1.4, 1.6]), Lengths(Scale.GRADE), cuts=(0.5, 1.5))
    assert grades(expected) == {"0.2": 0, "1.4": 1, "1.6": 2}


def test_scores_without_a_meaning_and_cuts_without_an_order_are_refused() -> None:
    with pytest.raises(BadInput, match="'bm25'"):
        judge(candidates([1]), Lengths(Scale.BM25))
    with pytest.raises(BadInput, match="ascending"):
        judge(candidates([1]), Lengths(Scale.LOGIT), cuts=(0.5, 0.5))


def people(values: Sequence[float]) -> Ranking:
    given = candidates(range(len(values)))
    return given.rescored(np.asarray(values, dtype=np.float32), Scale.GRADE)


def test_fitted_cuts_agree_best() -> None:
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 4, 400)
    noisy = candidates(np.round(truth * 0.2 + 0.1 + draw.normal(0, 0.03, 400), 4).tolist())
    ours = scored(noisy, Lengths(Scale.PROBABILITY))
    judged = noisy.rescored(truth.astype(np.float32), Scale.GRADE)
    cuts = fit_cuts(ours, judged)
    assert np.allclose(cuts, [0.2, 0.4, 0.6], atol=0.06)
    fitted = agreement(graded(ours, cuts), judged, {}, nDCG @ 10)
    plain = agreement(graded(ours, (0.25, 0.5, 0.75)), judged, {}, nDCG @ 10)
    assert fitted.quadratic_kappa > max(0.95, plain.quadratic_kappa)


def test_agreement_counts_pairs_that_both_have_and_orders_systems() -> None:
    qrels = people([2, 0, 1, 0])
    own = qrels.rescored([3.0, 1.0, 0.0, 0.0], Scale.GRADE)
    search = Search(qrels.queries, qrels.corpus)
    runs = {
        "good": Ranking.of_lists(search, [[0, 2, 1, 3]], [[4.0, 3.0, 2.0, 1.0]]),
        "bad": Ranking.of_lists(search, [[3, 1, 2, 0]], [[4.0, 3.0, 2.0, 1.0]]),
    }
    found = agreement(own, qrels, runs, nDCG @ 10)
    assert (found.pairs, found.tau) == (4, 1.0)
    assert found.systems["good"][0] == pytest.approx(1.0)
    assert set(found.as_dict()) >= {"kappa", "quadratic_kappa", "systems", "tau"}
    other = MemoryCorpus(["z"], ["z"])
    nothing = Ranking.everything(Search(qrels.queries, other)).rescored([1.0], Scale.GRADE)
    with pytest.raises(BadInput, match="both"):
        agreement(nothing, qrels, {}, nDCG @ 10)
