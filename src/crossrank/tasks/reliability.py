"""How far probabilities can be trusted: calibration error, held-out folds, reliability plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.tasks.calibration import METHODS, Calibration, Method, fit_curve
from crossrank.tasks.fits import Reals, sigmoid
from crossrank.types import Scale

BINS: Final = 15
FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Bin:
    """The pairs whose probability falls into one of the equal parts of [0, 1]."""

    low: float
    high: float
    count: int
    mean: float  # mean probability
    positive: float  # share of label 1


@dataclass(frozen=True, slots=True)
class Reliability:
    """How probabilities compare with what happened.

    `ece` is the expected calibration error: the mean of |probability - share of positives| over
    15 equal parts of [0, 1], weighted by their pairs (Naeini 2015, Guo 2017). `brier` is the mean
    squared error and `log_loss` the mean -log of the probability given to what happened.
    """

    ece: float
    brier: float
    log_loss: float
    bins: tuple[Bin, ...]

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values, without the bins."""
        return {"ece": self.ece, "brier": self.brier, "log_loss": self.log_loss}


def reliability(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = BINS
) -> Reliability:
    """The calibration error of probabilities against labels 0 and 1, with the bins behind it."""
    p = np.asarray(probabilities, dtype=np.float64)
    y = np.asarray(labels, dtype=np.float64)
    if p.shape != y.shape or not len(p):
        raise BadInput(f"a label for each of one or more probabilities wanted, got {len(p)}")
    if not ((p >= 0) & (p <= 1)).all():
        raise BadInput(f"probabilities in [0, 1] wanted, got {p.min():.3g} to {p.max():.3g}")
    place = np.minimum((p * bins).astype(int), bins - 1)
    found = tuple(_bin(i, bins, p[place == i], y[place == i]) for i in range(bins))
    ece = sum(b.count * abs(b.mean - b.positive) for b in found) / len(p)
    safe = np.clip(p, 1e-12, 1 - 1e-12)
    log_loss = float(-np.where(y > 0.5, np.log(safe), np.log1p(-safe)).mean())
    return Reliability(float(ece), float(((p - y) ** 2).mean()), log_loss, found)


def _bin(index: int, bins: int, p: Reals, y: Reals) -> Bin:
    low, high = index / bins, (index + 1) / bins
    if not len(p):
        return Bin(low, high, 0, (low + high) / 2, 0.0)
    return Bin(low, high, len(p), float(p.mean()), float(y.mean()))


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One method on folds it was not fitted on: a probability for every pair."""

    method: Method
    reliability: Reliability


@dataclass(frozen=True, slots=True)
class Report:
    """A calibration with what it is worth: `before` is the model's own sigmoid, all held out.

    `calibration` is fitted on all pairs, by the method with the least held-out log loss.
    """

    calibration: Calibration
    before: Reliability
    held_out: tuple[HeldOut, ...]

    @property
    def after(self) -> Reliability:
        """What the chosen method reached on held-out folds."""
        wanted = self.calibration.curve.method
        return next(each.reliability for each in self.held_out if each.method == wanted)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "calibration": self.calibration.as_dict(),
            "before": self.before.as_dict(),
            "held_out": {each.method: each.reliability.as_dict() for each in self.held_out},
        }


def calibrate(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    scale: Scale,
    groups: Sequence[str] | None = None,
    methods: Sequence[Method] = METHODS,
    source: str = "",
    folds: int = FOLDS,
) -> Report:
    """The calibration of scores by labels, and its error before and after on held-out folds.

    Pairs of one group (by default each its own; use the query) stay in one fold, so that no
    question is both fitted on and measured. A method that cannot fit (a temperature moves no score
    across 0.5, so it is no cure for logits that are all negative) is left out where another can.
    """
    x = np.asarray(scores, dtype=np.float64)
    y = np.asarray(labels, dtype=np.float64)
    fold = fold_of(groups if groups is not None else [str(i) for i in range(len(x))], folds)
    held, refused = [], None
    for method in methods:
        try:
            held.append(HeldOut(method, reliability(_unseen(method, x, y, fold), y)))
        except BadInput as error:
            refused = error
    if refused and not held:
        raise refused
    best = min(held, key=lambda each: each.reliability.log_loss).method
    fitted = Calibration(fit_curve(best, x, y), scale, len(x), float(y.mean()), source)
    return Report(fitted, reliability(as_probability(x, scale), y), tuple(held))


def as_probability(scores: Reals, scale: Scale) -> Reals:
    """What a model itself would call its probability: the sigmoid of a logit, else clipped."""
    return sigmoid(scores) if scale is Scale.LOGIT else np.clip(scores, 0.0, 1.0)


def fold_of(groups: Sequence[str], folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """The fold of each pair: groups shuffled once (always the same way), then dealt round."""
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < folds:
        raise BadInput(
            f"at least {folds} groups of pairs wanted for {folds} folds, {len(names)} came"
        )
    dealt = np.random.default_rng(0).permutation(len(names)) % folds
    return dealt[inverse]


def _unseen(method: Method, x: Reals, y: Reals, fold: npt.NDArray[np.int64]) -> Reals:
    """The probability of every pair from a fit on the other folds."""
    found = np.empty_like(x)
    for each in range(int(fold.max()) + 1):
        inside = fold == each
        found[inside] = fit_curve(method, x[~inside], y[~inside])(x[inside])
    return found
