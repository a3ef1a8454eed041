"""`crossrank demo`: a small catalogue indexed, searched in stages, re-ranked, and measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from rich.text import Text

    from crossrank.demo import Report

MARKS = ("·", "+", "++", "+++")
ALONE = ("bm25", "bi-encoder", "cross-encoder")
STYLES = ("dim", "yellow", "green", "bold green")


def demo(
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep the collection in this new folder, to try crossrank search on it."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Another cross-encoder: a directory or a hub id.")
    ] = "crossrank-small",
    encoder: Annotated[
        str, typer.Option(help="Another bi-encoder: a directory or a hub id.")
    ] = "crossrank-embed",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Show BM25, bi-encoder and cross-encoder side by side on a small German-English catalogue."""
    from crossrank.demo import read_catalogue, run
    from crossrank.models import BiEncoder, CrossEncoder
    from crossrank.pipelines.named import SHARE
    from crossrank.pipelines.spec import SMALL

    with output.progress() as bar:
        done = output.counter(bar, "demo", total=len(read_catalogue().queries))
        weight = SHARE if model == SMALL else 1.0
        report = run(BiEncoder(encoder), CrossEncoder(model), keep, done, weight)
    if as_json:
        output.print_json(report.as_dict())
    else:
        _print(report)
    if keep:
        output.say(f'kept: try  crossrank search {keep} "laborkühlschrank 280 l ohne gefrierfach"')


def _print(report: Report) -> None:
    from crossrank.demo.run import SHOWN

    console = output.data()
    count = len(report.catalogue.documents)
    console.print(f"{count} texts indexed in {report.indexing:.1f} s\n", style="dim")
    for query in SHOWN:
        console.print(report.query_text(query), style="bold")
        console.print(output.table(*_side_by_side(report, query, console.width)))
        console.print()
    console.print("+++ meets everything  ++ in part  + violates a condition  · another thing\n")
    console.print(output.table(*_measures(report)))
    console.print()
    console.print(output.table(*_by_kind(report)))


def _side_by_side(report: Report, query: str, width: int) -> tuple[list[str], list[list[Text]]]:
    """The first five of the models and of BM25, not of what combines them."""
    titles = {document.id: document.title for document in report.catalogue.documents}
    stages = [stage for stage in report.stages if stage.name in ALONE]
    room = max(width // len(stages) - 7, 12)
    columns = [
        [_cell(titles[name], grade, room) for name, grade in report.top(stage, query)]
        for stage in stages
    ]
    rows = [list(row) for row in zip(*columns, strict=False)]
    return [stage.name for stage in stages], rows


def _cell(title: str, grade: int, room: int) -> Text:
    from rich.text import Text

    short = title if len(title) <= room else title[: room - 1] + "…"
    return Text(f"{MARKS[grade]:<3} {short}", style=STYLES[grade])


def _measures(report: Report) -> tuple[list[str], list[list[str]]]:
    queries = len(report.catalogue.queries)
    rows = []
    for stage in report.stages:
        ndcg, recall = report.mean(stage)
        took = 1000 * stage.seconds / queries
        rows.append([stage.name, f"{ndcg:.3f}", f"{recall:.3f}", f"{took:.1f}"])
    return [f"{queries} queries", ">nDCG@10", ">Recall@10", ">ms/query"], rows


def _by_kind(report: Report) -> tuple[list[str], list[list[str]]]:
    """nDCG@10 of every stage but the fused first one, which would not fit into 80 columns."""
    from crossrank.demo.catalogue import KINDS
    from crossrank.demo.run import FUSED

    stages = [stage for stage in report.stages if stage.name != FUSED]
    rows = [
        [
            f"{kind} ({report.catalogue.kinds.count(kind)})",
            *(f"{report.mean(stage, kind)[0]:.3f}" for stage in stages),
        ]
        for kind in KINDS
    ]
    return ["nDCG@10 by kind", *(f">{stage.name}" for stage in stages)], rows
