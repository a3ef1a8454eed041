"""`crossrank search`: one query through a pipeline, with every stage's say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from rich.text import Text

    from crossrank.pipelines.results import Result, Results
    from crossrank.pipelines.spec import PipelineSpec
    from crossrank.store import Collection


MARKS = {"met": ("✓", "green"), "violated": ("✗", "red"), "open": ("?", "dim")}
"""How a verdict on a condition is shown."""


def search(
    collection: Annotated[Path, typer.Argument(help="The collection, made by crossrank index.")],
    query: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", "--top", min=1, help="How many results.")] = 10,
    pipeline: Annotated[
        str,
        typer.Option(
            "--pipeline",
            "-p",
            help="bm25, dense, hybrid, rerank, full, cross, or a .toml file. Default: full where "
            "the collection has vectors, else rerank.",
        ),
    ] = "",
    where: Annotated[
        str, typer.Option(help="An SQL filter: \"price < 100 AND language = 'de'\".")
    ] = "",
    model: Annotated[
        str, typer.Option(help="Another cross-encoder: a directory or a hub id.")
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each result's path through the stages.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Search a collection: BM25 and dense vectors fused, the best 100 re-ranked."""
    from crossrank.pipelines.results import answer
    from crossrank.store import Collection

    if not query.strip():
        raise BadInput("a query wanted, got an empty one")
    opened = Collection.open(collection)
    spec = choose(opened, pipeline, where, model)
    _warn_if_long(opened, spec, query)
    results = answer(opened, query, spec, k)
    for note in results.notes:
        output.say(f"{note.count} {note.text}")
    if as_json:
        output.print_json(results.as_dict())
    else:
        _print(results, explain)


def choose(collection: Collection, name: str, where: str, model: str) -> PipelineSpec:
    """The pipeline asked for, or the best one the collection has what it takes for."""
    from crossrank.pipelines import load

    default = "full" if collection.encoders() else "rerank"
    spec = load(name or default).filtered(where)
    return spec.with_reranker(model) if model else spec


def _warn_if_long(collection: Collection, spec: PipelineSpec, query: str) -> None:
    """Says how long scoring everything will take, measured on a few documents, where they are
    many."""
    from crossrank.tasks.estimate import MANY

    if not spec.scores_everything() or len(collection.corpus()) <= MANY:
        return
    from crossrank.models import CrossEncoder
    from crossrank.pipelines.spec import Reranker
    from crossrank.tasks.estimate import estimate
    from crossrank.types import Queries, Search

    model = next(stage.model for stage in spec.stages if isinstance(stage, Reranker))
    found = estimate(CrossEncoder(model), Search(Queries.of([query]), collection.corpus()))
    output.say(
        f"the cross-encoder will score every document: {found}; --pipeline full scores the best "
        "100",
        style="yellow",
    )


def _print(results: Results, explain: bool) -> None:
    console = output.data()
    if not results.results:
        console.print("nothing found")
    for result in results.results:
        console.print(_headline(result), soft_wrap=True)
        if result.snippet.text:
            console.print(_snippet(result), soft_wrap=True)
        if result.conditions:
            console.print(_conditions(result), soft_wrap=True)
        console.print(_path(result, explain), style="dim", soft_wrap=True, markup=False)
        console.print()
    times = " · ".join(
        f"{each.name} {each.documents} docs {_duration(each.seconds)}" for each in results.stages
    )
    console.print(times, style="dim", soft_wrap=True, markup=False)


def _headline(result: Result) -> Text:
    from rich.text import Text

    hit = result.hit
    line = Text(f"{hit.rank:>2}  ")
    line.append(result.title or hit.id, style="bold")
    if result.title:
        line.append(f"  {hit.id}", style="dim")
    if hit.moved:
        style = "green" if hit.moved > 0 else "red"
        line.append(f"  {'▲' if hit.moved > 0 else '▼'}{abs(hit.moved)}", style=style)
    return line


def _snippet(result: Result) -> Text:
    from rich.text import Text

    line = Text("    " + result.snippet.text)
    for start, end in result.snippet.highlights:
        line.stylize("bold yellow", start + 4, end + 4)
    return line


def _conditions(result: Result) -> Text:
    """What the document says on each condition of the query."""
    from rich.text import Text

    line = Text("    ")
    for each in result.conditions:
        mark, style = MARKS[each.verdict]
        line.append(f"{mark} {each.condition}  ", style=style)
    return line


def _path(result: Result, explain: bool) -> str:
    places = result.hit.places
    if explain:
        width = max(len(place.stage) for place in places)
        return "\n".join(
            f"    {p.stage:<{width}}  rank {p.rank:>4}  {p.score:9.4f} {p.scale}" for p in places
        )
    return "    " + " → ".join(f"{p.stage} #{p.rank} ({p.score:.3g})" for p in places)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
