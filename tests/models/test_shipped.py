"""The models in the package: that they load, and that they tell apart what they are there for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossrank.models import BiEncoder, CrossEncoder
from crossrank.models.bundled import ENVIRONMENT, bundled, bundled_names
from crossrank.tasks.loading import duplicate_judge

SAME = [
    ("Wie kann ich mich vor einer Ansteckung schützen?", "Was hilft gegen Ansteckung?"),
    ("How do I reset my password?", "I forgot my password, how can I get a new one?"),
    ("Ein Mann spielt Gitarre.", "A man is playing the guitar."),
]
OTHER = [
    ("Wie kann ich mich vor einer Ansteckung schützen?", "Wie lange dauert die Quarantäne?"),
    ("How do I reset my password?", "How do I change my delivery address?"),
    ("Ein Mann spielt Gitarre.", "A woman is slicing an onion."),
]


@pytest.fixture(autouse=True)
def no_other_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)


def test_every_shipped_model_has_a_card_and_fits_the_limit() -> None:
    assert bundled_names() == ["crossrank-embed", "crossrank-similar", "crossrank-small"]
    size = 0
    for name in bundled_names():
        files = {each.name: each.stat().st_size for each in (bundled(name) or Path()).iterdir()}
        assert files.keys() == {"README.md", "crossrank.json", "model.onnx", "tokenizer.json"}
        size += sum(files.values())
    assert size < 60e6


def test_similarity_is_high_for_the_same_in_other_words_and_in_the_other_language() -> None:
    model = CrossEncoder("crossrank-similar")
    same, other = model.probability(SAME), model.probability(OTHER)
    assert (same > 0.5).all(), same
    assert (other < 0.5).all(), other


def test_similarity_hardly_depends_on_the_order() -> None:
    model = CrossEncoder("crossrank-similar")
    turned = [(b, a) for a, b in SAME + OTHER]
    gap = np.abs(model.probability(SAME + OTHER) - model.probability(turned))
    assert gap.max() < 0.15, gap


@pytest.mark.parametrize("name", ["crossrank-similar", "crossrank-small"])
def test_both_cross_encoders_come_with_a_decision_on_duplicates(name: str) -> None:
    judge = duplicate_judge(name, BiEncoder())
    assert judge.decision.encoder == judge.encoder.name
    assert judge.decision.score > 0
