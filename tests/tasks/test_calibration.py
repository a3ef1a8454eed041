"""Calibrations: fitted, saved, applied, and refused where they do not belong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput, NotFound
from crossrank.tasks.calibrating import best_of_groups
from crossrank.tasks.calibration import (
    METHODS,
    Calibrated,
    Calibration,
    Isotonic,
    Method,
    Platt,
    Temperature,
    fit_curve,
)
from crossrank.tasks.fits import sigmoid
from crossrank.tasks.labelled import LabelledPairs, read_pairs
from crossrank.tasks.plots import reliability_svg
from crossrank.tasks.reliability import calibrate, fold_of, reliability
from crossrank.tasks.saved import read_calibration, write_calibration
from crossrank.tasks.thresholds import Threshold, best_threshold
from fakes import FakeScorer

RANDOM = np.random.default_rng(11)
SCORES = RANDOM.normal(0, 3, 3000)
LABELS = (RANDOM.random(3000) < sigmoid(SCORES / 2 - 1)).astype(float)


@pytest.mark.parametrize("method", METHODS)
def test_every_curve_stays_in_bounds_never_falls_and_survives_a_round_trip(method: Method) -> None:
    curve = fit_curve(method, SCORES, LABELS)
    at = np.linspace(-50, 50, 1001)
    found = curve(at)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()
    kept = Calibration(curve, Scale.LOGIT, 3000, 0.3, "made up")
    stored = json.loads(json.dumps(kept.as_dict()))
    assert Calibration.from_dict(stored) == kept


def test_platt_finds_the_curve_the_labels_came_from() -> None:
    curve = fit_curve("platt", SCORES, LABELS)
    assert isinstance(curve, Platt)
    assert curve.slope == pytest.approx(0.5, abs=0.05)
    assert curve.intercept == pytest.approx(-1, abs=0.1)


def test_temperature_moves_no_score_across_a_half() -> None:
    assert Temperature(3.0)([-1, 0, 1])[1] == 0.5
    assert Temperature(2.0)(4.0) == pytest.approx(sigmoid(2.0))


@pytest.mark.parametrize("method", ["temperature", "platt"])
def test_labels_the_wrong_way_round_are_refused(method: Method) -> None:
    with pytest.raises(BadInput, match="the right way round"):
        fit_curve(method, -SCORES, LABELS)


def test_a_calibration_refuses_another_scale() -> None:
    kept = Calibration(Platt(1, 0), Scale.COSINE)
    with pytest.raises(BadInput, match=r"scale cosine wanted.*got logit"):
        Calibrated(FakeScorer(), kept)


def test_a_calibrated_scorer_says_so() -> None:
    scorer = Calibrated(FakeScorer(), Calibration(Platt(2, -1), Scale.LOGIT))
    found = scorer.score_texts(["a", "b"], ["c", "d"])
    raw = FakeScorer().score_texts(["a", "b"], ["c", "d"])
    np.testing.assert_allclose(found, sigmoid(2 * raw - 1), rtol=1e-6)
    assert found.dtype == np.float32
    assert scorer.scale is Scale.CALIBRATED


def test_the_calibration_error_is_the_hand_value() -> None:
    # bins of a tenth: (.2 of 1/2) over 2 pairs, (.9 of 1) over 1 pair
    found = reliability([0.25, 0.15, 0.9], [1, 0, 1], bins=5)
    assert found.ece == pytest.approx((1 * abs(0.25 - 1) + 1 * abs(0.15 - 0) + 1 * 0.1) / 3)
    assert found.brier == pytest.approx((0.75**2 + 0.15**2 + 0.1**2) / 3)
    assert sum(each.count for each in found.bins) == 3


def test_calibrating_lowers_the_error_on_held_out_folds() -> None:
    report = calibrate(SCORES, LABELS, Scale.LOGIT)
    assert report.before.ece > 0.1
    assert report.after.ece < 0.035
    assert report.after.log_loss < report.before.log_loss
    assert report.calibration.curve.method in ("platt", "isotonic")
    assert report.calibration.positive == LABELS.mean()


def test_folds_keep_groups_together_and_are_the_same_every_time() -> None:
    groups = [f"q{i % 40}" for i in range(400)]
    fold = fold_of(groups)
    assert {len(set(fold[i::40])) for i in range(40)} == {1}
    assert np.bincount(fold).tolist() == [80] * 5
    assert fold.tolist() == fold_of(groups).tolist()
    with pytest.raises(BadInput, match="at least 5 groups"):
        fold_of(["a", "b"])


def test_a_directory_keeps_what_its_crossrank_json_had(tmp_path: Path) -> None:
    (tmp_path / "crossrank.json").write_text('{"kind": "cross-encoder"}', encoding="utf-8")
    fitted = Calibration(Isotonic((0.0, 1.0), (0.1, 0.9)), Scale.LOGIT).as_dict()
    assert write_calibration(tmp_path, "answer", fitted) == tmp_path / "crossrank.json"
    write_calibration(tmp_path, "relevance", fitted)
    stored = json.loads((tmp_path / "crossrank.json").read_text(encoding="utf-8"))
    assert stored["kind"] == "cross-encoder"
    assert sorted(stored["calibrations"]) == ["answer", "relevance"]
    assert read_calibration(tmp_path, "answer") == fitted
    with pytest.raises(NotFound, match="has answer, relevance: make one with `crossrank cal"):
        read_calibration(tmp_path, "duplicate")


def test_a_file_apart_is_made_and_a_broken_one_refused(tmp_path: Path) -> None:
    target = tmp_path / "mine.json"
    write_calibration(target, "duplicate", {"method": "platt"})
    assert read_calibration(target, "duplicate") == {"method": "platt"}
    target.write_text("[]", encoding="utf-8")
    with pytest.raises(BadInput, match="a JSON object wanted"):
        read_calibration(target, "duplicate")
    with pytest.raises(BadInput, match="written by crossrank"):
        Calibration.from_dict({"method": "platt"})


def _ranking(scale: Scale) -> Ranking:
    search = Search(Queries.of(["a", "b"]), MemoryCorpus.of(list("xyz")))
    return Ranking.of_lists(search, [[0, 1, 2], [1]], [[0.9, 0.5, 0.1], [0.2]], scale)


def test_a_threshold_keeps_what_reaches_it() -> None:
    kept = Threshold(0.5)(_ranking(Scale.CALIBRATED))
    assert kept.depths().tolist() == [2, 0]
    assert kept.docs.tolist() == [0, 1]


@pytest.mark.parametrize("scale", [Scale.LOGIT, Scale.PROBABILITY, Scale.COSINE])
def test_a_threshold_on_uncalibrated_scores_is_refused(scale: Scale) -> None:
    with pytest.raises(BadInput, match=f"calibrated scores wanted .*, got scores of scale {scale}"):
        Threshold(0.5)(_ranking(scale))


def test_the_best_threshold_is_found_and_ties_stay_together() -> None:
    found = best_threshold([0.9, 0.7, 0.7, 0.2], [1, 1, 0, 0])
    assert (found.threshold, found.precision, found.recall) == (0.7, 2 / 3, 1.0)
    assert best_threshold([0.9, 0.8, 0.1], [1, 1, 0]).f1 == 1.0


def test_pairs_are_read_and_broken_lines_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        '{"query": "q", "passage": "p", "label": 1, "query_id": 7}\n'
        '{"text_a": "a", "text_b": "b", "score": 0.0}\n',
        encoding="utf-8",
    )
    found = read_pairs(path)
    assert (found.left, found.right) == (("q", "a"), ("p", "b"))
    assert found.labels.tolist() == [1, 0]
    assert found.groups == ("7", "a")
    assert found.some(1).left == ("q",)
    assert found.some(5).left == found.left
    path.write_text('{"query": "q", "passage": "p", "label": 2}\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"pairs.jsonl:1: a label .* wanted, got 2"):
        read_pairs(path)


def test_the_plot_is_one_svg_with_a_line_for_each() -> None:
    found = reliability(sigmoid(SCORES), LABELS)
    svg = reliability_svg({"before": found, "a < b": found}, "Model & pairs")
    assert svg.count("<polyline") == 2
    assert "a &lt; b" in svg
    assert "Model &amp; pairs" in svg


def test_a_question_counts_with_its_answers_and_without_them() -> None:
    pairs = LabelledPairs(
        ("a", "a", "a", "b", "c"), ("",) * 5, np.array([1.0, 0, 0, 0, 1]), ("a", "a", "a", "b", "c")
    )
    best, answered, names = best_of_groups(np.array([3.0, 1, 2, 5, 4]), pairs)
    assert names == ["a", "b", "c", "a"]
    assert best.tolist() == [3, 5, 4, 2]
    assert answered.tolist() == [1, 0, 1, 0]


def test_a_method_that_cannot_fit_is_left_out_where_another_can() -> None:
    rng = np.random.default_rng(3)
    labels = (np.arange(200) % 4 > 0).astype(float)
    scores = labels + rng.normal(0, 0.5, 200) - 9  # all negative: no temperature helps
    report = calibrate(scores, labels, Scale.LOGIT, methods=("temperature", "platt"))
    assert [each.method for each in report.held_out] == ["platt"]
    with pytest.raises(BadInput, match="higher for label 1"):
        calibrate(-scores, labels, Scale.LOGIT, methods=("platt",))


def test_the_shipped_model_has_a_calibration_for_every_purpose() -> None:
    from crossrank import CrossEncoder
    from crossrank.tasks.loading import calibrated
    from crossrank.tasks.saved import PURPOSES

    scorer = CrossEncoder()
    for purpose in PURPOSES:
        assert read_calibration(scorer.folder, purpose)
    good, bad = "Der Kühlschrank fasst 280 Liter.", "Der Vertrag endet am Jahresende."
    query = "Wie viel Liter fasst der Kühlschrank?"
    higher, lower = calibrated(scorer).score_texts([query, query], [good, bad])
    assert 0 < lower < higher < 1
