"""One version of a collection, pinned: what readers see while writers write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossrank.errors import BadInput, CollectionError
from crossrank.io.document import Document
from crossrank.store import columns
from crossrank.store.layout import Manifest
from crossrank.store.rowmap import RowMap
from crossrank.store.search import Found, Wanted, search_terms, search_vectors
from crossrank.store.table import PLACE, among, gone, scan
from crossrank.text.analyzer import Analyzer
from crossrank.types import Floats, Rows, Scale

_FEW: Final = 200
"""Ids looked up by their index; for more of them all ids are read."""


class Snapshot:
    """A corpus: the documents of one version of a collection, fetched on demand. Thread safe.

    A document is an int32 row, 0 to len - 1 (`rowmap` says how it maps to Lance); rows are those
    of this version only.
    """

    def __init__(self, folder: Path, table: Any, analyzer: Analyzer, manifest: Manifest) -> None:
        """`table` must be checked out at a version; use `Collection.corpus`."""
        self.folder = folder
        self.analyzer = analyzer
        self.state = (manifest.generation, int(table.version))
        """The generation and the version of its table."""
        self._analysed = manifest.learned_from > 0
        self._table = table
        self._schema: pa.Schema = table.schema
        self._kinds = columns.kinds_in(self._schema)
        self._map = RowMap.of(_all_places(table))

    @property
    def fields(self) -> dict[str, columns.Kind]:
        """The metadata columns that filters can name, with what they hold."""
        return dict(self._kinds)

    def encoders(self) -> tuple[str, ...]:
        """The names of the encoders whose vectors are here."""
        return tuple(columns.vector_columns(self._schema))

    def __len__(self) -> int:
        return len(self._map)

    def rows(self) -> Rows:
        """All rows, 0 to len - 1."""
        return np.arange(len(self), dtype=np.int32)

    def ids(self, rows: Rows) -> list[str]:
        """The string ids of `rows`, in their order."""
        found: list[str] = self._fetch(rows, [columns.ID])[columns.ID].to_pylist()
        return found

    def texts(self, rows: Rows) -> list[str]:
        """Title, line end, text of each of `rows`, in their order; the text alone if untitled."""
        found = self._fetch(rows, [columns.TITLE, columns.TEXT])
        pairs = zip(found[columns.TITLE].to_pylist(), found[columns.TEXT].to_pylist(), strict=True)
        return [f"{title}\n{text}".strip() for title, text in pairs]

    def documents(self, rows: Sequence[int] | Rows) -> list[Document]:
        """The whole documents of `rows`, metadata too, in their order."""
        names = [columns.ID, columns.TITLE, columns.TEXT, columns.EXTRA, *self._kinds]
        found = self._fetch(np.asarray(rows, dtype=np.int32), names)
        return [columns.document_from(row, self._kinds) for row in found.to_pylist()]

    def find(self, ids: Sequence[str]) -> Rows:
        """The row of each id, -1 where there is no such document."""
        wanted = pa.array(ids, pa.string())
        places = np.zeros(len(ids), dtype=np.uint64)
        known = np.zeros(len(ids), dtype=bool)
        at: dict[str, list[int]] = {}
        for number, name in enumerate(ids):
            at.setdefault(name, []).append(number)
        few = among(list(ids)) if len(ids) <= _FEW else ""
        for batch in scan(self._table, [columns.ID], few):
            hit = batch.filter(pc.is_in(batch[columns.ID], value_set=wanted))
            pairs = zip(hit[columns.ID].to_pylist(), hit[PLACE].to_pylist(), strict=True)
            for name, place in pairs:
                places[at[name]], known[at[name]] = place, True
        rows = np.full(len(ids), -1, dtype=np.int32)
        rows[known] = self._map.rows(places[known])
        return rows

    def search_terms(
        self,
        queries: Sequence[Sequence[str]],
        k: int,
        where: str | None = None,
        within: Sequence[Rows] | None = None,
    ) -> list[tuple[Rows, Floats]]:
        """BM25: for each query the best `k` rows that hold any of its terms, and their scores.

        `queries` are terms of `analyzer` (a repeated one counts once); a query without terms
        finds nothing. k1 = 1.2, b = 0.75. `where` is an SQL filter over the metadata and `id`;
        `within` limits each query to rows of its own. Best first, ties by row; fewer than `k`
        where there are no more. Raises BadInput for a filter that cannot be used, and
        CollectionError when indexing was interrupted before the documents had terms.
        """
        if not self._analysed and len(self):
            raise CollectionError(
                f"{self.folder} was left before its {len(self)} documents were analysed: "
                "run crossrank index again, or crossrank optimise for what it has"
            )
        found = search_terms(self._table, queries, self._wanted(k, where, within))
        return [self._as_rows(each) for each in found]

    def search_vectors(
        self,
        encoder: str,
        vectors: Floats,
        k: int,
        where: str | None = None,
        within: Sequence[Rows] | None = None,
        exact: bool = False,
    ) -> list[tuple[Rows, Floats]]:
        """For each vector, float32 [n, dimension], the `k` nearest rows and their similarities.

        The similarity is the cosine or the inner product, as the encoder's scale says. Exact
        where the collection is small, `exact` is asked for, or `within` is given; else by the
        vector index, whose candidates are scored exactly. Documents without a vector of this
        encoder are not found. Otherwise as `search_terms`.
        """
        column = self._vector_column(encoder)
        if vectors.ndim != 2 or vectors.shape[1] != column.type.list_size:
            raise BadInput(
                f"vectors of shape [n, {column.type.list_size}] wanted for {encoder!r}, "
                f"got {list(vectors.shape)}"
            )
        found = search_vectors(self._table, column, vectors, self._wanted(k, where, within), exact)
        return [self._as_rows(each) for each in found]

    def vectors(self, encoder: str, rows: Rows) -> Floats:
        """float32 [n, dimension]: the stored vectors of `rows`; zeros where there is none."""
        column = self._vector_column(encoder)
        found = self._fetch(rows, [column.name])[column.name].combine_chunks()
        filled = np.zeros((len(rows), column.type.list_size), dtype=np.float32)
        valid = found.is_valid().to_numpy(zero_copy_only=False)
        filled[valid] = found.flatten().to_numpy().reshape(-1, column.type.list_size)
        return filled

    def scale(self, encoder: str) -> Scale:
        """What the similarities of an encoder's vectors mean."""
        return columns.scale_of(self._vector_column(encoder))

    def _vector_column(self, encoder: str) -> pa.Field:
        have = columns.vector_columns(self._schema)
        if encoder not in have:
            listed = ", ".join(have) or "none"
            raise BadInput(
                f"vectors of {encoder!r} wanted, the collection has {listed}: index its documents "
                "with --encoder, or search with an encoder it has vectors of"
            )
        return have[encoder]

    def _wanted(self, k: int, where: str | None, within: Sequence[Rows] | None) -> Wanted:
        if k < 1:
            raise BadInput(f"a k of 1 or more wanted, got {k}")
        places = None if within is None else [self._map.places(rows) for rows in within]
        return Wanted(min(k, max(len(self), 1)), where or "", self._kinds, places)

    def _as_rows(self, found: Found) -> tuple[Rows, Floats]:
        rows = self._map.rows(found.places)
        order = np.lexsort((rows, -found.scores))
        return rows[order], found.scores[order]

    def _fetch(self, rows: Rows, names: list[str]) -> pa.Table:
        """The columns `names` of `rows`, in their order; a row may come twice."""
        unique, back = np.unique(rows, return_inverse=True)
        if len(unique) and not (unique[0] >= 0 and unique[-1] < len(self)):
            raise BadInput(
                f"rows from 0 to {len(self) - 1} wanted, got {int(unique[0])} to {int(unique[-1])}"
            )
        places = self._map.places(unique)
        query = self._table.take_row_ids(places.tolist()).select(names).with_row_id()
        try:
            found = query.to_arrow()
        except (RuntimeError, OSError) as error:
            raise gone(error) from error
        order = np.argsort(found[PLACE].to_numpy(), kind="stable")
        return found.take(pa.array(order[back]))


def _all_places(table: Any) -> Any:
    found = table.search().with_row_id(True).select([PLACE]).to_arrow()
    return found[PLACE].to_numpy()
