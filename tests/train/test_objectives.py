"""Losses: values worked out by hand, the library's own, finite differences, and masks."""

from __future__ import annotations

import math
import warnings

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from crossrank.errors import BadInput  # noqa: E402
from crossrank.train.objectives import NAMES, Objective, objective  # noqa: E402
from crossrank.train.objectives.listwise import lambda_loss  # noqa: E402
from crossrank.train.objectives.pointwise import gbce_beta  # noqa: E402

OUTPUTS = {"cross-entropy": 3, "ordinal": 2, "coral": 2}


def chosen(name: str) -> Objective:
    return Objective(name, rate=0.25, temperature=2.0)


def tensor(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def value(name: str, scores: object, labels: object) -> float:
    wanted = tensor(labels)
    return float(
        objective(chosen(name))(tensor(scores), wanted, torch.ones_like(wanted, dtype=torch.bool))
    )


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# scores 2 and 0 with labels 1 and 0, worked out by hand from the papers' formulas
HAND = {
    "bce": (-math.log(sigmoid(2)) - math.log(0.5)) / 2,
    "mse": ((2 - 1) ** 2 + 0) / 2,
    # beta = 1 - 0.75 * (1 - 0.25) = 0.4375
    "gbce": (-0.4375 * math.log(sigmoid(2)) - math.log(0.5)) / 2,
    "info-nce": -math.log(math.exp(2) / (math.exp(2) + 1)),
    "list-net": -(sigmoid(1) * math.log(sigmoid(2)) + (1 - sigmoid(1)) * math.log(1 - sigmoid(2))),
    "rank-net": -math.log(sigmoid(2)),
    "margin-mse": ((2 - 0) - (1 - 0)) ** 2,
    "kl": 4
    * (
        sigmoid(0.5) * math.log(sigmoid(0.5) / sigmoid(1))
        + (1 - sigmoid(0.5)) * math.log((1 - sigmoid(0.5)) / (1 - sigmoid(1)))
    ),
    # one swap of ranks 1 and 2: (10 + 1) * |1 / log2 2 - 1 / log2 3| * gain 1, in bits
    "lambda": 11 * (1 - 1 / math.log2(3)) * -math.log2(sigmoid(2)),
}


@pytest.mark.parametrize("name", HAND)
def test_two_documents_by_hand(name: str) -> None:
    assert value(name, [[2.0, 0.0]], [[1.0, 0.0]]) == pytest.approx(HAND[name], rel=1e-12)


def test_classes_and_grades_by_hand() -> None:
    logits = [[[1.0, 0.0, -1.0]]]
    share = math.exp(0) / (math.exp(1) + math.exp(0) + math.exp(-1))
    assert value("cross-entropy", logits, [[1.0]]) == pytest.approx(-math.log(share))
    # grade 1 of 0..2: above 0, not above 1
    two = [[[0.5, -0.25]]]
    wanted = (-math.log(sigmoid(0.5)) - math.log(1 - sigmoid(-0.25))) / 2
    assert value("ordinal", two, [[1.0]]) == pytest.approx(wanted)
    assert value("coral", two, [[1.0]]) == pytest.approx(wanted)


def test_gbce_with_all_negatives_is_binary_cross_entropy() -> None:
    assert gbce_beta(0.75, 1.0) == 1.0
    assert gbce_beta(0.0, 0.1) == 1.0
    assert gbce_beta(1.0, 0.1) == pytest.approx(0.1)


def test_groups_without_a_positive_or_a_pair_weigh_nothing() -> None:
    both = value("info-nce", [[2.0, 0.0], [5.0, 4.0]], [[1.0, 0.0], [0.0, 0.0]])
    assert both == pytest.approx(HAND["info-nce"])
    for name in ("rank-net", "lambda"):
        assert value(name, [[2.0, 0.0], [5.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]]) == pytest.approx(
            HAND[name]
        )


def batch(name: str, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """3 groups of 5, 3 and 1 documents, graded 0 to 2."""
    make = torch.Generator().manual_seed(seed)
    size = (3, 5, OUTPUTS[name]) if name in OUTPUTS else (3, 5)
    scores = torch.randn(size, generator=make, dtype=torch.float64)
    labels = torch.randint(0, 3, (3, 5), generator=make).to(torch.float64)
    if name == "bce":
        labels = labels / 2
    mask = torch.arange(5)[None, :] < torch.tensor([[5], [3], [1]])
    return scores, labels, mask


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0])
def test_gradients_are_finite_differences(name: str, seed: int) -> None:
    scores, labels, mask = batch(name, seed)
    loss = objective(chosen(name))
    scores.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: loss(s, labels, mask), (scores,), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_empty_places_change_neither_loss_nor_gradient(name: str) -> None:
    scores, labels, mask = batch(name, 2)
    loss = objective(chosen(name))
    results = []
    for filler in (0.0, 50.0, float("nan")):
        there = mask[..., None] if name in OUTPUTS else mask
        given = torch.where(there, scores, filler).requires_grad_()
        found = loss(given, torch.where(mask, labels, filler), mask)
        found.backward()
        assert given.grad is not None
        assert (given.grad[~mask] == 0).all()
        results.append((found.detach(), given.grad[mask]))
    for found, gradient in results[1:]:
        torch.testing.assert_close(found, results[0][0])
        torch.testing.assert_close(gradient, results[0][1])


