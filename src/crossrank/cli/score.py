"""`crossrank score`: one score for each pair of texts, in input order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from crossrank.models import CrossEncoder
    from crossrank.rerank.inputs import Given

_CHUNK: Final = 2048


def score(
    pairs: Annotated[
        Path,
        typer.Argument(
            help="One a line: JSON objects with query and document, or both texts with a tab "
            "between them; - reads standard input."
        ),
    ] = Path("-"),
    model: Annotated[
        str, typer.Option(help="A cross-encoder: a directory, a bundled name or a hub id.")
    ] = "crossrank-small",
    long: Annotated[
        str, typer.Option(help="For documents longer than the model reads: truncate, or window.")
    ] = "truncate",
    aggregate: Annotated[
        str, typer.Option(help="The score of a windowed document: max, first, mean, sum.")
    ] = "max",
    label: Annotated[
        str, typer.Option(help="For a model of several classes, the one to give log-odds of.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Score pairs of texts; prints each with its score, one JSON object a line."""
    from crossrank.models import CrossEncoder
    from crossrank.rerank.inputs import read_pairs

    scorer = CrossEncoder(
        model,
        long=long,  # type: ignore[arg-type]
        aggregate=aggregate,  # type: ignore[arg-type]
        label=label,
    )
    given = read_pairs(pairs)
    if as_json:
        results = list(_scored(scorer, given))
        cut = sum(each["truncated"] for each in results)
        output.print_json(
            {"model": scorer.name, "scale": scorer.scale, "truncated": cut, "results": results}
        )
    else:
        output.print_jsonl(_scored(scorer, given))


def _scored(scorer: CrossEncoder, given: Iterator[Given]) -> Iterator[dict[str, Any]]:
    """The pairs with their scores, a few at a time, so that memory stays flat."""
    cut = count = 0
    with output.progress() as bar:
        done = output.counter(bar, "pairs")
        while chunk := list(islice(given, _CHUNK)):
            found = scorer.scored((each.query, each.document) for each in chunk)
            for each, value, truncated in zip(chunk, found.values, found.truncated, strict=True):
                own = {"score": float(value), "scale": found.scale, "truncated": bool(truncated)}
                yield own | {k: v for k, v in each.fields.items() if k not in own}
            cut += int(found.truncated.sum())
            count += len(chunk)
            done(count)
    if cut:
        output.say(f"{cut} of {count} pairs were cut; --long window reads all of them")
