"""Contrast data: queries with graded texts that differ in one attribute, German and English.

>>> groups = generate(domains(), ["de", "en"], count=1000, seed=1)

Grades: 3 meets everything the query states; 2 misses a soft wish, or leaves one stated condition
open; 1 is the same kind of thing and violates a stated condition or negation; 0 is another thing.
`HELD_OUT` names the domains that no shipped model was trained on.
"""

from crossrank.train.contrast.domain import HELD_OUT, LANGUAGES, domains
from crossrank.train.contrast.generate import generate
from crossrank.train.contrast.group import KINDS, Group

__all__ = ["HELD_OUT", "KINDS", "LANGUAGES", "Group", "domains", "generate"]
