"""A learned fusion of two signals, trained in a moment, for tests that need one."""

from __future__ import annotations

from functools import cache

import numpy as np

from crossrank import MemoryCorpus, Queries, Ranking, Search
from crossrank.fuse.features import Sources, features
from crossrank.fuse.lambdamart import Forest, fit
from crossrank.fuse.learned import LearnedModel
from crossrank.fuse.table import Table


@cache
def tiny_learned() -> LearnedModel:
    """Trained to like what the first ranking likes and the second does not. Looks at no texts."""
    rng = np.random.default_rng(0)
    search = Search(Queries.of([""] * 20), MemoryCorpus.of([""] * 15))
    rows = [np.arange(15)] * 20
    rankings = [Ranking.of_lists(search, rows, rng.normal(size=(20, 15))) for _ in range(2)]
    table = Table.of(rankings)
    first, second = table.spread([each.scores.astype(np.float64) for each in rankings])
    given = features(table, ["a", "b"], Sources())
    forest = Forest(rounds=10, least=5)
    return fit(
        given, (first - second > 1).astype(float), table.owner, ["a", "b"], Sources(), forest
    )
