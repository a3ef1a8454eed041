"""Deterministic stand-ins for models, so that every layer is testable without weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from crossrank.retrieve.late import TokenStates
from crossrank.types import Floats, Scale


def _unit(text: str) -> float:
    """A number in [0, 1) that depends on the text alone; coarse, so that ties occur."""
    return hashlib.blake2b(text.encode(), digest_size=1).digest()[0] // 16 / 16


class FakeScorer:
    """Scores a pair by a hash of both texts: pointwise, with ties."""

    scale = Scale.LOGIT

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        pairs = zip(queries, documents, strict=True)
        return np.array([_unit(f"{q}\0{d}") * 8 - 4 for q, d in pairs], dtype=np.float32)


class FakeEncoder:
    """Encodes a text as the normalised counts of its letters, hashed into 16 dimensions."""

    name = "fake-letters-16"
    dimension = 16
    scale = Scale.COSINE

    def _encode(self, texts: Sequence[str]) -> Floats:
        vectors = np.full((len(texts), 16), 0.01, dtype=np.float32)
        for row, text in enumerate(texts):
            for letter in text:
                vectors[row, ord(letter) % 16] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    encode_queries = _encode
    encode_documents = _encode


class FakeTokens:
    """One unit vector a word, by a hash of the word, in 16 dimensions; none for an empty text."""

    def _states(self, texts: Sequence[str]) -> TokenStates:
        words = [text.split() for text in texts]
        offsets = np.cumsum([0, *(len(each) for each in words)], dtype=np.int64)
        rows = [self._vector(word) for each in words for word in each]
        return TokenStates(np.array(rows, dtype=np.float32).reshape(-1, 16), offsets)

    @staticmethod
    def _vector(word: str) -> Floats:
        digest = hashlib.blake2b(word.encode(), digest_size=16).digest()
        vector = np.frombuffer(digest, dtype=np.uint8).astype(np.float32) - 127.5
        return vector / np.linalg.norm(vector)

    query_states = _states
    document_states = _states
