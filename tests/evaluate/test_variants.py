"""Forms of a model side by side: what is measured, and which form may be a default."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossrank.errors import BadInput
from crossrank.evaluate.variants import Variant, agreement, measure_variants
from crossrank.models.parity import PAIRS, Parity, kendall_tau, parity
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search
from tiny_transformers import save_tiny

SEARCH = Search(
    Queries.of(["kühlschrank 280 l", "fridge"]),
    MemoryCorpus.of(["ein kühlschrank", "a fridge", "280 liter", "wein", "alarm", "tür offen"]),
)
NO_DRIFT = Parity(0, 0.0, 0.0, 0.0, 1.0)


def _ranking(scores: list[float]) -> Ranking:
    return Ranking.everything(SEARCH).rescored(scores, Scale.GRADE)


def test_kendall_tau_equals_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    for levels in (3, 10, 1000):
        one, two = rng.integers(0, levels, (2, 60)).astype(float)
        assert kendall_tau(one, two) == pytest.approx(stats.kendalltau(one, two).statistic)
    assert kendall_tau([1, 1, 1], [1, 2, 3]) == 0.0
    assert kendall_tau([2, 2], [5, 5]) == kendall_tau([], []) == 1.0


def test_parity_says_what_differs() -> None:
    one = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)
    two = np.array([[0.0], [1.5], [1.0], [3.0]], np.float32)
    found = parity(one, two)
    assert (found.inputs, found.max_difference, found.mean_difference) == (4, 1.0, 0.375)
    assert found.tau == pytest.approx(4 / 6)
    assert found.spread == pytest.approx(np.std([0, 1, 2, 3]))
    assert not found.within(0.5)
    assert found.within(1.0)
    assert parity(one * 2, one, vectors=True).tau == 1.0
    with pytest.raises(BadInput, match="finite"):
        parity(one, np.full_like(two, np.nan))
    with pytest.raises(BadInput, match="one 2-D shape"):
        parity(one, two[:2])


def test_agreement_is_by_query_whatever_the_order_of_rows() -> None:
    one = _ranking([6, 5, 4, 3, 2, 1, 1, 2, 3, 4, 5, 6])
    assert agreement(one, one) == 1.0
    assert agreement(one, _ranking([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])) == 0.0


@pytest.mark.parametrize(("change", "wanted"), [(-0.0099, True), (-0.0101, False), (0.02, True)])
def test_one_percent_of_ndcg_decides(change: float, wanted: bool) -> None:
    assert Variant("x", 1, 1.0, NO_DRIFT, 1.0, 0.5, change).shippable is wanted
    assert Variant("x", 1, 1.0, NO_DRIFT).shippable is None


@pytest.mark.torch
@pytest.mark.parametrize("classifier", [True, False])
def test_forms_are_measured_against_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: bool
) -> None:
    pytest.importorskip("torch")
    from crossrank.models.export import ensure_onnx
    from crossrank.models.quantise import Mode

    monkeypatch.setenv("CROSSRANK_CACHE", str(tmp_path / "cache"))
    folder = save_tiny(tmp_path / "tiny", "bert", classifier=classifier)
    forms = {"fp32": ensure_onnx(folder), "int8": ensure_onnx(folder, Mode.INT8)}
    qrels = _ranking([1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    ticks: list[int] = []
    judged = (Ranking.everything(SEARCH), qrels)
    whole, small = measure_variants(forms, PAIRS[:4], judged, rounds=2, done=ticks.append)
    assert ticks == [1, 2, 3, 4]
    assert whole.drift.max_difference == 0 == whole.change
    assert whole.agreement == whole.drift.tau == 1.0
    assert 0 < small.drift.max_difference < 1
    assert 0.5 < (small.agreement or 0) <= 1
    assert small.bytes < whole.bytes
    assert min(whole.per_second, small.per_second) > 0
    assert small.change == pytest.approx((small.ndcg or 0) / (whole.ndcg or 1) - 1)
    assert small.as_dict()["shippable"] is small.shippable
