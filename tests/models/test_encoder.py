"""The bi-encoder: pooling by hand, prompts, unit length, and a name that tells vectors apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from crossrank import BiEncoder, Scale
from crossrank.errors import BadInput, ModelError
from crossrank.models.pool import pooling
from crossrank.types import Floats
from tiny_models import HIDDEN, save_bi, save_cross
from tiny_transformers import POSITIONS

TEXTS = st.lists(st.text(st.sampled_from("abc äß.☃"), max_size=40), max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bi(tmp_path_factory.mktemp("models") / "tiny")


def token_vectors(folder: Path, text: str) -> Floats:
    """The graph on one unpadded text: [s, h]."""
    session = ort.InferenceSession(str(folder / "model.onnx"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(POSITIONS)
    ids = tokenizer.encode(text).ids
    ones, zeros = np.ones((1, len(ids)), np.int64), np.zeros((1, len(ids)), np.int64)
    feed = {"input_ids": [ids], "attention_mask": ones, "token_type_ids": zeros}
    return session.run(None, feed)[0][0]


@given(texts=TEXTS)
@settings(max_examples=30)
def test_vectors_are_the_unit_mean_of_the_tokens(folder: Path, texts: list[str]) -> None:
    found = BiEncoder(folder).encode(texts)
    assert found.shape == (len(texts), HIDDEN)
    for vector, text in zip(found, texts, strict=True):
        mean = token_vectors(folder, text).mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


def test_every_pooling_of_padded_tokens_is_that_of_the_tokens_alone() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2, 5, 3)).astype(np.float32)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=np.int64)
    found = pooling(["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"])(
        vectors, mask
    )
    for row, length in zip(range(2), (3, 5), strict=True):
        real = vectors[row, :length]
        rising = np.arange(1, length + 1)[:, None]
        wanted = [
            real[0],
            real.max(axis=0),
            real.mean(axis=0),
            real.sum(axis=0) / np.sqrt(length),
            (real * rising).sum(axis=0) / rising.sum(),
            real[-1],
        ]
        np.testing.assert_allclose(found[row], np.concatenate(wanted), atol=1e-5)


def test_prompts_come_before_the_text(folder: Path) -> None:
    model = BiEncoder(folder)
    np.testing.assert_array_equal(model.encode_queries(["ab"]), model.encode(["q, ab"]))
    np.testing.assert_array_equal(model.encode_documents(["ab"]), model.encode(["p, ab"]))
    other = BiEncoder(folder, query_prompt="x ", document_prompt="")
    np.testing.assert_array_equal(other.encode_queries(["ab"]), model.encode(["x ab"]))
    np.testing.assert_array_equal(other.encode_documents(["ab"]), model.encode(["ab"]))


def test_scale_dimension_and_free_length(folder: Path, tmp_path: Path) -> None:
    model = BiEncoder(folder)
    assert (model.scale, model.dimension) == (Scale.COSINE, HIDDEN)
    np.testing.assert_allclose(np.linalg.norm(model.encode(["ab", ""]), axis=1), 1, atol=1e-6)
    free = BiEncoder(save_bi(tmp_path / "free", {"normalise": False, "pooling": ["cls", "max"]}))
    assert (free.scale, free.dimension) == (Scale.DOT, 2 * HIDDEN)
    assert free.encode(["ab"]).shape == (1, 2 * HIDDEN)
    assert np.linalg.norm(free.encode(["ab"])) > 1.5


def test_the_name_changes_with_whatever_changes_vectors(folder: Path, tmp_path: Path) -> None:
    usual = BiEncoder(folder).name
    assert usual == BiEncoder(save_bi(tmp_path / "tiny")).name
    others = {
        BiEncoder(folder, max_length=20).name,
        BiEncoder(folder, query_prompt="x ").name,
        BiEncoder(folder, normalise=False).name,
        BiEncoder(save_bi(tmp_path / "b" / "tiny", {"pooling": "cls"})).name,
    }
    assert len(others | {usual}) == 5


def test_long_texts_are_cut_and_counted(folder: Path) -> None:
    model = BiEncoder(folder)
    long = "b " * 300
    np.testing.assert_array_equal(model.encode([long]), model.encode(["b " * (POSITIONS - 2)]))
    assert model.too_long(["ab", long]) == 1


def test_many_texts_and_progress(folder: Path) -> None:
    model = BiEncoder(folder)
    told: list[int] = []
    texts = [f"{i % 7}" for i in range(2100)]
    found = model.encode(texts, told.append)
    assert told == [2048, 2100]
    np.testing.assert_allclose(found, model.encode(texts[:7])[np.arange(2100) % 7], atol=1e-5)
    assert model.encode([]).shape == (0, HIDDEN)


def test_wrong_use_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a list of texts wanted"):
        BiEncoder(folder).encode("ab")
    with pytest.raises(BadInput, match="a max_length up to"):
        BiEncoder(folder, max_length=POSITIONS + 1)
    with pytest.raises(ModelError, match=r"a bi-encoder wanted, .* is a cross-encoder"):
        BiEncoder(save_cross(tmp_path / "cross"))
    with pytest.raises(ModelError, match="a pooling of cls, lasttoken"):
        BiEncoder(save_bi(tmp_path / "odd", {"pooling": "median"}))
