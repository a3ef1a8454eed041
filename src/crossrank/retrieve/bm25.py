"""BM25 over the full text of a collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossrank.retrieve.pinned import deepest, pinned, within
from crossrank.retrieve.select import check_depth
from crossrank.types import Floats, Ranking, Rows, Scale, Search

if TYPE_CHECKING:
    from crossrank.store import Collection


@dataclass(frozen=True, slots=True)
class BM25:
    """The `depth` best documents of a collection for each query by BM25; a stage.

    The question must be about `collection.corpus()`, whose analyser turns the queries into terms.
    `where` is an SQL filter over the metadata. Only documents with a term of the query are found;
    of a ranking's candidates likewise those that have one, under the same scores.
    """

    collection: Collection
    depth: int = 100
    where: str | None = None
    name: str = "bm25"

    def __post_init__(self) -> None:
        check_depth(self.depth)

    def __call__(self, given: Search, /) -> Ranking:
        """The best documents of each query, inside the candidates if `given` is a ranking."""
        corpus = pinned(given, self.collection, self.name)
        terms = [corpus.analyzer.query(text) for text in given.queries.texts]
        inside = within(given)

        def search(queries: list[int], k: int) -> list[tuple[Rows, Floats]]:
            return corpus.search_terms(
                [terms[query] for query in queries],
                k,
                self.where,
                None if inside is None else [inside[query] for query in queries],
            )

        return deepest(given, search, self.depth, Scale.BM25)
