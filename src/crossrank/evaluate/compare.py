"""Runs against each other over the same queries: differences, tests, intervals, who moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from crossrank.errors import BadInput, NotFound
from crossrank.evaluate import significance
from crossrank.evaluate.align import Reals
from crossrank.evaluate.measures import DEFAULT, Measure
from crossrank.evaluate.scores import Scores, evaluate
from crossrank.types import Ranking

EVERY_PAIR: Final = "all"
_TIED: Final = 1e-9


@dataclass(frozen=True, slots=True)
class PValues:
    """Two-sided p values of three paired tests."""

    t: float
    wilcoxon: float
    randomisation: float


@dataclass(frozen=True, slots=True)
class Pair:
    """One run against another in one measure; a positive difference is in favour of `run`.

    interval: bootstrap interval of the mean difference. p: as tested. holm: corrected for all
    pairs of this measure. wins, ties, losses: queries.
    """

    run: str
    against: str
    measure: Measure
    difference: float
    interval: tuple[float, float]
    p: PValues
    holm: PValues
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A query whose value changed: from that of the other run to that of this one."""

    query: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """What was gained; below 0 what was lost."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Settings:
    """How a comparison was made: enough to make it again."""

    level: float = 0.95
    samples: int = significance.SAMPLES
    resamples: int = significance.RESAMPLES
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Some runs, their scores, an interval for each mean, and the pairs that were tested."""

    scores: Mapping[str, Scores]
    intervals: Mapping[str, Mapping[Measure, tuple[float, float]]]
    pairs: tuple[Pair, ...]
    settings: Settings

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was measured."""
        return next(iter(self.scores.values())).measures

    @property
    def queries(self) -> tuple[str, ...]:
        """The judged queries."""
        return next(iter(self.scores.values())).queries

    def differences(self, pair: Pair) -> Reals:
        """The difference of each query, in the order of `queries`: float64 [Q]."""
        return self.scores[pair.run].of(pair.measure) - self.scores[pair.against].of(pair.measure)

    def moved(self, pair: Pair, count: int = 5) -> tuple[Moved, ...]:
        """The queries that changed most, the largest change first; unchanged ones are left out."""
        change = self.differences(pair)
        order = np.argsort(-np.abs(change), kind="stable")[:count]
        before, after = (self.scores[name].of(pair.measure) for name in (pair.against, pair.run))
        return tuple(
            Moved(self.queries[i], float(before[i]), float(after[i]))
            for i in order
            if abs(change[i]) > _TIED
        )

    def as_dict(self, moved: int = 5) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "queries": len(self.queries),
            "measures": [str(measure) for measure in self.measures],
            "settings": _plain(self.settings),
            "runs": {name: self._run(name) for name in self.scores},
            "pairs": [self._pair(pair, moved) for pair in self.pairs],
        }

    def _run(self, name: str) -> dict[str, Any]:
        return {
            str(measure): {
                "mean": self.scores[name].mean(measure),
                "interval": list(self.intervals[name][measure]),
            }
            for measure in self.measures
        }

    def _pair(self, pair: Pair, moved: int) -> dict[str, Any]:
        plain = _plain(pair) | {
            "measure": str(pair.measure),
            "interval": list(pair.interval),
            "p": _plain(pair.p),
            "holm": _plain(pair.holm),
        }
        plain["moved"] = [_plain(each) for each in self.moved(pair, moved)]
        return plain


def compare(
    runs: Mapping[str, Ranking],
    qrels: Ranking,
    measures: Sequence[Measure] = DEFAULT,
    baseline: str = "",
    settings: Settings | None = None,
) -> Comparison:
    """All runs measured, and each tested against the `baseline` (the first run unless named).

    With the baseline "all" every pair is tested, later runs against earlier ones. Holm's
    correction covers the pairs of one measure. Raises NotFound for a baseline that is no run.
    """
    if not runs:
        raise BadInput("at least one run wanted, got none")
    scores = {name: evaluate(run, qrels, measures) for name, run in runs.items()}
    return compare_scores(scores, compare_pairs(tuple(runs), baseline), settings)


def compare_scores(
    scores: Mapping[str, Scores],
    wanted: Sequence[tuple[str, str]],
    settings: Settings | None = None,
) -> Comparison:
    """What is measured already, the first of each wanted pair tested against the second.

    Raises BadInput unless all scores are of the same measures over the same queries.
    """
    chosen = settings or Settings()
    first = next(iter(scores.values()))
    if any((s.queries, s.measures) != (first.queries, first.measures) for s in scores.values()):
        raise BadInput("scores of the same measures over the same queries wanted, got others")
    pairs = [
        pair for measure in first.measures for pair in _tested(wanted, scores, measure, chosen)
    ]
    return Comparison(scores, _intervals(scores, chosen), tuple(pairs), chosen)


def compare_pairs(names: Sequence[str], baseline: str) -> list[tuple[str, str]]:
    """Who is tested against whom: all others against the baseline (the first unless named), or,
    with the baseline "all", every later one against every earlier one.
    """
    if baseline == EVERY_PAIR and EVERY_PAIR not in names:
        return [(later, earlier) for earlier, later in combinations(names, 2)]
    against = baseline or names[0]
    if against not in names:
        raise NotFound(f"a baseline among {', '.join(names)} wanted, got {against!r}")
    return [(name, against) for name in names if name != against]


def _tested(
    pairs: Sequence[tuple[str, str]],
    scores: Mapping[str, Scores],
    measure: Measure,
    settings: Settings,
) -> list[Pair]:
    if not pairs:
        return []
    rows = np.stack([scores[run].of(measure) - scores[other].of(measure) for run, other in pairs])
    low, high = significance.bootstrap(rows, settings.level, settings.resamples, settings.seed)
    p = (
        significance.t_test(rows),
        significance.wilcoxon(rows),
        significance.randomisation(rows, settings.samples, settings.seed),
    )
    adjusted = [significance.holm(each) for each in p]
    return [
        Pair(
            run,
            other,
            measure,
            float(rows[i].mean()),
            (float(low[i]), float(high[i])),
            PValues(*(float(each[i]) for each in p)),
            PValues(*(float(each[i]) for each in adjusted)),
            wins=int((rows[i] > _TIED).sum()),
            ties=int((np.abs(rows[i]) <= _TIED).sum()),
            losses=int((rows[i] < -_TIED).sum()),
        )
        for i, (run, other) in enumerate(pairs)
    ]


def _intervals(
    scores: Mapping[str, Scores], settings: Settings
) -> dict[str, dict[Measure, tuple[float, float]]]:
    found = {}
    for name, each in scores.items():
        low, high = significance.bootstrap(
            each.values, settings.level, settings.resamples, settings.seed
        )
        ends = zip(low.tolist(), high.tolist(), strict=True)
        found[name] = dict(zip(each.measures, ends, strict=True))
    return found


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
