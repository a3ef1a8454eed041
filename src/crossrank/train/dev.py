"""What a run is measured on while it trains: candidates in an order, or pairs with labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.evaluate import evaluate, parse_measure
from crossrank.io.problems import Problems
from crossrank.io.trec import read_candidates
from crossrank.types import Ranking, Scale

if TYPE_CHECKING:
    from crossrank.train.config import Dev
    from crossrank.train.students import Student

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DevSet:
    """Judged queries, the candidates to be ordered, and what is measured: higher is better."""

    candidates: Ranking
    qrels: Ranking
    measure: str = "nDCG@10"

    def __post_init__(self) -> None:
        if self.measure not in PAIR_MEASURES:
            parse_measure(self.measure)

    @property
    def size(self) -> str:
        """The set in words."""
        return f"{len(self.qrels.queries)} queries, {len(self.candidates.docs)} pairs"

    def value(self, student: Student) -> float:
        """What the student reaches."""
        pairs = self.candidates
        asked = [pairs.queries.texts[i] for i in pairs.owners()]
        scores = student.score_texts(asked, pairs.corpus.texts(pairs.docs))
        if not np.isfinite(scores).all():
            raise BadInput(
                "the model's scores are not finite any more: lower learning_rate, or use fp32"
            )
        if self.measure in PAIR_MEASURES:
            labels = self.qrels.scores.astype(np.float64)
            return PAIR_MEASURES[self.measure](scores.astype(np.float64), labels, student.scale)
        measure = parse_measure(self.measure)
        ordered = pairs.rescored(scores, student.scale)
        return evaluate(ordered, self.qrels, [measure]).mean(measure)


def dev_set(labels: Ranking, dev: Dev | None = None) -> DevSet:
    """The development set of labelled data; without a run its own documents are the candidates."""
    if dev is None:
        return DevSet(labels, labels)
    if dev.run is None:
        return DevSet(labels, labels, dev.measure)
    if dev.measure in PAIR_MEASURES:
        raise BadInput(f"{dev.measure} is of labelled pairs: leave `run` out, or use nDCG@10")
    candidates = read_candidates(dev.run, labels).top(dev.depth)
    if not len(candidates.docs):
        raise BadInput(f"{dev.run} ranks no document of {dev.path} for any of its queries")
    return DevSet(candidates, labels, dev.measure)


def load_dev(dev: Dev, problems: Problems) -> DevSet:
    """The development set that a configuration names.

    With a run over a BEIR folder or files of texts, candidates without a judgement are read too.
    """
    from crossrank.train.sources import read_source

    if dev.run is not None and dev.format in ("beir", "qrels"):
        from crossrank.train.judged import with_run

        labels, candidates = with_run(dev, dev.run, dev.depth, problems)
        return DevSet(candidates, labels, dev.measure)
    return dev_set(read_source(dev, problems), dev)


def spearman(scores: Reals, labels: Reals) -> float:
    """Spearman's rank correlation: Pearson's of the ranks, ties at their mean rank."""
    first, second = _ranks(scores), _ranks(labels)
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / length) if length else 0.0


def accuracy(scores: Reals, labels: Reals, scale: Scale) -> float:
    """The share of pairs whose class is right: the nearest grade, or label 1 above logit 0."""
    if scale is Scale.GRADE:
        return float((np.round(scores) == labels).mean())
    return float(((scores > 0) == (labels > 0.5)).mean())


def _ranks(values: Reals) -> Reals:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Reals = ends - (counts - 1) / 2
    return means[place]


PAIR_MEASURES: Final[dict[str, Callable[[Reals, Reals, Scale], float]]] = {
    "spearman": lambda scores, labels, _: spearman(scores, labels),
    "accuracy": accuracy,
}
