"""An experiment run: every pipeline on every set, measured stage by stage, and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossrank.evaluate.compare import Comparison, Settings, compare_pairs, compare_scores
from crossrank.evaluate.experiment import Experiment
from crossrank.evaluate.kept import RankingStore
from crossrank.evaluate.shared import SharedRun
from crossrank.evaluate.stages import StageScores, evaluate_trace
from crossrank.io.judged import JudgedSet
from crossrank.types import Search

if TYPE_CHECKING:
    from crossrank.pipelines.build import Models
    from crossrank.store import Collection


@dataclass(frozen=True, slots=True)
class SetResult:
    """What the pipelines reached on one set. stages: by pipeline, in the order they ran."""

    name: str
    stages: dict[str, tuple[StageScores, ...]]
    comparison: Comparison
    computed: int

    def times(self) -> dict[str, float]:
        """Milliseconds a query of each whole pipeline, shared stages counted in each."""
        return {
            name: sum(stage.milliseconds_a_query for stage in stages)
            for name, stages in self.stages.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "set": self.name,
            "computed_blocks": self.computed,
            "ms_per_query": self.times(),
            "pipelines": {
                name: [
                    {
                        "stage": stage.name,
                        "measures": stage.scores.means(),
                        "ms_per_query": stage.milliseconds_a_query,
                        "documents": len(stage.ranking.docs),
                    }
                    for stage in stages
                ]
                for name, stages in self.stages.items()
            },
            "comparison": self.comparison.as_dict(),
        }


def run_set(
    experiment: Experiment,
    judged: JudgedSet,
    collection: Collection,
    store: RankingStore,
    *,
    settings: Settings | None = None,
    done: Callable[[int], None] = lambda count: None,
    models: Models | None = None,
) -> SetResult:
    """Every pipeline of an experiment on one set, whose documents `collection` holds.

    Stages that pipelines share run once, and what `store` has is not run at all. `done` is told
    the queries finished, each counted once a stage.
    """
    search = Search(judged.queries, collection.corpus())
    shared = SharedRun(collection, search, store, done, models)
    stages = {
        spec.name: evaluate_trace(shared.trace(spec), judged.qrels, experiment.measures)
        for spec in experiment.pipelines
    }
    scores = {name: each[-1].scores for name, each in stages.items()}
    pairs = compare_pairs(tuple(scores), experiment.baseline)
    compared = compare_scores(scores, pairs, settings)
    return SetResult(judged.name, stages, compared, shared.runs)
