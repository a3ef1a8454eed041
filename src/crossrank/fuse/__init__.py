"""Several rankings of the same queries made into one: normalisers, combinations, a stage."""

from crossrank.fuse.combine import Combination, combine, fuse
from crossrank.fuse.methods import METHODS, RANK_METHODS
from crossrank.fuse.normalise import NORMALISERS, normalised
from crossrank.fuse.stage import Fuse

__all__ = [
    "METHODS",
    "NORMALISERS",
    "RANK_METHODS",
    "Combination",
    "Fuse",
    "combine",
    "fuse",
    "normalised",
]
