"""How far two judges agree: on the grades of pairs, and on the order of systems.

Kappa is Cohen's (1960), quadratic weights after Cohen (1968); tau is Kendall's tau-b (1945).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.evaluate import Measure, evaluate
from crossrank.evaluate.align import align
from crossrank.types import Ranking

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a judge agrees with people, over the pairs that both have judged.

    systems: for each run its measure under people and under the judge.
    """

    pairs: int
    share: float
    kappa: float
    binary_kappa: float
    quadratic_kappa: float
    systems: Mapping[str, tuple[float, float]]
    tau: float | None

    def as_dict(self) -> dict[str, object]:
        """The figures as JSON values."""
        return {
            "pairs": self.pairs,
            "same_grade": self.share,
            "kappa": self.kappa,
            "binary_kappa": self.binary_kappa,
            "quadratic_kappa": self.quadratic_kappa,
            "systems": {
                name: {"people": people, "judge": own}
                for name, (people, own) in self.systems.items()
            },
            "tau": self.tau,
        }


def agreement(
    pseudo: Ranking, qrels: Ranking, runs: Mapping[str, Ranking], measure: Measure, rel: int = 1
) -> Agreement:
    """Agreement on the grades of pairs, and on the order of systems by a measure.

    Systems are measured by the judge on the queries that people judged. `rel` is the lowest
    grade that counts as relevant for the binary kappa.
    """
    own, people = graded_by_both(pseudo, qrels)
    if not len(own):
        raise BadInput("pairs that both judge and people have judged wanted, there are none")
    systems = {
        name: (
            evaluate(run, qrels, [measure]).mean(measure),
            evaluate(run, pseudo, [measure]).mean(measure),
        )
        for name, run in runs.items()
    }
    tau = None
    if len(systems) > 1:
        columns = np.array(list(systems.values()))
        tau = kendall_tau(columns[:, 0], columns[:, 1])
    return Agreement(
        len(own),
        float((own == people).mean()),
        kappa(own, people),
        kappa((own >= rel).astype(np.float64), (people >= rel).astype(np.float64)),
        kappa(own, people, quadratic=True),
        systems,
        tau,
    )


def graded_by_both(scores: Ranking, qrels: Ranking) -> tuple[Reals, Reals]:
    """The scores and people's grades (0 and up) of the pairs that have both."""
    laid = align(scores, qrels)
    place = {name: i for i, name in enumerate(qrels.queries.ids)}
    to = np.array([place.get(name, -1) for name in scores.queries.ids], dtype=np.int64)
    owner = to[scores.owners()] if len(scores.docs) else np.empty(0, np.int64)
    kept = np.flatnonzero(owner >= 0)
    kept = kept[np.argsort(owner[kept], kind="stable")]
    values = scores.scores[kept].astype(np.float64)
    return values[laid.judged], np.maximum(laid.grade[laid.judged], 0)


def kappa(first: npt.ArrayLike, second: npt.ArrayLike, *, quadratic: bool = False) -> float:
    """Cohen's kappa of two lists of whole grades; 0 where chance explains all of it.

    quadratic: disagreements weigh by the square of their distance.
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    grades, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    size = len(grades)
    table = np.zeros((size, size))
    np.add.at(table, (places[: len(a)], places[len(a) :]), 1 / max(len(a), 1))
    chance = np.outer(table.sum(1), table.sum(0))
    apart = (grades[:, None] - grades[None, :]).astype(np.float64)
    weight = apart**2 if quadratic else (apart != 0).astype(np.float64)
    expected = float((weight * chance).sum())
    return 1 - float((weight * table).sum()) / expected if expected else 0.0


def kendall_tau(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Kendall's tau-b of two lists of figures: 1 for the same order, -1 for the opposite one."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    upper = np.triu_indices(len(a), 1)
    left = np.sign(a[:, None] - a[None, :])[upper]
    right = np.sign(b[:, None] - b[None, :])[upper]
    length = float(np.sqrt((left != 0).sum() * float((right != 0).sum())))
    return float((left * right).sum()) / length if length else 0.0
