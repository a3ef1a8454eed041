"""Texts to token ids: each once, any text, no tokenizer is changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossrank.errors import BadInput, ModelError
from crossrank.models.template import pair_template
from crossrank.models.tokens import TokenBatch, TokenStore, load_tokenizer
from tiny_transformers import tiny_tokenizer


class Counting:
    """A tokenizer that counts what it is given."""

    def __init__(self) -> None:
        self.inner, self.read = tiny_tokenizer(), 0

    def encode_batch_fast(self, texts: Sequence[str], **given: Any) -> Any:
        self.read += len(texts)
        return self.inner.encode_batch_fast(texts, **given)


def test_a_text_is_read_once_until_the_store_is_full() -> None:
    tokenizer = Counting()
    store = TokenStore(tokenizer, limit=4)  # type: ignore[arg-type]
    found = store.read(["ab", "cde", "ab"])
    assert tokenizer.read == 2
    assert found[0].tolist() == found[2].tolist()
    assert found[0].dtype == np.int32
    store.read(["ab"])  # five ids were kept, so this one is read again
    assert tokenizer.read == 3
    store.read(["ab", "cde"])
    assert tokenizer.read == 4


def test_half_surrogates_and_empty_texts_are_texts() -> None:
    store = TokenStore(tiny_tokenizer())
    broken, plain, empty = store.read(["a\ud800b", "a?b", ""])
    assert broken.tolist() == plain.tolist()
    assert empty.tolist() == []
    assert store.read([]) == []


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(BadInput, match="texts wanted, got NoneType"):
        TokenStore(tiny_tokenizer()).read(["a", None])  # type: ignore[list-item]


def test_a_batch_is_flat() -> None:
    one, two = np.array([1, 2], np.int32), np.array([3], np.int32)
    batch = TokenBatch.of([(one, one * 0), (two, two * 0 + 1)])
    assert batch.ids.tolist() == [1, 2, 3]
    assert batch.types.tolist() == [0, 0, 1]
    assert batch.offsets.tolist() == [0, 2, 3]
    assert (len(batch), len(TokenBatch.of([]))) == (2, 0)


def test_settings_of_the_file_do_not_pad_or_truncate(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.enable_padding(length=40)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert len(loaded.encode("abcdefgh").ids) == 10


def test_the_vocabulary_of_an_older_bert(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "der", "Die", "##s"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    loaded = load_tokenizer(tmp_path / "vocab.txt")
    assert loaded.encode("ders Die die").tokens == ["[CLS]", "der", "##s", "Die", "[UNK]", "[SEP]"]
    assert pair_template(loaded).specials == 3


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="a tokenizer wanted in"):
        load_tokenizer(tmp_path / "tokenizer.json")
