"""Fits a learned fusion: LambdaMART (Burges 2010) by LightGBM, the same from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.extras import require
from crossrank.fuse.features import Features, Sources
from crossrank.fuse.learned import LearnedModel, booster_from
from crossrank.fuse.table import Ints, Reals

MOST_GRADES: Final = 31


@dataclass(frozen=True, slots=True)
class Forest:
    """How the trees are grown. rounds: at most so many; fewer where a fifth of the queries, set
    aside, says so. cutoff: the nDCG cutoff that is aimed at.
    """

    rounds: int = 300
    leaves: int = 15
    rate: float = 0.05
    least: int = 40  # documents in a leaf
    cutoff: int = 10
    seed: int = 0


def fit(
    given: Features,
    grades: Reals,
    owner: Ints,
    signals: Sequence[str],
    sources: Sources,
    forest: Forest | None = None,
) -> LearnedModel:
    """The model for these rows of features: `grades` and `owner` (the query) are float64 and
    int64 [U], rows of one query together.

    Raises BadInput where no query has documents of different grades.
    """
    chosen = forest or Forest()
    labels = np.rint(np.maximum(grades, 0)).astype(np.int64)
    if labels.max(initial=0) >= MOST_GRADES:
        raise BadInput(f"grades below {MOST_GRADES} wanted, got {labels.max()}")
    useful = _telling(labels, owner)
    if not useful.any():
        raise BadInput("queries with documents of different grades wanted, got none to learn from")
    values, labels, owner = given.values[useful], labels[useful], owner[useful]
    fields = [i for i, name in enumerate(given.names) if name in _categorical(sources)]
    rounds = _rounds(values, labels, owner, fields, chosen)
    booster = _train(values, labels, owner, fields, chosen, rounds)
    text = booster.model_to_string()
    return LearnedModel(
        tuple(signals),
        given.names,
        sources.analysis is not None,
        sources.numbers,
        dict(sources.categories),
        text,
        booster_from(text),
    )


def _telling(labels: Ints, owner: Ints) -> npt.NDArray[np.bool_]:
    """Rows of queries whose documents differ in grade: the others have nothing to say."""
    count = int(owner.max(initial=0)) + 1
    low = np.full(count, MOST_GRADES)
    high = np.full(count, -1)
    np.minimum.at(low, owner, labels)
    np.maximum.at(high, owner, labels)
    telling: npt.NDArray[np.bool_] = (high > low)[owner]
    return telling


def _rounds(values: Reals, labels: Ints, owner: Ints, fields: list[int], forest: Forest) -> int:
    """The number of trees after which a fifth of the queries, not trained on, gains no more."""
    queries = np.unique(owner)
    if len(queries) < 10:
        return min(forest.rounds, 50)
    aside = np.random.default_rng(forest.seed).permutation(queries)[: len(queries) // 5]
    held = np.isin(owner, aside)
    lightgbm = require("lightgbm", extra="ltr")
    train = _dataset(values[~held], labels[~held], owner[~held], fields)
    valid = _dataset(values[held], labels[held], owner[held], fields, train)
    stopping = lightgbm.early_stopping(30, verbose=False)
    booster = lightgbm.train(
        _parameters(forest), train, forest.rounds, valid_sets=[valid], callbacks=[stopping]
    )
    return max(int(booster.best_iteration), 10)


def _train(
    values: Reals, labels: Ints, owner: Ints, fields: list[int], forest: Forest, rounds: int
) -> Any:
    lightgbm = require("lightgbm", extra="ltr")
    return lightgbm.train(_parameters(forest), _dataset(values, labels, owner, fields), rounds)


def _dataset(
    values: Reals, labels: Ints, owner: Ints, fields: list[int], reference: Any = None
) -> Any:
    lightgbm = require("lightgbm", extra="ltr")
    changes = np.flatnonzero(np.diff(owner)) + 1
    groups = np.diff(np.concatenate([[0], changes, [len(owner)]]))
    return lightgbm.Dataset(
        values, labels, group=groups, reference=reference, categorical_feature=fields,
        params={"verbosity": -1, "num_threads": 1},
    )  # fmt: skip


def _parameters(forest: Forest) -> dict[str, Any]:
    return {
        "objective": "lambdarank",
        "metric": "ndcg",
        "ndcg_eval_at": [forest.cutoff],
        "lambdarank_truncation_level": 3 * forest.cutoff,
        "label_gain": list(range(MOST_GRADES)),  # gain = grade, as nDCG here has it
        "num_leaves": forest.leaves,
        "learning_rate": forest.rate,
        "min_data_in_leaf": forest.least,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": forest.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def _categorical(sources: Sources) -> set[str]:
    return {f"field {name}" for name in sources.categories}
