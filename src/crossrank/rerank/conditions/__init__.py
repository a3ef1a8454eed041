"""Conditions of a query read by rules, and whether a text meets them: numbers, norms, negation."""

from crossrank.rerank.conditions.check import Stated, Verdict, stated, verdicts
from crossrank.rerank.conditions.condition import Condition, Wanted
from crossrank.rerank.conditions.listed import held_to_conditions
from crossrank.rerank.conditions.reading import Reading, read
from crossrank.rerank.conditions.stage import CHECKING, Conditions
from crossrank.rerank.conditions.wanted import wanted

__all__ = [
    "CHECKING",
    "Condition",
    "Conditions",
    "Reading",
    "Stated",
    "Verdict",
    "Wanted",
    "held_to_conditions",
    "read",
    "stated",
    "verdicts",
    "wanted",
]
