"""Duplicate detection: candidates, a calibrated decision with guards, pairs and clusters."""

from crossrank.tasks.duplicates.decision import Decision, calibrate_duplicates
from crossrank.tasks.duplicates.find import Duplicates, find_duplicates
from crossrank.tasks.duplicates.scoring import Judge, Options

__all__ = [
    "Decision",
    "Duplicates",
    "Judge",
    "Options",
    "calibrate_duplicates",
    "find_duplicates",
]
