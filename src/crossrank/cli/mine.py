"""`crossrank mine`: hard negatives for the queries of labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from crossrank.train.mine import Mined


def mine(
    collection: Annotated[
        Path, typer.Argument(help="The collection to mine in, or files of documents.")
    ],
    data: Annotated[Path, typer.Argument(help="Queries with their relevant documents.")],
    out: Annotated[Path, typer.Option("--output", "-o", help="The folder to write into.")],
    form: Annotated[
        str, typer.Option("--format", help="Of the data: pairs, triples, groups or beir.")
    ] = "pairs",
    split: Annotated[str, typer.Option(help="Which judgements of a judged set.")] = "train",
    pipeline: Annotated[
        str,
        typer.Option(
            "--pipeline",
            "-p",
            help="bm25, dense, hybrid, or a .toml file. Default: hybrid where the collection has "
            "vectors, else bm25.",
        ),
    ] = "",
    ranks: Annotated[str, typer.Option(help="First and last rank to take from.")] = "1-100",
    negatives: Annotated[int, typer.Option("-n", help="Negatives a query.")] = 8,
    random: Annotated[float, typer.Option(help="Share of them drawn from all that qualify.")] = 0.0,
    margin: Annotated[
        float | None,
        typer.Option(help="A negative scores at least this much below the relevant document."),
    ] = None,
    relative: Annotated[
        float | None, typer.Option(help="The same as a share of the relevant document's score.")
    ] = None,
    ceiling: Annotated[float | None, typer.Option(help="No negative scores above this.")] = None,
    judge: Annotated[
        str, typer.Option("--filter", help="Compare the scores of this cross-encoder.")
    ] = "",
    relabel: Annotated[
        bool,
        typer.Option(
            "--relabel", help="What scores as high as the relevant document becomes relevant."
        ),
    ] = False,
    language: Annotated[str, typer.Option(help="Of files: auto, de or en.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Mine hard negatives with any pipeline, drop or relabel false ones by a cross-encoder.

    Writes JSONL groups that `crossrank train` reads, in parts; run again after a kill: it goes
    on with the part that is missing.
    """
    from crossrank.cli.sources import first_stage, open_source
    from crossrank.io.problems import Problems
    from crossrank.train.mine import mine as mined
    from crossrank.train.negatives import Rule
    from crossrank.train.sources import Source, read_source

    low, high = _ranks(ranks)
    rule = Rule((low, high), negatives, random, margin, relative, ceiling, relabel, seed)
    problems = Problems()
    labels = read_source(Source(data, form, split), problems)
    for problem in problems.first:
        output.say(str(problem), style="yellow")
    opened = open_source(collection, language)
    stage = first_stage(opened, pipeline, language, high)
    scorer = None
    if judge:
        from crossrank.models import CrossEncoder

        scorer = CrossEncoder(judge)
    settings = {
        "collection": str(collection),
        "data": str(data),
        "pipeline": stage.name,
        "filter": scorer.name if scorer else "",
    }
    with output.progress() as bar:
        done = output.counter(bar, "mining", total=len(labels.queries))
        found = mined(labels, opened.corpus, stage, rule, out, scorer, settings=settings, done=done)
    _show(found, out, as_json)


def _ranks(text: str) -> tuple[int, int]:
    low, mark, high = text.partition("-")
    if not (mark and low.isdecimal() and high.isdecimal()):
        raise BadInput(f"--ranks FIRST-LAST wanted, as 10-100, got {text!r}")
    return int(low), int(high)


def _show(found: Mined, out: Path, as_json: bool) -> None:
    if as_json:
        value = {
            "files": [str(path) for path in found.files],
            "queries": found.queries,
            "candidates": dict(found.counts),
        }
        output.print_json(value)
        return
    rows = [[name, f"{count:,}"] for name, count in found.counts.items() if count]
    output.data().print(output.table(["candidates", ">count"], rows))
    output.say(f"{len(found.files)} files in {out}, from {found.queries:,} queries")
