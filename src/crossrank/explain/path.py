"""The path of one document through the stages of a pipeline."""

from __future__ import annotations

import numpy as np

from crossrank.pipelines.hits import Place
from crossrank.stage import Trace


def path_of(trace: Trace, query: int, row: int) -> tuple[Place, ...]:
    """Where each stage put the document: nothing for a stage that did not rank it."""
    found: list[Place] = []
    for step in trace.steps:
        docs, scores = step.ranking.query(query)
        at = np.flatnonzero(docs == row)
        if len(at):
            place = int(at[0])
            found.append(Place(step.name, place + 1, float(scores[place]), step.ranking.scale))
    return tuple(found)
