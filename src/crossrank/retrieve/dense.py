"""Dense retrieval: the documents of a collection whose vectors are nearest to the query's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossrank.errors import NotFound
from crossrank.retrieve.pinned import deepest, pinned, within
from crossrank.retrieve.select import check_depth
from crossrank.types import Encoder, Floats, Ranking, Rows, Search

if TYPE_CHECKING:
    from crossrank.store import Collection, Snapshot


@dataclass(frozen=True, slots=True)
class Dense:
    """The `depth` nearest documents of a collection for each query; a stage.

    The question must be about `collection.corpus()`, and the collection must have vectors of
    `encoder`. `where` is an SQL filter over the metadata. `exact` compares with every vector even
    where an index could be asked. The candidates of a ranking are always compared exactly; those
    that have no vector are left out.
    """

    collection: Collection
    encoder: Encoder
    depth: int = 100
    where: str | None = None
    exact: bool = False
    name: str = "dense"

    def __post_init__(self) -> None:
        check_depth(self.depth)

    def __call__(self, given: Search, /) -> Ranking:
        """The nearest documents of each query, inside the candidates if `given` is a ranking.

        Raises NotFound when the collection has no vectors of the encoder.
        """
        corpus = pinned(given, self.collection, self.name)
        encoder = self._checked(corpus)
        vectors = self.encoder.encode_queries(given.queries.texts)
        inside = within(given)

        def search(queries: list[int], k: int) -> list[tuple[Rows, Floats]]:
            return corpus.search_vectors(
                encoder,
                vectors[queries],
                k,
                self.where,
                None if inside is None else [inside[query] for query in queries],
                self.exact,
            )

        return deepest(given, search, self.depth, corpus.scale(encoder))

    def _checked(self, corpus: Snapshot) -> str:
        have = corpus.encoders()
        if self.encoder.name not in have:
            raise NotFound(
                f"vectors of {self.encoder.name!r} wanted, {self.collection.path} has "
                f"{', '.join(have) or 'none'}: run crossrank index {self.collection.path} "
                f"--encoder with this model, or add them with collection.add([], [encoder])"
            )
        return self.encoder.name
