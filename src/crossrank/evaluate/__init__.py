"""Measures, significance, comparison of runs and pipelines, tuning."""

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
from crossrank.evaluate.scores import Scores, evaluate

__all__ = [
    "AP",
    "DEFAULT",
    "ERR",
    "RBP",
    "RR",
    "Judged",
    "Measure",
    "P",
    "R",
    "Rprec",
    "Scores",
    "Success",
    "evaluate",
    "nDCG",
    "parse_measure",
    "parse_measures",
]
