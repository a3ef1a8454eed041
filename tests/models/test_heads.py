"""Scores from outputs: scales, log-odds, grades, activations; values by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossrank import Scale
from crossrank.errors import BadInput, ModelError
from crossrank.models.heads import activation, head_of, sigmoid, softmax
from crossrank.models.scores import PairScores, aggregate_scale, combine
from crossrank.models.settings import Settings

NLI = Settings(labels=("contradiction", "entailment", "neutral"))


def _outputs(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_one_output_is_a_logit_or_what_the_settings_say() -> None:
    assert head_of(Settings(), 1).scale is Scale.LOGIT
    head = head_of(Settings(scale=Scale.REGRESSION), 1)
    assert head.scale is Scale.REGRESSION
    assert head.scores(_outputs([2.5], [-1])).tolist() == [2.5, -1]


def test_the_second_of_two_numbered_classes_is_relevant() -> None:
    head = head_of(Settings(labels=("LABEL_0", "LABEL_1")), 2)
    assert head.scale is Scale.LOGIT
    assert head.scores(_outputs([1, 3], [2, -2])).tolist() == [2, -4]


def test_numbered_classes_are_grades() -> None:
    head = head_of(Settings(labels=("0", "1", "2")), 3)
    assert head.scale is Scale.GRADE
    found = head.scores(_outputs([0, 0, 0], [-50, -50, 50]))
    np.testing.assert_allclose(found, [1, 2], atol=1e-6)


def test_a_named_class_gives_its_log_odds_which_never_saturate() -> None:
    head = head_of(NLI, 3, "Entailment")
    found = head.scores(_outputs([0, 1, 0], [0, 40, 0], [0, 41, 0]))
    assert found[2] > found[1]
    share = np.exp(1) / (2 + np.exp(1))
    assert found[0] == pytest.approx(np.log(share / (1 - share)), rel=1e-6)
    assert sigmoid(found[0]) == pytest.approx(softmax([0, 1, 0])[1], rel=1e-6)


def test_named_classes_want_a_choice_that_exists() -> None:
    with pytest.raises(BadInput, match="one of contradiction, entailment, neutral"):
        head_of(NLI, 3)
    with pytest.raises(BadInput, match="got 'relevant'"):
        head_of(NLI, 3, "relevant")
    with pytest.raises(BadInput, match="no label wanted"):
        head_of(Settings(), 1, "entailment")
    with pytest.raises(BadInput, match="tells 2 classes apart"):
        head_of(Settings(labels=("entailment", "not_entailment")), 2)


def test_the_sigmoid_is_exact_at_both_ends() -> None:
    found = sigmoid(np.array([-800, -40, 0, 40, 800], dtype=np.float32))
    assert found.dtype == np.float64
    assert found[0] == 0
    assert found[1] == pytest.approx(np.exp(-40), rel=1e-12)
    assert found[2:].tolist() == [0.5, 1 / (1 + np.exp(-40)), 1]


@pytest.mark.parametrize(
    ("name", "count", "wanted"),
    [
        ("", 1, 1 / (1 + np.exp(-2))),
        ("torch.nn.modules.linear.Identity", 1, 2.0),
        ("torch.nn.modules.activation.Sigmoid", 1, 1 / (1 + np.exp(-2))),
        ("torch.nn.Tanh", 1, np.tanh(2)),
        ("", 2, 2.0),
    ],
)
def test_activations_by_the_names_that_models_carry(name: str, count: int, wanted: float) -> None:
    values = np.array([[2.0] * count])
    np.testing.assert_allclose(activation(name, count)(values), [[wanted] * count])


@pytest.mark.parametrize("name", ["os.system", "torch.nn.Embedding", "torchy.nn.Sigmoid"])
def test_other_code_is_never_run(name: str) -> None:
    with pytest.raises(ModelError, match="which is not run"):
        activation(name, 1)


def test_probabilities_come_from_logits_only_and_keep_apart_what_differs() -> None:
    scores = PairScores(
        np.array([17, 18], np.float32), Scale.LOGIT, np.array([True, False]), np.ones(2, np.int64)
    )
    low, high = scores.probability()
    assert low < high < 1
    (note,) = scores.notes()
    assert (note.kind, note.count) == ("truncated", 1)
    with pytest.raises(BadInput, match="these scores are grade"):
        replace(scores, scale=Scale.GRADE).probability()


def test_sums_of_grades_add_up_and_lose_their_scale() -> None:
    found = combine(np.array([1, 2, 3], np.float32), np.array([0, 2]), "sum", Scale.GRADE)
    assert found.tolist() == [3, 3]
    assert aggregate_scale("sum", Scale.GRADE) is Scale.RAW
    assert aggregate_scale("max", Scale.GRADE) is Scale.GRADE
    assert combine(np.empty(0, np.float32), np.empty(0, np.int64), "max", Scale.LOGIT).size == 0
