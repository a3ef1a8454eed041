"""A run laid beside its qrels: for each ranked document of a judged query, its grade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Ranking, Rows, Scale

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Columns over the ranked documents of judged queries, and over all judgements.

    owner, rank, grade, judged: one entry a ranked document, by query of the qrels and then by
    rank (from 1); grade is 0 where there is no judgement. ideal_*: one entry a judgement, by
    query and then by grade descending: judged documents that no corpus has count here too.
    """

    queries: int
    owner: Ints
    rank: Ints
    grade: Reals
    judged: Mask
    ideal_owner: Ints
    ideal_rank: Ints
    ideal_grade: Reals

    def judged_part(self) -> Aligned:
        """The same without the documents that have no judgement; ranks closed up."""
        owner = self.owner[self.judged]
        return Aligned(
            self.queries,
            owner,
            _ranks(owner, self.queries),
            self.grade[self.judged],
            self.judged[self.judged],
            self.ideal_owner,
            self.ideal_rank,
            self.ideal_grade,
        )


def align(run: Ranking, qrels: Ranking) -> Aligned:
    """The grades of a run's documents, matched by string ids of queries and documents.

    Run and qrels may be over different corpora. Queries without judgements are left out;
    judged queries that the run lacks stay, with nothing ranked.
    """
    if qrels.scale is not Scale.GRADE:
        raise BadInput(f"qrels (scale 'grade') wanted, got a ranking of scale {qrels.scale!r}")
    queries = len(qrels.queries)
    place = {name: index for index, name in enumerate(qrels.queries.ids)}
    to = np.array([place.get(name, -1) for name in run.queries.ids], dtype=np.int64)
    owner = to[run.owners()] if len(run.docs) else np.empty(0, np.int64)
    kept = np.flatnonzero(owner >= 0)
    kept = kept[np.argsort(owner[kept], kind="stable")]
    owner = owner[kept]
    grade, judged = _grades(owner, _rows_in(qrels, run, run.docs[kept]), qrels)
    return Aligned(
        queries,
        owner,
        _ranks(owner, queries),
        grade,
        judged,
        qrels.owners(),
        qrels.ranks(),
        qrels.scores.astype(np.float64),
    )


def _rows_in(qrels: Ranking, run: Ranking, docs: Rows) -> Ints:
    if run.corpus is qrels.corpus:
        return docs.astype(np.int64)
    unique, inverse = np.unique(docs, return_inverse=True)
    return qrels.corpus.find(run.corpus.ids(unique)).astype(np.int64)[inverse]


def _grades(owner: Ints, rows: Ints, qrels: Ranking) -> tuple[Reals, Mask]:
    # one sorted key (query, row) for each judgement, looked up for each ranked document
    width = int(max(qrels.docs.max(initial=0), rows.max(initial=0))) + 1
    keys = qrels.owners() * width + qrels.docs
    order = np.argsort(keys, kind="stable")
    wanted = owner * width + rows
    at = np.searchsorted(keys[order], wanted)
    inside = at < len(keys)
    found = np.zeros(len(wanted), dtype=np.bool_)
    found[inside] = (keys[order][at[inside]] == wanted[inside]) & (rows[inside] >= 0)
    grade = np.zeros(len(wanted))
    grade[found] = qrels.scores[order][at[found]]
    return grade, found


def _ranks(owner: Ints, queries: int) -> Ints:
    counts = np.bincount(owner, minlength=queries)
    starts = np.cumsum(counts) - counts
    return np.arange(len(owner), dtype=np.int64) - starts[owner] + 1