@pytest.mark.parametrize("name", [n for n in NAMES if n not in OUTPUTS])
def test_following_the_gradient_lowers_the_loss(name: str) -> None:
    scores, labels, mask = batch(name, 3)
    labels[:, 0] = 1.0
    labels[:, 1] = 0.0
    loss = objective(chosen(name))
    scores.requires_grad_()
    before = loss(scores, labels, mask)
    before.backward()
    after = loss(scores.detach() - 0.01 * scores.grad, labels, mask)
    assert after < before


@settings(max_examples=30)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=6), st.integers(0, 9))
@pytest.mark.parametrize("name", ["info-nce", "list-net", "rank-net", "margin-mse", "kl", "lambda"])
def test_only_differences_of_scores_count(name: str, scores: list[int], seed: int) -> None:
    # tied scores have no order to weigh by, so they are drawn apart
    apart = [float(s) + 0.01 * i for i, s in enumerate(scores)]
    labels = torch.randint(0, 3, (1, len(scores)), generator=torch.Generator().manual_seed(seed))
    shifted = [s + 7.5 for s in apart]
    assert value(name, [apart], labels.tolist()) == pytest.approx(
        value(name, [shifted], labels.tolist()), abs=1e-9
    )


class _Scores(torch.nn.Module):
    """Stands for the library's cross-encoder: hands out the scores it was given."""

    num_labels = 1
    device = torch.device("cpu")

    def __init__(self, scores: torch.Tensor) -> None:
        super().__init__()
        self.scores = scores

    def preprocess(self, pairs: list[tuple[str, str]], **_: object) -> dict[str, torch.Tensor]:
        return {"rows": torch.tensor([int(document) for _, document in pairs])}

    def forward(self, tokens: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"scores": self.scores.view(-1)[tokens["rows"]]}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["lambda", "rank-net", "list-net"])
def test_equal_to_sentence_transformers(name: str, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        losses = pytest.importorskip("sentence_transformers.cross_encoder.losses")
    scores, labels, mask = (t.float() if t.is_floating_point() else t for t in batch(name, seed))
    documents = [
        [str(group * 5 + i) for i in range(5) if mask[group, i]] for group in range(len(mask))
    ]
    theirs = {
        "lambda": losses.LambdaLoss,
        "rank-net": losses.RankNetLoss,
        "list-net": losses.ListNetLoss,
    }[name](_Scores(scores))
    wanted = theirs([["q"] * 3, documents], [row[m] for row, m in zip(labels, mask, strict=True)])
    ours = objective(chosen(name))(scores, labels, mask)
    factor = 1 / math.log(2) if name == "rank-net" else 1.0  # they count in bits
    torch.testing.assert_close(ours * factor, wanted, rtol=1e-5, atol=1e-6)


def test_lambda_loss_weighs_a_swap_at_the_top_more() -> None:
    mask = torch.ones(1, 3, dtype=torch.bool)
    top = lambda_loss(tensor([[1.0, 2.0, 0.0]]), tensor([[1.0, 0.0, 0.0]]), mask)
    low = lambda_loss(tensor([[2.0, 0.0, 1.0]]), tensor([[2.0, 1.0, 0.0]]), mask)
    assert top > low


def test_unknown_names_and_settings_are_refused() -> None:
    with pytest.raises(BadInput, match="objective"):
        Objective("hinge")
    with pytest.raises(BadInput, match="temperature"):
        Objective("kl", temperature=0)
    assert Objective("cross-entropy").outputs(4) == 4
    assert Objective("coral").outputs(4) == 3
