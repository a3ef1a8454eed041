"""Long documents by passages: windows of words, aggregates by hand, positions of the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from crossrank import Scale
from crossrank.errors import BadInput
from crossrank.models.scores import Aggregate
from crossrank.rerank import PassageScorer
from crossrank.types import Floats


class Digits:
    """The score of a text is the sum of the digits in it, minus 5."""

    scale = Scale.LOGIT

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        sums = [sum(int(c) for c in text if c.isdigit()) - 5 for text in documents]
        return np.array(sums, dtype=np.float32)


def by_dots(text: str) -> list[tuple[int, int]]:
    ends = [at for at, letter in enumerate(text) if letter == "."]
    return list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))


@pytest.mark.parametrize(
    ("how", "wanted", "scale"),
    [
        ("max", [4, -2], Scale.LOGIT),
        ("first", [-4, -2], Scale.LOGIT),
        ("mean", [(-4 + 4 - 3) / 3, -2], Scale.LOGIT),
        ("sum", [sum(1 / (1 + np.exp(-x)) for x in (-4, 4, -3)), 1 / (1 + np.exp(2))], Scale.RAW),
    ],
)
def test_aggregates(how: Aggregate, wanted: list[float], scale: Scale) -> None:
    scorer = PassageScorer(Digits(), how, by_dots)
    found = scorer.score_texts(["q", "q"], ["1.9.2", "3"])
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert scorer.scale is scale


def test_the_best_passage_has_its_place_in_the_text() -> None:
    found = PassageScorer(Digits(), "max", by_dots).score_noted(["q"], ["1.99.2"])
    (best,) = found.best
    assert ("1.99.2"[best.start : best.end], best.score) == ("99", 13)


def test_texts_are_split_at_sentences_unless_told_otherwise() -> None:
    text = " ".join(f"Das ist Satz {i}." for i in range(200))
    found = PassageScorer(Digits()).score_noted(["q"], [text])
    assert 0 <= found.best[0].start < found.best[0].end <= len(text)
    assert text[found.best[0].start :].startswith("Das ist Satz")


def test_an_empty_text_is_a_passage_too() -> None:
    assert PassageScorer(Digits()).score_texts(["q"], [""]).tolist() == [-5]


def test_an_unknown_aggregate_is_refused() -> None:
    with pytest.raises(BadInput, match="max, first, sum, mean wanted"):
        PassageScorer(Digits(), "median")  # type: ignore[arg-type]
