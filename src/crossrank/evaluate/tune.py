"""The fusion that suits judged queries best, and what it reaches on queries it was not chosen on.

Every setting is measured once for all queries; a fold then only picks the setting whose mean over
the other folds is highest. So k folds cost no more than one search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.evaluate.align import Reals
from crossrank.evaluate.compare import Comparison, Settings, compare_scores
from crossrank.evaluate.folds import Folds
from crossrank.evaluate.measures import Measure, nDCG
from crossrank.evaluate.objective import Objective
from crossrank.evaluate.scores import Scores
from crossrank.evaluate.space import Space
from crossrank.fuse.setting import Setting
from crossrank.types import Ranking

TUNED: Final = "tuned"
DEFAULT: Final = "rrf"
SEARCHES: Final = ("grid", "coordinate")
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fold:
    """What one fold chose on the other folds, its mean there, and its mean on its own queries."""

    setting: Setting
    fitted: float
    held_out: float
    queries: int


@dataclass(frozen=True, slots=True)
class Tuned:
    """The setting chosen on all queries, and the honest figure: that of the held-out folds.

    held_out compares, over all queries, the settings the folds chose ("tuned") with each single
    ranking and with RRF untuned; no value in it comes from a query its setting was chosen on.
    """

    setting: Setting
    fitted: float
    folds: tuple[Fold, ...]
    held_out: Comparison
    tried: int

    @property
    def best_single(self) -> str:
        """The name of the single ranking with the highest mean."""
        measure = self.held_out.measures[0]
        singles = [name for name in self.held_out.scores if name not in (TUNED, DEFAULT)]
        return max(singles, key=lambda name: self.held_out.scores[name].mean(measure))

    def as_dict(self) -> dict[str, Any]:
        """What was found, as JSON values; the fusion itself under "setting"."""
        return {
            "setting": self.setting.as_dict(),
            "fitted": self.fitted,
            "tried": self.tried,
            "best_single": self.best_single,
            "folds": [
                {
                    "setting": fold.setting.as_dict(),
                    "fitted": fold.fitted,
                    "held_out": fold.held_out,
                    "queries": fold.queries,
                }
                for fold in self.folds
            ],
            "held_out": self.held_out.as_dict(),
        }


def tune(
    rankings: Mapping[str, Ranking],
    qrels: Ranking,
    measure: Measure = nDCG @ 10,
    *,
    space: Space | None = None,
    search: str = "grid",
    folds: int = 5,
    seed: int = 0,
    settings: Settings | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> Tuned:
    """The best fusion of rankings of the same queries and corpus, with its held-out figure.

    search: "grid" measures every setting of `space`; "coordinate" starts from an even sum and
    changes one choice at a time, then refines the weights. `done` is told the settings measured.
    """
    if len(rankings) < 2:
        raise BadInput(f"two or more rankings to fuse wanted, got {len(rankings)}")
    if search not in SEARCHES:
        raise BadInput(f"a search ({', '.join(SEARCHES)}) wanted, got {search!r}")
    objective = Objective(list(rankings.values()), qrels, measure, done)
    chosen = space or Space()
    chosen.check(len(rankings))

    def best(train: Mask) -> Setting:
        if search == "grid":
            return _best(objective, chosen.grid(len(rankings)), train)
        return _climb(objective, chosen, len(rankings), train)

    everything = np.ones(len(qrels.queries), dtype=np.bool_)
    winner = best(everything)
    parts, values = _cross_validated(objective, best, Folds.of(len(qrels.queries), folds, seed))
    scores = {name: _scores(qrels, measure, objective.single(i)) for i, name in enumerate(rankings)}
    scores[DEFAULT] = _scores(qrels, measure, objective(Setting()))
    scores[TUNED] = _scores(qrels, measure, values)
    compared = compare_scores(scores, [(TUNED, name) for name in scores if name != TUNED], settings)
    fitted = float(objective(winner).mean())
    return Tuned(winner, fitted, parts, compared, objective.tried)


def _cross_validated(
    objective: Objective, best: Callable[[Mask], Setting], folds: Folds
) -> tuple[tuple[Fold, ...], Reals]:
    """What each fold chose, and for each query the value under the choice of the other folds."""
    values = np.empty(len(folds.number))
    found = []
    for fold in range(folds.count):
        held = folds.held_out(fold)
        setting = best(~held)
        own = objective(setting)
        values[held] = own[held]
        found.append(
            Fold(setting, float(own[~held].mean()), float(own[held].mean()), int(held.sum()))
        )
    return tuple(found), values


def _best(objective: Objective, settings: Sequence[Setting], train: Mask) -> Setting:
    means = [float(objective(setting)[train].mean()) for setting in settings]
    return settings[int(np.argmax(np.round(means, 12)))]  # the first of equals


def _climb(objective: Objective, space: Space, count: int, train: Mask) -> Setting:
    current = space.start(count)
    mean = float(objective(current)[train].mean())
    for step in space.steps:
        while True:
            near = space.neighbours(current, step)
            best = _best(objective, near, train)
            reached = float(objective(best)[train].mean())
            if reached <= mean + 1e-9:
                break
            current, mean = best, reached
    return current


def _scores(qrels: Ranking, measure: Measure, values: Reals) -> Scores:
    return Scores(qrels.queries.ids, (measure,), values[None])
