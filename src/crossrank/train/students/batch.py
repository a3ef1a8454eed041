"""A step's worth of texts, and what every student makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from crossrank.train.plan import Item
from crossrank.types import Floats, Ranking, Scale

if TYPE_CHECKING:
    from torch import Tensor, nn

Features = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """G queries and the N different documents they come with.

    labels: float32 [G, N]; mask: bool [G, N], the pairs that are learned from.
    """

    queries: Sequence[str]
    documents: Sequence[str]
    labels: Floats
    mask: npt.NDArray[np.bool_]

    def pairs(self) -> tuple[list[str], list[str]]:
        """The texts of the pairs under the mask, row by row."""
        places = np.argwhere(self.mask).tolist()
        return [self.queries[g] for g, _ in places], [self.documents[c] for _, c in places]


class Student(Protocol):
    """A model in training. `module` holds its weights; scores have a place for every pair."""

    module: nn.Module
    scale: Scale

    def features(self, batch: Batch) -> Features:
        """The tensors of a batch, made on the CPU."""
        ...

    def scores(self, features: Features) -> Tensor:
        """float32 [G, N] (or [G, N, outputs]); only the places under the batch's mask count."""
        ...

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        """One score a pair: what the development set is ordered by (see `Scorer`)."""
        ...

    def save(self, folder: Path) -> None:
        """Writes a directory that transformers, sentence-transformers and crossrank load."""
        ...


def collate(data: Ranking, items: Sequence[Item], *, in_batch: bool = False) -> Batch:
    """The batch of some items; a document that several of them have stands in it once.

    With `in_batch` every document is a negative (label 0) of every query that it has no label
    for; without, a query is compared with its own documents only.
    """
    rows, places = np.unique(np.concatenate([item.docs for item in items]), return_inverse=True)
    owner = np.repeat(np.arange(len(items)), [len(item.docs) for item in items])
    labels = np.zeros((len(items), len(rows)), dtype=np.float32)
    mask = np.full(labels.shape, in_batch)
    if in_batch:
        for group, item in enumerate(items):
            judged, _ = data.query(item.query)
            mask[group, np.isin(rows, judged)] = False
    mask[owner, places] = True
    labels[owner, places] = np.concatenate([item.labels for item in items])
    texts = [data.queries.texts[item.query] for item in items]
    return Batch(texts, data.corpus.texts(rows.astype(np.int32)), labels, mask)
