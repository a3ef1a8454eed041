"""The decision whether two texts are duplicates: a calibrated probability with fixed guards.

log-odds = a * score + b * cosine + c, and with conflicting facts min(that, 2) - penalty. `score`
is the cross-encoder's mean over both orders, `cosine` the similarity of the bi-encoder's vectors;
a, b and c are fitted on the labelled pairs that state no conflicting facts. The penalty is not
fitted (see `conflicts`): news sentences that round a number differently are paraphrases, two
refrigerators that differ in it are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.tasks.duplicates.conflicts import conflicts, penalty
from crossrank.tasks.duplicates.facts import facts
from crossrank.tasks.fits import Reals, fit_logistic, sigmoid, smoothed_targets
from crossrank.tasks.labelled import LabelledPairs
from crossrank.tasks.reliability import Reliability, as_probability, fold_of, reliability
from crossrank.types import Encoder, Floats, Scale, Scorer

CEILING: Final = 2.0
"""The log-odds that texts with conflicting facts reach at most, before the penalty: however alike
the words are, other numbers or another maker leave a probability under one half."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The fitted numbers of the decision, and what they hold for."""

    score: float
    cosine: float
    intercept: float
    scale: Scale
    encoder: str
    pairs: int = 0
    positive: float = 0.0
    source: str = ""

    def __call__(self, scores: Floats, cosines: Floats, penalties: Reals) -> Reals:
        """The probability that each pair is a duplicate: float64 [n]."""
        odds = self.score * scores + self.cosine * cosines + self.intercept
        return sigmoid(np.where(penalties > 0, np.minimum(odds, CEILING) - penalties, odds))

    def check(self, scorer: Scorer, encoder: Encoder) -> None:
        """Raises BadInput when the decision was fitted on other scores or other vectors."""
        came = (scorer.scale, encoder.name)
        if came != (self.scale, self.encoder):
            raise BadInput(
                f"scores of scale {self.scale} and vectors of {self.encoder!r} wanted, which the "
                f"duplicate calibration was fitted on, got {came[0]} and {came[1]!r}: calibrate "
                "with `crossrank calibrate MODEL PAIRS.jsonl --for duplicate`"
            )

    def as_dict(self) -> dict[str, Any]:
        """The decision as JSON values."""
        return {
            "method": "logistic",
            "score": self.score,
            "cosine": self.cosine,
            "intercept": self.intercept,
            "scale": str(self.scale),
            "encoder": self.encoder,
            "pairs": self.pairs,
            "positive": self.positive,
            "source": self.source,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Decision:
        """The decision that `as_dict` wrote. Raises BadInput for anything else."""
        try:
            return cls(
                float(stored["score"]),
                float(stored["cosine"]),
                float(stored["intercept"]),
                Scale(stored["scale"]),
                str(stored["encoder"]),
                int(stored.get("pairs", 0)),
                float(stored.get("positive", 0.0)),
                str(stored.get("source", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"a duplicate calibration written by crossrank wanted, got {error}"
            ) from error


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the decision reads of pairs: mean scores, cosines, penalties, each [n]."""

    scores: Floats
    cosines: Floats
    penalties: Reals


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """A decision fitted on all pairs, with its error before and, on held-out folds, after."""

    decision: Decision
    before: Reliability
    after: Reliability

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "calibration": self.decision.as_dict(),
            "before": self.before.as_dict(),
            "held_out": {"logistic": self.after.as_dict()},
        }


def score_both(scorer: Scorer, left: Sequence[str], right: Sequence[str]) -> Floats:
    """The mean score of each pair over both orders: float32 [n], the same for (b, a) as (a, b)."""
    return (scorer.score_texts(left, right) + scorer.score_texts(right, left)) / np.float32(2)


def evidence(
    scorer: Scorer, encoder: Encoder, left: Sequence[str], right: Sequence[str]
) -> Evidence:
    """What the decision reads of the pairs (left[i], right[i])."""
    a, b = encoder.encode_documents(left), encoder.encode_documents(right)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / np.maximum(norms, 1e-12)
    return Evidence(score_both(scorer, left, right), cosines, penalties(left, right))


def penalties(
    left: Sequence[str], right: Sequence[str], names: frozenset[str] = frozenset()
) -> Reals:
    """What conflicting facts take off the log-odds of each pair: float64 [n]."""
    pairs = zip(left, right, strict=True)
    return np.array([penalty(conflicts(facts(a, names), facts(b, names))) for a, b in pairs])


def fit_decision(
    found: Evidence, labels: npt.ArrayLike, scale: Scale, encoder: str, source: str = ""
) -> Decision:
    """The decision that fits those labelled pairs best whose facts do not conflict.

    A cosine that speaks against duplicates is left out; raises BadInput for such a score.
    """
    free = found.penalties == 0
    scores, cosines = found.scores[free], found.cosines[free]
    x = np.stack([scores, cosines, np.ones_like(scores)], axis=1)
    targets = smoothed_targets(np.asarray(labels)[free])
    weights = fit_logistic(x, targets)
    if weights[1] < 0:
        two = fit_logistic(x[:, [0, 2]], targets)
        weights = np.array([two[0], 0.0, two[1]])
    if weights[0] <= 0:
        raise BadInput(
            f"scores that are higher for duplicates wanted, the best fit has slope "
            f"{weights[0]:.3g}: are the labels the right way round?"
        )
    positive = float(np.asarray(labels, dtype=np.float64).mean())
    score, cosine, intercept = (float(each) for each in weights)
    return Decision(score, cosine, intercept, scale, encoder, len(free), positive, source)


def calibrate_duplicates(
    pairs: LabelledPairs, scorer: Scorer, encoder: Encoder, source: str = ""
) -> DecisionReport:
    """The decision fitted on labelled pairs, and its calibration error on held-out folds."""
    found = evidence(scorer, encoder, pairs.left, pairs.right)
    fold = fold_of(pairs.groups)
    held = np.empty(len(pairs))
    for each in range(int(fold.max()) + 1):
        inside = fold == each
        fitted = fit_decision(
            _some(found, ~inside), pairs.labels[~inside], scorer.scale, encoder.name
        )
        part = _some(found, inside)
        held[inside] = fitted(part.scores, part.cosines, part.penalties)
    whole = fit_decision(found, pairs.labels, scorer.scale, encoder.name, source)
    before = as_probability(found.scores.astype(np.float64), scorer.scale)
    return DecisionReport(whole, reliability(before, pairs.labels), reliability(held, pairs.labels))


def _some(found: Evidence, keep: npt.NDArray[np.bool_]) -> Evidence:
    return Evidence(found.scores[keep], found.cosines[keep], found.penalties[keep])
