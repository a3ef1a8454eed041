"""How much each word of a query or a document adds to the score: numbers that add up.

Shapley values (Shapley 1953) of the game whose players are the words of one side: what a set of
words is worth is the score with all other words of that side taken out. Small sides are computed
exactly over all sets; larger ones by sampling orders in which the words come in (Castro 2009),
each order with its reverse (Mitchell 2022). In either case the values add up to the score minus
that of the emptied side, because the gains along any order do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.explain.parts import Part, without, words
from crossrank.tasks.fits import Reals
from crossrank.types import Scale, Scorer

Side = Literal["query", "document"]
Method = Literal["exact", "sampled", "occlusion"]

TOLERANCE: Final = 1e-4
"""How far exact and sampled values may miss `score - baseline`, from rounding alone."""

MOST_PARTS: Final = 32
BUDGET: Final = 600  # texts scored for one side, about
_EXACT: Final = 8  # parts up to which all sets are scored
_PAIRS: Final = 256

Kept = npt.NDArray[np.bool_]
Score = Callable[[Kept], Reals]
"""The score of each set of kept parts: bool [m, parts] to float64 [m]."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each part of one side adds: `values` float64 [n], on the scale of the score.

    baseline: the score with every part of this side taken out; errors: the standard error of each
    value (0 where it is exact); method: how they were computed.
    """

    side: Side
    text: str
    parts: tuple[Part, ...]
    values: Reals
    errors: Reals
    score: float
    baseline: float
    scale: Scale
    method: Method

    @property
    def residual(self) -> float:
        """What the values leave of `score - baseline`: rounding, or for occlusion how far words
        work together (removing one of two equal words changes little, removing both a lot)."""
        return self.score - self.baseline - float(self.values.sum())

    def as_dict(self) -> dict[str, Any]:
        """The attribution as JSON values."""
        columns = zip(self.parts, self.values.tolist(), self.errors.tolist(), strict=True)
        return {
            "side": self.side,
            "method": self.method,
            "score": self.score,
            "baseline": self.baseline,
            "scale": str(self.scale),
            "residual": self.residual,
            "parts": [
                {
                    "text": self.text[part.start : part.end],
                    "start": part.start,
                    "end": part.end,
                    "value": value,
                    "error": error,
                }
                for part, value, error in columns
            ],
        }


def attribute(
    scorer: Scorer,
    query: str,
    document: str,
    side: Side = "document",
    *,
    most: int = MOST_PARTS,
    budget: int = BUDGET,
    quick: bool = False,
    blank: str = "",
) -> Attribution:
    """What each word of one side adds to the score of (query, document).

    most: parts a text is cut into; longer texts are explained by runs of words. budget: about how
    many texts are scored. quick: occlusion instead, one text a part, whose values need not add
    up. blank: what stands for a part taken out; a model's mask token, say, or nothing.
    """
    if side not in ("query", "document"):
        raise BadInput(f"a side of query or document wanted, got {side!r}")
    text = query if side == "query" else document
    parts = words(text, most)

    def score(kept: Kept) -> Reals:
        """The score of (query, document) with only these parts of the side."""
        texts = [without(text, parts, row, blank) for row in kept.tolist()]
        found = np.empty(len(texts))
        for start in range(0, len(texts), _PAIRS):
            some = texts[start : start + _PAIRS]
            other = [document if side == "query" else query] * len(some)
            pair = (some, other) if side == "query" else (other, some)
            found[start : start + len(some)] = scorer.score_texts(*pair)
        return found

    # each alone: what an int8 graph gives depends a little on what is scored beside it
    full = float(scorer.score_texts([query], [document])[0])
    empty = float(score(np.zeros((1, len(parts)), dtype=bool))[0])
    values, errors, method = _values(score, len(parts), budget, quick, full, empty)
    return Attribution(side, text, parts, values, errors, full, empty, scorer.scale, method)


def _values(
    score: Score, n: int, budget: int, quick: bool, full: float, empty: float
) -> tuple[Reals, Reals, Method]:
    if n == 0:
        return np.zeros(0), np.zeros(0), "exact"
    if quick:
        return full - score(~np.eye(n, dtype=bool)), np.zeros(n), "occlusion"
    if n <= _EXACT:
        return exact_shapley(score, n, full, empty), np.zeros(n), "exact"
    rounds = max(budget // (2 * n), 2)
    values, errors = sampled_shapley(score, n, rounds, full, empty)
    return values, errors, "sampled"


def exact_shapley(score: Score, n: int, full: float, empty: float) -> Reals:
    """The Shapley value of each of n parts from the scores of all 2^n sets: float64 [n]."""
    sets = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1 == 1
    worth = np.empty(1 << n)
    worth[1:-1] = score(sets[1:-1]) if n > 1 else []
    worth[0], worth[-1] = empty, full
    sizes = sets.sum(axis=1)
    values = np.zeros(n)
    for part in range(n):
        lacking = np.flatnonzero(~sets[:, part])
        gain = worth[lacking | (1 << part)] - worth[lacking]
        weight = np.array([1 / (n * comb(n - 1, int(size))) for size in sizes[lacking]])
        values[part] = (weight * gain).sum()
    return values


def sampled_shapley(
    score: Score, n: int, rounds: int, full: float, empty: float
) -> tuple[Reals, Reals]:
    """Shapley values from `rounds` orders and their reverses, and standard errors: float64 [n].

    The same orders every time, so that an explanation does not change between runs.
    """
    random = np.random.default_rng(0)
    forward = [random.permutation(n) for _ in range(rounds)]
    orders = np.array([order for each in forward for order in (each, each[::-1])])
    kept = np.zeros((len(orders), n - 1, n), dtype=bool)
    for step in range(n - 1):  # kept[:, step]: the first step + 1 parts of each order
        kept[:, step] = kept[:, step - 1] if step else False
        kept[np.arange(len(orders)), step, orders[:, step]] = True
    unique, place = np.unique(kept.reshape(-1, n), axis=0, return_inverse=True)
    worth = score(unique)[place.reshape(-1)].reshape(len(orders), n - 1)
    edges = np.full((len(orders), 1), empty), np.full((len(orders), 1), full)
    gains = np.diff(np.concatenate([edges[0], worth, edges[1]], axis=1), axis=1)
    by_part = np.empty_like(gains)
    np.put_along_axis(by_part, orders, gains, axis=1)
    means = by_part.reshape(rounds, 2, n).mean(axis=1)  # an order and its reverse are one sample
    return means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(rounds)


def strongest(found: Attribution, count: int) -> Sequence[int]:
    """The parts with the largest values of either sign, the largest first."""
    order: list[int] = np.argsort(-np.abs(found.values), kind="stable")[:count].tolist()
    return order
