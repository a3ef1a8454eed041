"""What training minimises: pure torch functions over the scores of groups of documents.

Every function takes scores and labels as [groups, documents] (classes and thresholds as one more
axis of the scores) and a boolean mask of the places that hold a document. What stands in the
other places, NaN too, changes neither loss nor gradient.
"""

from crossrank.train.objectives.table import NAMES, Objective, objective

__all__ = ["NAMES", "Objective", "objective"]
