"""The two searches of one Lance version: by terms (BM25) and by vectors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
from lancedb.query import MatchQuery

from crossrank.errors import BadInput
from crossrank.store import columns
from crossrank.store.rowmap import Places
from crossrank.store.table import PLACE, complaint, distance, gone, partitions
from crossrank.types import Floats

T = TypeVar("T")
U = TypeVar("U")

_BATCH: Final = 32
"""Query vectors in one request."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search is asked for: `k` documents that satisfy `where` and lie `within`."""

    k: int
    where: str
    fields: Mapping[str, columns.Kind]
    within: Sequence[Places] | None = None

    def filter(self, query: int) -> str:
        """The SQL filter of query number `query`; empty if there is none."""
        # in parentheses and on lines of its own, nothing after a `;` or `--` is lost unnoticed
        parts = [f"(\n{self.where}\n)"] if self.where.strip() else []
        if self.within is not None:
            places = ",".join(map(str, self.within[query].tolist()))
            parts.append(f"_rowid IN ({places or 'NULL'})")
        return " AND ".join(parts)


@dataclass(frozen=True, slots=True)
class Found:
    """The places of the documents found, and their scores; higher is better."""

    places: Places
    scores: Floats


_NOTHING: Final = Found(np.zeros(0, np.uint64), np.zeros(0, np.float32))


def search_terms(table: Any, queries: Sequence[Sequence[str]], wanted: Wanted) -> list[Found]:
    """The best documents of each query by BM25 over the column of terms."""

    def one(number: int) -> Found:
        terms = list(dict.fromkeys(term for term in queries[number] if term))
        if not terms or _empty(wanted, number):
            return _NOTHING
        match = MatchQuery(" ".join(terms), columns.TERMS)
        query = table.search(match, query_type="fts")
        found = _run(query, "_score", wanted, number)
        return Found(found[PLACE].to_numpy(), found["_score"].to_numpy().astype(np.float32))

    return _all(one, range(len(queries)))


def search_vectors(
    table: Any, column: pa.Field, vectors: Floats, wanted: Wanted, exact: bool
) -> list[Found]:
    """The nearest documents of each vector by the similarity the column is made for."""

    def some(first: int) -> list[Found]:
        part = vectors[first : first + step]
        if _empty(wanted, first):
            return [_NOTHING]
        query = table.search(part, vector_column_name=column.name)
        query = query.distance_type(distance(column))
        if exact or wanted.within is not None:
            query = query.bypass_vector_index()
        else:
            query = query.minimum_nprobes(probes).maximum_nprobes(0)
        found = _run(query, "_distance", wanted, first)
        return list(_by_query(found, len(part)))

    step = 1 if wanted.within is not None else _BATCH
    probes = _probes(table.count_rows(), wanted.k)
    return [each for part in _all(some, range(0, len(vectors), step)) for each in part]


def _probes(documents: int, k: int) -> int:
    """How many partitions of the index to read: a tenth, and those of three times k documents.

    Lance reads more of them where a filter leaves fewer than k.
    """
    count = partitions(documents)
    return min(count, max(20, -(-count // 10), -(-3 * k * count // max(documents, 1))))


def _empty(wanted: Wanted, query: int) -> bool:
    return wanted.within is not None and not len(wanted.within[query])


def _by_query(found: pa.Table, queries: int) -> Iterator[Found]:
    places = found[PLACE].to_numpy()
    scores = (1 - found["_distance"].to_numpy()).astype(np.float32)  # both distances are 1 - s
    owner = np.zeros(len(places), np.int64)
    if "query_index" in found.column_names:
        owner = found["query_index"].to_numpy()
    for number in range(queries):
        mine = owner == number
        yield Found(places[mine], scores[mine])


def _run(query: Any, score: str, wanted: Wanted, number: int) -> pa.Table:
    """The result of a search with filter and limit; Lance's complaints become ours."""
    where = wanted.filter(number)
    try:
        if where:
            query = query.where(where, prefilter=True)
        return query.select([score]).with_row_id(True).limit(wanted.k).to_arrow()
    except ValueError as error:
        if not wanted.where:
            raise
        raise bad_filter(wanted.where, wanted.fields, error) from error
    except (RuntimeError, OSError) as error:
        raise gone(error) from error


def bad_filter(where: str, fields: Mapping[str, columns.Kind], error: Exception) -> BadInput:
    """The error for an SQL filter that Lance does not take: what it says, and what there is."""
    texts = dict.fromkeys((columns.ID, columns.TITLE, columns.TEXT), columns.Kind.TEXT)
    listed = ", ".join(
        f"{name if name.isidentifier() else f'`{name}`'} ({kind})"
        for name, kind in {**texts, **fields}.items()
    )
    return BadInput(
        f"an SQL filter over the columns {listed} wanted, got {where!r}: {complaint(error)}"
    )


def _all(work: Callable[[T], U], items: Sequence[T]) -> list[U]:
    """`work` of each item, in order; several at a time where there are several."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(len(items), os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))
