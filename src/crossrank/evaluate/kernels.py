"""One vectorised numpy kernel a measure: aligned columns in, one float64 a query out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.evaluate.align import Aligned, Ints, Mask, Reals
from crossrank.evaluate.measures import Measure

Kernel = Callable[[Aligned, Measure], Reals]


def per_query(aligned: Aligned, measure: Measure) -> Reals:
    """The value of a measure for each query of the qrels: float64 [Q]."""
    given = aligned.judged_part() if measure.judged_only else aligned
    return _KERNELS[measure.name](given, measure)


def _ndcg(a: Aligned, m: Measure) -> Reals:
    """DCG over the DCG of all judged documents in the best order (Järvelin & Kekäläinen 2002)."""
    dcg = _dcg(a, m, a.owner, a.rank, a.grade)
    return _ratio(dcg, _dcg(a, m, a.ideal_owner, a.ideal_rank, a.ideal_grade))


def _dcg(a: Aligned, m: Measure, owner: Ints, rank: Ints, grade: Reals) -> Reals:
    gain = np.maximum(grade, 0)  # trec_eval: a negative grade gains nothing
    gain = np.exp2(gain) - 1 if m.dcg == "exp-log2" else gain
    kept = _within(rank, m)
    return _sums(a, owner[kept], gain[kept] / np.log2(rank[kept] + 1))


def _rr(a: Aligned, m: Measure) -> Reals:
    hit = _relevant(a, m) & _within(a.rank, m)
    best = np.zeros(a.queries)
    np.maximum.at(best, a.owner[hit], 1 / a.rank[hit])
    return best


def _ap(a: Aligned, m: Measure) -> Reals:
    """Mean over all relevant documents of the precision at their rank; 0 where not retrieved."""
    relevant = _relevant(a, m)
    running = np.cumsum(relevant, dtype=np.int64)
    before = running - relevant.astype(np.int64)
    first = a.rank == 1
    base = np.zeros(a.queries, dtype=np.int64)
    base[a.owner[first]] = before[first]
    hit = relevant & _within(a.rank, m)
    precision = (running[hit] - base[a.owner[hit]]) / a.rank[hit]
    return _ratio(_sums(a, a.owner[hit], precision), _relevant_count(a, m))


def _recall(a: Aligned, m: Measure) -> Reals:
    return _ratio(_hits(a, m), _relevant_count(a, m))


def _precision(a: Aligned, m: Measure) -> Reals:
    return _hits(a, m) / m.cutoff  # of the cutoff, also when fewer are ranked, as trec_eval


def _rprec(a: Aligned, m: Measure) -> Reals:
    """Precision at the number of relevant documents."""
    total = _relevant_count(a, m)
    hit = _relevant(a, m) & (a.rank <= total[a.owner])
    return _ratio(_sums(a, a.owner[hit], np.ones(int(hit.sum()))), total)


def _success(a: Aligned, m: Measure) -> Reals:
    return (_hits(a, m) > 0).astype(np.float64)


def _judged(a: Aligned, m: Measure) -> Reals:
    """Share of the first `cutoff` documents that have a judgement, 0 where nothing is ranked."""
    kept = _within(a.rank, m)
    judged = _sums(a, a.owner[kept], a.judged[kept].astype(np.float64))
    return _ratio(judged, np.bincount(a.owner[kept], minlength=a.queries).astype(np.float64))


def _err(a: Aligned, m: Measure) -> Reals:
    """Expected reciprocal rank, a cascade of stops at (2^g - 1) / 2^max_rel (Chapelle 2009)."""
    if a.ideal_grade.max(initial=0) > m.max_rel:
        raise BadInput(
            f"grades up to max_rel={m.max_rel} wanted for {m}, got {a.ideal_grade.max():g}: "
            f"write ERR(max_rel={int(np.ceil(a.ideal_grade.max()))})"
        )
    kept = _within(a.rank, m)
    stops = np.zeros((a.queries, int(a.rank[kept].max(initial=1))))
    stops[a.owner[kept], a.rank[kept] - 1] = (np.exp2(np.maximum(a.grade[kept], 0)) - 1) / (
        2.0**m.max_rel
    )
    reached = np.ones_like(stops)
    reached[:, 1:] = np.cumprod(1 - stops, axis=1)[:, :-1]
    values: Reals = (stops * reached / np.arange(1, stops.shape[1] + 1)).sum(axis=1)
    return values


def _rbp(a: Aligned, m: Measure) -> Reals:
    """(1 - p) * sum of p^(rank - 1) over the relevant (Moffat & Zobel 2008); unjudged count 0."""
    hit = _relevant(a, m) & _within(a.rank, m)
    weights: Reals = np.power(m.p, a.rank[hit] - 1.0)
    return (1 - m.p) * _sums(a, a.owner[hit], weights)


def _hits(a: Aligned, m: Measure) -> Reals:
    hit = _relevant(a, m) & _within(a.rank, m)
    return _sums(a, a.owner[hit], np.ones(int(hit.sum())))


def _relevant(a: Aligned, m: Measure) -> Mask:
    return a.judged & (a.grade >= m.rel)


def _relevant_count(a: Aligned, m: Measure) -> Reals:
    relevant = a.ideal_grade >= m.rel
    return _sums(a, a.ideal_owner[relevant], np.ones(int(relevant.sum())))


def _within(rank: Ints, m: Measure) -> Mask:
    return rank <= m.cutoff if m.cutoff else np.ones(len(rank), dtype=np.bool_)


def _sums(a: Aligned, owner: Ints, weights: Reals) -> Reals:
    return np.bincount(owner, weights=weights, minlength=a.queries).astype(np.float64)


def _ratio(top: Reals, bottom: Reals) -> Reals:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


_KERNELS: Final[dict[str, Kernel]] = {
    "nDCG": _ndcg,
    "RR": _rr,
    "AP": _ap,
    "R": _recall,
    "P": _precision,
    "Rprec": _rprec,
    "Success": _success,
    "Judged": _judged,
    "ERR": _err,
    "RBP": _rbp,
}
