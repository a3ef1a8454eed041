"""Measures, significance, comparison of runs and pipelines, tuning."""

from crossrank.evaluate.compare import Comparison, compare
from crossrank.evaluate.measures import (
    AP,
    DEFAULT,
    ERR,
    RBP,
    RR,
    Judged,
    Measure,
    P,
    R,
    Rprec,
    Success,
    nDCG,
    parse_measure,
    parse_measures,
)
from crossrank.evaluate.runs import over_one_corpus, read_runs
from crossrank.evaluate.scores import Scores, evaluate

__all__ = [
    "AP",
    "DEFAULT",
    "ERR",
    "RBP",
    "RR",
    "Comparison",
    "Judged",
    "Measure",
    "P",
    "R",
    "Rprec",
    "Scores",
    "Success",
    "compare",
    "evaluate",
    "nDCG",
    "over_one_corpus",
    "parse_measure",
    "parse_measures",
    "read_runs",
]
