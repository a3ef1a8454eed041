"""Calibrations: maps from a score to a probability that was fitted on labelled pairs.

A calibration belongs to one model, one scale and one purpose: the probability that a document is
relevant, that a question has an answer among its candidates, that two texts are duplicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.tasks.fits import Reals, fit_logistic, pool, sigmoid, smoothed_targets
from crossrank.types import Floats, Scale, Scorer

Method = Literal["temperature", "platt", "isotonic"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)


class Curve(Protocol):
    """A fitted map from score to probability that never falls."""

    method: ClassVar[Method]

    def __call__(self, scores: npt.ArrayLike, /) -> Reals:
        """The probability of each score: float64, in [0, 1]."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """The fitted numbers as JSON values."""
        ...


@dataclass(frozen=True, slots=True)
class Temperature:
    """sigmoid(score / temperature): one number, which moves no score across 0.5 (Guo 2017)."""

    method: ClassVar[Method] = "temperature"
    temperature: float

    def __call__(self, scores: npt.ArrayLike, /) -> Reals:
        """The probability of each score."""
        return sigmoid(np.asarray(scores, dtype=np.float64) / self.temperature)

    def as_dict(self) -> dict[str, Any]:
        """The fitted number."""
        return {"temperature": self.temperature}


@dataclass(frozen=True, slots=True)
class Platt:
    """sigmoid(slope * score + intercept): two numbers (Platt 1999)."""

    method: ClassVar[Method] = "platt"
    slope: float
    intercept: float

    def __call__(self, scores: npt.ArrayLike, /) -> Reals:
        """The probability of each score."""
        return sigmoid(self.slope * np.asarray(scores, dtype=np.float64) + self.intercept)

    def as_dict(self) -> dict[str, Any]:
        """The fitted numbers."""
        return {"slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True, slots=True)
class Isotonic:
    """The best curve that never falls, linear between its knots; it needs a thousand pairs or so.

    Scores on a flat stretch become equal: rank by the scores, decide by the probabilities.
    """

    method: ClassVar[Method] = "isotonic"
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __call__(self, scores: npt.ArrayLike, /) -> Reals:
        """The probability of each score."""
        at = np.asarray(scores, dtype=np.float64)
        return np.interp(at, self.scores, self.probabilities)

    def as_dict(self) -> dict[str, Any]:
        """The knots."""
        return {"scores": list(self.scores), "probabilities": list(self.probabilities)}


def fit_curve(method: Method, scores: npt.ArrayLike, labels: npt.ArrayLike) -> Curve:
    """The curve of one kind that fits scores to labels (0 or 1) best.

    Raises BadInput when a label never occurs, and when higher scores go with label 0: such a
    model does not tell the two apart, and no calibration mends that.
    """
    x = np.asarray(scores, dtype=np.float64)
    targets = smoothed_targets(labels)
    match method:
        case "temperature":
            slope = float(fit_logistic(x[:, None], targets)[0])
            return Temperature(1 / _rising(slope))
        case "platt":
            weights = fit_logistic(np.stack([x, np.ones_like(x)], axis=1), targets)
            return Platt(_rising(float(weights[0])), float(weights[1]))
        case "isotonic":
            knots, values = pool(x, labels)
            return Isotonic(tuple(knots.tolist()), tuple(values.tolist()))
    raise BadInput(f"a method of {', '.join(METHODS)} wanted, got {method!r}")


def _rising(slope: float) -> float:
    if slope <= 0:
        raise BadInput(
            f"scores that are higher for label 1 wanted, the best fit has slope {slope:.3g}: "
            "are the labels the right way round, and is this model meant for such pairs?"
        )
    return slope


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve with what it holds for: the scale of the scores it reads, and the data behind it."""

    curve: Curve
    scale: Scale
    pairs: int = 0
    positive: float = 0.0  # share of label 1 in the data, which a probability takes for granted
    source: str = ""

    def __call__(self, scores: npt.ArrayLike, scale: Scale) -> Floats:
        """The probabilities of scores: float32. Raises BadInput for scores of another scale."""
        if scale != self.scale:
            raise BadInput(
                f"scores of scale {self.scale} wanted, which this calibration was fitted on, got "
                f"{scale}: calibrate on the scores you want to read"
            )
        return self.curve(scores).astype(np.float32)

    def as_dict(self) -> dict[str, Any]:
        """The calibration as JSON values."""
        return {
            "method": self.curve.method,
            **self.curve.as_dict(),
            "scale": str(self.scale),
            "pairs": self.pairs,
            "positive": self.positive,
            "source": self.source,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Calibration:
        """The calibration that `as_dict` wrote. Raises BadInput for anything else."""
        try:
            return cls(
                _curve(stored),
                Scale(stored["scale"]),
                int(stored.get("pairs", 0)),
                float(stored.get("positive", 0.0)),
                str(stored.get("source", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"a calibration written by crossrank wanted, got {error}") from error


def _curve(stored: Mapping[str, Any]) -> Curve:
    match stored["method"]:
        case "temperature":
            return Temperature(float(stored["temperature"]))
        case "platt":
            return Platt(float(stored["slope"]), float(stored["intercept"]))
        case "isotonic":
            knots, values = stored["scores"], stored["probabilities"]
            return Isotonic(tuple(map(float, knots)), tuple(map(float, values)))
    raise BadInput(f"a method of {', '.join(METHODS)} wanted, got {stored['method']!r}")


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A scorer whose scores are calibrated probabilities: thresholds on them have a meaning."""

    scorer: Scorer
    calibration: Calibration
    scale: ClassVar[Scale] = Scale.CALIBRATED

    def __post_init__(self) -> None:
        self.calibration(np.empty(0), self.scorer.scale)  # refuses another scale at once

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        """The calibrated probability of each pair: float32 [n], in input order."""
        return self.calibration(self.scorer.score_texts(queries, documents), self.scorer.scale)
