"""Directories of sentence-transformers give the numbers that sentence-transformers gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossrank import BiEncoder, CrossEncoder, Scale
from tiny_transformers import POSITIONS, save_tiny

sbert = pytest.importorskip("sentence_transformers")
pytestmark = pytest.mark.torch

PAIRS = [
    ("kühlschrank", "ein kühlschrank für labor"),
    ("fridge?", "a fridge"),
    ("a", "lang und länger, noch länger: " * 4),
    ("x", ""),
]
TEXTS = [text for pair in PAIRS for text in pair if text]


@pytest.fixture(scope="module", autouse=True)
def quiet_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from transformers.utils import logging

    logging.disable_progress_bar()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSRANK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
    logging.enable_progress_bar()


@pytest.mark.parametrize("activation", ["Identity", "Sigmoid"])
def test_a_cross_encoder_with_its_activation(tmp_path: Path, activation: str) -> None:
    import torch

    apply = getattr(torch.nn, activation)()
    theirs = sbert.CrossEncoder(str(save_tiny(tmp_path / "hf", "bert")), activation_fn=apply)
    theirs.save_pretrained(str(tmp_path / "saved"))
    wanted = theirs.predict(PAIRS, show_progress_bar=False)
    ours = CrossEncoder(tmp_path / "saved")
    assert ours.scale is Scale.LOGIT
    assert ours.max_length == POSITIONS
    np.testing.assert_allclose(ours.predict(PAIRS), wanted, atol=1e-4)
    logits = theirs.predict(PAIRS, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    np.testing.assert_allclose(ours.score(PAIRS), logits, atol=1e-4)
    ranked = [each["corpus_id"] for each in theirs.rank("a", TEXTS, show_progress_bar=False)]
    assert [each.index for each in ours.rank("a", TEXTS)] == ranked


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_a_bi_encoder_with_its_prompts(tmp_path: Path, pooling: str) -> None:
    base = save_tiny(tmp_path / "hf", "xlm-roberta", classifier=False)
    theirs = _bi_encoder(base, pooling)
    theirs.save_pretrained(str(tmp_path / "saved"))
    ours = BiEncoder(tmp_path / "saved")
    assert (ours.query_prompt, ours.document_prompt) == ("query: ", "passage: ")
    quiet = {"show_progress_bar": False}
    np.testing.assert_allclose(
        ours.encode_queries(TEXTS), theirs.encode_query(TEXTS, **quiet), atol=1e-4
    )
    np.testing.assert_allclose(
        ours.encode_documents(TEXTS), theirs.encode_document(TEXTS, **quiet), atol=1e-4
    )


def _bi_encoder(base: Path, pooling: str) -> Any:
    from sentence_transformers.sentence_transformer import modules as models

    word = models.Transformer(str(base), max_seq_length=POSITIONS)
    pooled = models.Pooling(word.get_embedding_dimension(), pooling_mode=pooling)
    prompts = {"query": "query: ", "document": "passage: "}
    parts = [word, pooled, models.Normalize()]
    return sbert.SentenceTransformer(modules=parts, prompts=prompts, device="cpu")
