"""Which pairs are learned from in which step: a pure function of data, settings and seed.

Nothing is drawn while training runs, so a run that was killed goes on exactly where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.train.config import Groups
from crossrank.train.objectives.table import Objective
from crossrank.types import Floats, Ranking, Rows

Ints = npt.NDArray[np.int64]
WINDOW = 50  # batches among which items of like length are brought together


@dataclass(frozen=True, slots=True)
class Item:
    """One query (its number) with some of its documents (rows) and their labels."""

    query: int
    docs: Rows
    labels: Floats


class Plan:
    """The items of a whole run in order; `plan[i]` is the same whenever it is asked for.

    With an objective that compares documents an item is a query with a sample of its documents,
    drawn anew each time it comes; else it is one pair. skipped: queries that teach nothing.
    """

    def __init__(
        self,
        data: Ranking,
        objective: Objective,
        groups: Groups,
        batch: int,
        seed: int,
        *,
        in_batch: bool = False,
    ) -> None:
        self.data, self.groups, self.seed = data, groups, seed
        self.objective = objective
        self._positives = _counts(data, data.scores >= groups.positive)
        self._pool = np.unique(data.docs)
        self._usable = self._units(in_batch)
        self.skipped = len(data.queries) - len(self._usable) if objective.grouped else 0
        self._lengths = self._unit_lengths()
        self._batch = batch
        self.order: Ints = np.empty(0, np.int64)
        if not len(self._usable):
            raise BadInput(
                f"queries to learn from wanted, none of {len(data.queries)} has what objective "
                f"{objective.name!r} needs: two documents with different labels"
            )

    @property
    def epoch(self) -> int:
        """How many items an epoch has: whole batches, other items being left out each time."""
        whole = len(self._usable) // self._batch * self._batch
        return whole or len(self._usable)

    def over(self, items: int) -> Plan:
        """The same plan made ready for that many items, in as many epochs as it takes."""
        epochs = -(-items // self.epoch)
        order = [self._epoch(epoch) for epoch in range(epochs)]
        self.order = np.concatenate(order)[:items]
        return self

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> Item:
        unit = int(self._usable[self.order[index]])
        if not self.objective.grouped:
            query = int(np.searchsorted(self.data.indptr, unit, side="right")) - 1
            part = slice(unit, unit + 1)
            return Item(query, self.data.docs[part], self.data.scores[part])
        return self._group(unit, np.random.default_rng((self.seed, index)))

    def rate(self) -> float:
        """The share of a query's negatives that a group holds, as gBCE wants it; 1 for pairs."""
        if not self.objective.grouped:
            return 1.0
        drawn = self.groups.size - 1
        if self.groups.random:
            return min(1.0, drawn / max(len(self._pool) - 1, 1))
        negatives = (self.data.depths() - self._positives)[self._usable]
        return float(np.minimum(1.0, drawn / np.maximum(negatives, 1)).mean())

    def _group(self, query: int, draw: np.random.Generator) -> Item:
        docs, labels = self.data.query(query)
        positives = int(self._positives[query])
        first = draw.integers(positives, size=min(positives, 1))
        others = np.arange(positives if self.objective.contrastive else 0, len(docs))
        others = np.setdiff1d(others, first, assume_unique=True)
        wanted = self.groups.size - self.groups.random - len(first)
        rest = draw.choice(others, min(wanted, len(others)), replace=False)
        picked = np.concatenate([first, rest]).astype(np.int64)
        unjudged = self._random(docs, draw)
        return Item(
            query,
            np.concatenate([docs[picked], unjudged]),
            np.concatenate([labels[picked], np.zeros(len(unjudged), np.float32)]),
        )

    def _random(self, judged: Rows, draw: np.random.Generator) -> Rows:
        drawn = draw.choice(self._pool, 2 * self.groups.random)
        kept = [row for row in dict.fromkeys(drawn.tolist()) if row not in judged]
        return np.array(kept[: self.groups.random], dtype=np.int32)

    def _units(self, in_batch: bool) -> Ints:
        if not self.objective.grouped:
            return np.arange(len(self.data.docs), dtype=np.int64)
        depths = self.data.depths()
        more = in_batch or self.groups.random > 0
        if self.objective.contrastive:
            usable = (self._positives > 0) & ((depths > self._positives) | more)
        else:
            high, low = _ends(self.data)
            usable = (high > low) | ((self._positives > 0) & (self.groups.random > 0))
        return np.flatnonzero(usable & (depths > 0))

    def _unit_lengths(self) -> Ints:
        corpus = self.data.corpus
        sizes = np.zeros(int(self._pool.max(initial=0)) + 1, dtype=np.int64)
        sizes[self._pool] = [len(text) for text in corpus.texts(self._pool)]
        asked = np.array([len(text) for text in self.data.queries.texts], dtype=np.int64)
        pairs = sizes[self.data.docs] + asked[self.data.owners()]
        if not self.objective.grouped:
            return pairs
        totals = np.bincount(self.data.owners(), pairs, len(self.data.queries))
        return (totals / np.maximum(self.data.depths(), 1)).astype(np.int64)

    def _epoch(self, epoch: int) -> Ints:
        """A random order in which neighbours within a batch have about the same length.

        Lengths are blurred by up to a quarter: where relevant texts are a little longer than the
        others, batches sorted strictly would hold one label each.
        """
        draw = np.random.default_rng((self.seed, epoch, 1))
        order = draw.permutation(len(self._usable))[: self.epoch]
        lengths = self._lengths[self._usable] * draw.uniform(0.75, 1.25, len(self._usable))
        size = self._batch * WINDOW
        for start in range(0, len(order), size):
            part = order[start : start + size]
            part = part[np.argsort(lengths[part], kind="stable")]
            whole = len(part) // self._batch * self._batch
            batches = draw.permutation(part[:whole].reshape(-1, self._batch))
            order[start : start + size] = np.concatenate([batches.reshape(-1), part[whole:]])
        return order.astype(np.int64)


def _counts(data: Ranking, which: npt.NDArray[np.bool_]) -> Ints:
    return np.bincount(data.owners()[which], minlength=len(data.queries)).astype(np.int64)


def _ends(data: Ranking) -> tuple[Floats, Floats]:
    """The highest and the lowest label of every query (0 where it has none)."""
    high = np.zeros(len(data.queries), np.float32)
    low = np.zeros(len(data.queries), np.float32)
    some = data.depths() > 0
    high[some] = data.scores[data.indptr[:-1][some]]
    low[some] = data.scores[data.indptr[1:][some] - 1]
    return high, low
