"""`crossrank rerank`: documents from a pipe, sorted by how well they fit a query."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from crossrank.models import Ranked
    from crossrank.rerank.conditions import Stated
    from crossrank.rerank.inputs import Given


def rerank(
    query: Annotated[str, typer.Option("--query", "-q", help="What the documents are for.")],
    documents: Annotated[
        Path,
        typer.Argument(
            help="One a line: JSON objects with text (and title), JSON strings, or plain text; "
            "- reads standard input."
        ),
    ] = Path("-"),
    k: Annotated[int, typer.Option("-k", "--top", min=0, help="How many; 0 for all.")] = 0,
    model: Annotated[
        str, typer.Option(help="A cross-encoder: a directory, a bundled name or a hub id.")
    ] = "crossrank-small",
    long: Annotated[
        str,
        typer.Option(
            help="What to do with documents longer than the model reads: truncate, or window "
            "(read all of it in windows)."
        ),
    ] = "truncate",
    aggregate: Annotated[
        str, typer.Option(help="The score of a windowed document: max, first, mean, sum.")
    ] = "max",
    conditions: Annotated[
        bool,
        typer.Option(
            "--conditions",
            help="Hold documents to what the query states: numbers with units, norms, names, "
            "with and without; each is listed as met, violated or open.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Re-rank documents for a query; prints them best first, one JSON object a line."""
    from crossrank.models import CrossEncoder
    from crossrank.rerank.conditions import held_to_conditions
    from crossrank.rerank.inputs import read_candidates

    if not query.strip():
        raise BadInput("a query wanted, got an empty one")
    given = list(read_candidates(documents))
    scorer = CrossEncoder(model, long=long, aggregate=aggregate)  # type: ignore[arg-type]
    texts = [each.document for each in given]
    if conditions:
        every = scorer.rank(query, texts)
        checked = held_to_conditions(query, every, scorer)[: k or None]
    else:
        checked = [(each, ()) for each in scorer.rank(query, texts, k or None)]
    ranked = [each for each, _ in checked]
    cut = sum(each.truncated for each in ranked)
    if cut:
        output.say(f"{cut} of {len(ranked)} documents were cut; --long window reads all of them")
    results = [_result(each, given[each.index], said) for each, said in checked]
    if as_json:
        output.print_json(
            {
                "query": query,
                "model": scorer.name,
                "scale": ranked[0].scale if ranked else scorer.scale,
                "results": results,
            }
        )
    else:
        output.print_jsonl(results)


def _result(ranked: Ranked, given: Given, said: tuple[Stated, ...]) -> dict[str, Any]:
    own: dict[str, Any] = {
        "rank": ranked.rank,
        "score": ranked.score,
        "scale": ranked.scale,
        "truncated": ranked.truncated,
    }
    if said:
        own["conditions"] = [each.as_dict() for each in said]
    return own | {name: value for name, value in given.fields.items() if name not in own}
