"""Texts to padded tensors, with the query cut before the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Tokens = dict[str, Any]


class Tokeniser:
    """A transformers tokenizer with the length limits of a run.

    A query never takes more than `query_length` tokens; of a pair only the document is cut
    (`only_second`), of a lone text its end.
    """

    def __init__(self, tokenizer: Any, max_length: int, query_length: int) -> None:
        self.tokenizer = tokenizer
        self.max_length = min(max_length, _limit(tokenizer))
        self.query_length = min(query_length, self.max_length // 2)

    def pairs(self, queries: Sequence[str], documents: Sequence[str]) -> Tokens:
        """Padded tensors of pairs."""
        asked = [self._cut(text) for text in queries]
        return self._tensors(asked, list(documents), truncation="only_second")

    def queries(self, texts: Sequence[str]) -> Tokens:
        """Padded tensors of lone queries."""
        return self._tensors(list(texts), None, truncation=True, max_length=self.query_length)

    def documents(self, texts: Sequence[str]) -> Tokens:
        """Padded tensors of lone documents."""
        return self._tensors(list(texts), None, truncation=True)

    def _tensors(
        self,
        first: list[str],
        second: list[str] | None,
        truncation: bool | str,
        max_length: int = 0,
    ) -> Tokens:
        encoded = self.tokenizer(
            first,
            second,
            truncation=truncation,
            max_length=max_length or self.max_length,
            padding=True,
            return_tensors="pt",
        )
        return dict(encoded)

    def _cut(self, text: str) -> str:
        if len(text) <= self.query_length:  # a token is at least a character
            return text
        spans = self.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, truncation=False
        )["offset_mapping"]
        return text if len(spans) <= self.query_length else text[: spans[self.query_length - 1][1]]


def by_length(texts: Sequence[str], size: int) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """The numbers of `texts` in batches of `size`, longest first, so that little is padding."""
    order = np.argsort([-len(text) for text in texts], kind="stable")
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _limit(tokenizer: Any) -> int:
    return int(min(getattr(tokenizer, "model_max_length", 512) or 512, 1 << 20))
