"""Thresholds, which only calibrated scores may have: a logit of 0.5 means nothing in itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Ranking, Scale


def require_calibrated(scale: Scale) -> None:
    """Nothing if scores of `scale` may be compared with a threshold; raises BadInput if not."""
    if scale is not Scale.CALIBRATED:
        raise BadInput(
            f"calibrated scores wanted for a threshold, got scores of scale {scale}, whose values "
            "mean another thing for every model: run `crossrank calibrate MODEL PAIRS.jsonl` "
            "and score with the calibrated model"
        )


@dataclass(frozen=True, slots=True)
class Threshold:
    """A stage that keeps the documents whose calibrated probability is `minimum` or more."""

    minimum: float

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= 1:
            raise BadInput(f"a probability from 0 to 1 wanted, got {self.minimum}")

    @property
    def name(self) -> str:
        """The name of the stage, with its threshold."""
        return f"p >= {self.minimum:g}"

    def __call__(self, given: Ranking, /) -> Ranking:
        """The documents at or above the threshold. Raises BadInput for uncalibrated scores."""
        require_calibrated(given.scale)
        keep = given.scores >= np.float32(self.minimum)
        counts = np.bincount(given.owners()[keep], minlength=len(given.queries))
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]).astype(np.int64)
        return replace(given, indptr=indptr, docs=given.docs[keep], scores=given.scores[keep])


@dataclass(frozen=True, slots=True)
class Cutpoint:
    """A threshold and what it does on labelled pairs."""

    threshold: float
    precision: float
    recall: float
    f1: float


def best_threshold(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> Cutpoint:
    """The threshold with the highest F1 on labelled pairs; of several, the highest one."""
    p = np.asarray(probabilities, dtype=np.float64)
    y = np.asarray(labels, dtype=np.float64)
    if not y.any():
        raise BadInput("labelled pairs with a positive among them wanted, got none")
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(y[order])
    shown = np.arange(1, len(p) + 1)
    last = np.append(np.diff(p[order]) != 0, True)  # a threshold takes all equal scores or none
    precision, recall = hits / shown, hits / y.sum()
    f1 = np.where(
        last & (hits > 0), 2 * precision * recall / np.maximum(precision + recall, 1e-12), 0
    )
    at = int(f1.argmax())
    return Cutpoint(float(p[order][at]), float(precision[at]), float(recall[at]), float(f1[at]))
