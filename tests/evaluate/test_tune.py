"""Tuning: every figure equals that of the plain path, and held-out means held out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.evaluate import AP, RR, evaluate, nDCG
from crossrank.evaluate.compare import Settings
from crossrank.evaluate.folds import Folds
from crossrank.evaluate.objective import Objective
from crossrank.evaluate.space import Space
from crossrank.evaluate.tune import DEFAULT, TUNED, tune
from crossrank.fuse import Combination
from crossrank.fuse.setting import Setting

FAST = Settings(samples=200, resamples=100)
DOCS, QUERIES = 40, 30
CORPUS = MemoryCorpus.of([""] * DOCS)


def judged(seed: int, queries: int = QUERIES) -> tuple[Ranking, Ranking, Ranking]:
    """Qrels, a good ranking and a noisy one that knows other documents."""
    rng = np.random.default_rng(seed)
    search = Search(Queries.of([""] * queries), CORPUS)
    relevant = [rng.permutation(DOCS)[:3] for _ in range(queries)]
    qrels = Ranking.of_lists(search, relevant, [rng.integers(0, 3, 3) for _ in relevant],
                             Scale.GRADE)  # fmt: skip

    def ranking(noise: float) -> Ranking:
        docs, scores = [], []
        for rows in relevant:
            truth = np.isin(np.arange(DOCS), rows).astype(float)
            score = np.round(truth + rng.normal(0, noise, DOCS), 1)
            shown = rng.permutation(DOCS)[: rng.integers(0, 25)]
            docs.append(shown)
            scores.append(score[shown])
        return Ranking.of_lists(search, docs, scores)

    return qrels, ranking(0.5), ranking(0.9)


combinations = st.one_of(
    st.builds(
        Combination,
        st.sampled_from(["sum", "mnz", "max", "anz", "dbsf"]),
        st.sampled_from([(), (0.3, 0.7), (1.0, 0.0)]),
        st.sampled_from(["auto", "none", "min-max", "z-score"]),
        st.sampled_from(["auto", "skip", "zero", "min"]),
    ),
    st.builds(Combination, st.sampled_from(["rrf", "isr", "borda"]), st.just((0.4, 0.6))),
)


@given(how=combinations, depth=st.sampled_from([0, 3, 10]), seed=st.integers(0, 3))
@settings(max_examples=60)
def test_a_setting_is_worth_what_the_fused_ranking_measures(
    how: Combination, depth: int, seed: int
) -> None:
    qrels, good, noisy = judged(seed)
    setting = Setting(how, depth)
    for measure in (nDCG @ 10, AP, RR):
        fast = Objective([good, noisy], qrels, measure)(setting)
        plain = evaluate(setting.fused([good, noisy]), qrels, [measure]).of(measure)
        np.testing.assert_allclose(fast, plain, atol=1e-12)


def test_a_single_ranking_is_worth_its_own_measure_also_for_other_queries() -> None:
    qrels, good, noisy = judged(1)
    backwards = Ranking.concat([qrels.select(slice(i, i + 1)) for i in (7, 3, 20)])
    found = Objective([good, noisy], backwards, nDCG @ 10).single(1)
    plain = evaluate(noisy, backwards, [nDCG @ 10]).of(nDCG @ 10)
    np.testing.assert_array_equal(found, plain)


@given(queries=st.integers(2, 60), count=st.integers(2, 8), seed=st.integers(0, 5))
def test_folds_hold_out_each_query_once_in_like_sizes(queries: int, count: int, seed: int) -> None:
    if queries < count:
        with pytest.raises(BadInput, match="as many judged queries as folds"):
            Folds.of(queries, count, seed)
        return
    folds = Folds.of(queries, count, seed)
    held = np.stack([folds.held_out(fold) for fold in range(count)])
    assert held.sum(axis=0).tolist() == [1] * queries
    assert np.ptp(held.sum(axis=1)) <= 1
    assert folds.number.tolist() == Folds.of(queries, count, seed).number.tolist()


SPACE = Space(normalisers=("min-max", "z-score"), missing=("min",), weight_step=0.25)


@pytest.mark.parametrize("search", ["grid", "coordinate"])
def test_the_held_out_figure_is_made_of_what_other_folds_chose(search: str) -> None:
    qrels, good, noisy = judged(2)
    rankings = {"good": good, "noisy": noisy}
    found = tune(rankings, qrels, space=SPACE, search=search, folds=3, settings=FAST)
    folds = Folds.of(QUERIES, 3)
    values = found.held_out.scores[TUNED].values[0]
    for number, fold in enumerate(found.folds):
        held = folds.held_out(number)
        own = evaluate(fold.setting.fused([good, noisy]), qrels, [nDCG @ 10]).values[0]
        np.testing.assert_allclose(values[held], own[held], atol=1e-12)
        assert fold.fitted == pytest.approx(own[~held].mean())
        assert fold.held_out == pytest.approx(own[held].mean())
    assert sum(fold.queries for fold in found.folds) == QUERIES


def test_a_fold_cannot_see_its_own_judgements() -> None:
    """Turning the judgements of one fold upside down leaves its choice as it was."""
    qrels, good, noisy = judged(3)
    held = Folds.of(QUERIES, 3).held_out(0)
    lists = [
        (docs, grades if not held[i] else grades[::-1] + 5)
        for i, (docs, grades) in enumerate(qrels)
    ]
    other = Ranking.of_lists(
        qrels, [docs for docs, _ in lists], [grades for _, grades in lists], Scale.GRADE
    )
    rankings = {"good": good, "noisy": noisy}
    a, b = (tune(rankings, q, space=SPACE, folds=3, settings=FAST) for q in (qrels, other))
    assert a.folds[0].setting == b.folds[0].setting


def test_the_grid_finds_the_best_of_its_settings_and_the_climb_comes_near() -> None:
    qrels, good, noisy = judged(4)
    rankings = {"good": good, "noisy": noisy}
    grid = tune(rankings, qrels, space=SPACE, folds=2, settings=FAST)
    every = [
        evaluate(setting.fused([good, noisy]), qrels, [nDCG @ 10]).mean(nDCG @ 10)
        for setting in SPACE.grid(2)
    ]
    assert grid.fitted == pytest.approx(max(every))
    assert grid.tried >= len(every)
    climb = tune(rankings, qrels, space=SPACE, search="coordinate", folds=2, settings=FAST)
    assert climb.fitted >= grid.fitted - 0.02
    names = set(grid.held_out.scores)
    assert names == {"good", "noisy", TUNED, DEFAULT}
    assert grid.best_single == "good"
    assert grid.as_dict()["setting"] == grid.setting.as_dict()


def test_three_rankings_and_progress() -> None:
    qrels, good, noisy = judged(5)
    told: list[int] = []
    space = Space(("sum",), ("rank",), ("zero",), weight_step=0.5)
    found = tune({"a": good, "b": noisy, "c": good}, qrels, space=space, folds=2, settings=FAST,
                 done=told.append)  # fmt: skip
    assert len(space.grid(3)) == 6
    assert told[-1] == found.tried
    assert len(found.setting.how.weights) == 3


def test_what_makes_no_sense_is_refused() -> None:
    qrels, good, noisy = judged(6)
    with pytest.raises(BadInput, match="two or more rankings"):
        tune({"a": good}, qrels)
    with pytest.raises(BadInput, match=r"grid, coordinate.*'random'"):
        tune({"a": good, "b": noisy}, qrels, search="random")
    with pytest.raises(BadInput, match="2 or more folds"):
        tune({"a": good, "b": noisy}, qrels, folds=1, space=SPACE)
    with pytest.raises(BadInput, match="methods among"):
        Space(methods=("best",))
    with pytest.raises(BadInput, match="at most 100,000 weights"):
        Space(weight_step=0.01).check(6)
