"""Everything an explanation of one score holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossrank.explain.attention import Attention
from crossrank.explain.attribution import BUDGET, MOST_PARTS, Attribution, attribute
from crossrank.pipelines.hits import Place
from crossrank.types import Scale, Scorer


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a model gives a document its score for a query.

    attention: where the model looked, None where it was not read; path: where the document stood
    in every stage of a pipeline, empty without one.
    """

    query: str
    document: str
    model: str
    score: float
    scale: Scale
    of_document: Attribution
    of_query: Attribution
    attention: Attention | None = None
    path: tuple[Place, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The explanation as JSON values: attention as the pairs of tokens that met most."""
        return {
            "query": self.query,
            "document": self.document,
            "model": self.model,
            "score": self.score,
            "scale": str(self.scale),
            "document_parts": self.of_document.as_dict(),
            "query_parts": self.of_query.as_dict(),
            "meetings": [] if self.attention is None else _meetings(self.attention),
            "matches": {} if self.attention is None else _matches(self.attention),
            "stages": [_place(place) for place in self.path],
        }


def explain(
    scorer: Scorer,
    query: str,
    document: str,
    *,
    model: str = "",
    attention: Attention | None = None,
    path: tuple[Place, ...] = (),
    most: int = MOST_PARTS,
    budget: int = BUDGET,
    quick: bool = False,
) -> Explanation:
    """The attributions of both sides, put together with attention and path where they are known."""
    of_document, of_query = (
        attribute(scorer, query, document, side, most=most, budget=budget, quick=quick)
        for side in ("document", "query")
    )
    return Explanation(
        query,
        document,
        model,
        of_document.score,
        scorer.scale,
        of_document,
        of_query,
        attention,
        path,
    )


def _meetings(found: Attention, count: int = 20) -> list[Mapping[str, Any]]:
    return [
        {
            "query": found.tokens[each.query].piece,
            "document": found.tokens[each.document].piece,
            "weight": each.weight,
        }
        for each in found.meetings(count)
    ]


def _matches(found: Attention) -> dict[str, list[Mapping[str, Any]]]:
    return {
        view: [
            {
                "query": found.tokens[each.query].piece,
                "document": found.tokens[each.document].piece,
                "cosine": each.cosine,
            }
            for each in found.matches(view)
        ]
        for view in found.cosines
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "stage": place.stage,
        "rank": place.rank,
        "score": place.score,
        "scale": str(place.scale),
    }
