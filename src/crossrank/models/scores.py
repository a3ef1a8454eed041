"""Scores of pairs with all that belongs to them: their scale, and which pairs were cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from crossrank.errors import BadInput
from crossrank.models.heads import Reals, sigmoid
from crossrank.models.pairs import Flags
from crossrank.types import Floats, Note, Offsets, Scale

Aggregate = Literal["max", "first", "sum", "mean"]
AGGREGATES: Final[tuple[Aggregate, ...]] = get_args(Aggregate)
TRUNCATED: Final = "truncated"


@dataclass(frozen=True, slots=True)
class PairScores:
    """Scores in input order.

    values: float32 [n], what to sort by; scale: what they mean; truncated: bool [n], whether a
    part of the pair was not read; windows: int64 [n], in how many windows the document was read.
    """

    values: Floats
    scale: Scale
    truncated: Flags
    windows: Offsets

    def probability(self) -> Reals:
        """The sigmoid of the values, once, in float64 [n]. Raises BadInput unless they are logits.

        It is not calibrated: 0.9 need not mean that nine of ten are relevant.
        """
        if self.scale is not Scale.LOGIT:
            raise BadInput(f"logits wanted for a probability, these scores are {self.scale}")
        return sigmoid(self.values)

    def notes(self) -> tuple[Note, ...]:
        """What a user should know: how many pairs were cut."""
        count = int(self.truncated.sum())
        if not count:
            return ()
        text = "pairs were longer than the model reads, and were cut (long='window' reads all)"
        return (Note(TRUNCATED, count, text),)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document of `rank`: where it was in the input (`index`), its score and what that means."""

    rank: int
    index: int
    score: float
    scale: Scale
    text: str
    truncated: bool


def combine(values: Floats, starts: Offsets, how: Aggregate, scale: Scale) -> Floats:
    """One score for each run of windows that begins at `starts`: float32 [n].

    "max" and "first" (MaxP, FirstP: Dai and Callan 2019) are scores of one window and "mean" the
    mean of all; "sum" (SumP) adds up probabilities where the scores are logits, since adding
    logits would punish a document for every window that has nothing to say.
    """
    if how not in AGGREGATES:
        raise BadInput(f"an aggregate of {', '.join(AGGREGATES)} wanted, got {how!r}")
    if not len(starts):
        return np.empty(0, np.float32)
    counts = np.diff(np.append(starts, len(values)))
    match how:
        case "max":
            return np.asarray(np.maximum.reduceat(values, starts))
        case "first":
            return values[starts]
        case "mean":
            exact = values.astype(np.float64)
            return np.asarray(np.add.reduceat(exact, starts) / counts, dtype=np.float32)
        case "sum":
            shares = sigmoid(values) if scale is Scale.LOGIT else values.astype(np.float64)
            return np.add.reduceat(shares, starts).astype(np.float32)


def aggregate_scale(how: Aggregate, scale: Scale) -> Scale:
    """What an aggregate of scores on `scale` means: a sum over windows has no stated meaning."""
    return Scale.RAW if how == "sum" else scale
