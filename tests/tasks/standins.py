"""Scorers that behave like a model in the one respect a test needs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from crossrank.types import Floats, Scale


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


class SharedWords:
    """A logit that grows with the share of the query's words that the document has."""

    scale = Scale.LOGIT

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        pairs = zip(queries, documents, strict=True)
        shares = [len(words(q) & words(d)) / max(len(words(q)), 1) for q, d in pairs]
        return np.array([12 * share - 6 for share in shares], dtype=np.float32)
