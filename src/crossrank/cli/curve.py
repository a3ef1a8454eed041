"""`crossrank curve`: what re-ranking deeper brings, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output
from crossrank.cli.reports import print_tables, write
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossrank.evaluate.curve import Curve, Point

DEPTHS = (0, 1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)
BUDGETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def curve(
    dataset: Annotated[str, typer.Argument(help="A judged set, as crossrank evaluate takes it.")],
    pipelines: Annotated[
        list[str] | None,
        typer.Option(
            "--pipeline", "-p", help="rerank, full, or a .toml file that ends with a cross-encoder."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Which judgements: test, dev, 2019, ...")] = "test",
    depth: Annotated[int, typer.Option(min=1, help="How deep the one run goes.")] = 100,
    budget: Annotated[
        str,
        typer.Option(
            help="Budgets in ms a query, separated by blanks. Default: those that lie on the curve."
        ),
    ] = "",
    measure: Annotated[str, typer.Option(help="What is measured.")] = "nDCG@10",
    language: Annotated[str, typer.Option(help="auto, de or en.")] = "auto",
    model: Annotated[
        str, typer.Option(help="Another cross-encoder: a directory or a hub id.")
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="Only the first queries; 0 for all.")] = 0,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page with plots here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Measure quality against re-ranking depth and against a time budget, from one deep run."""
    from crossrank.cli.judged import judged_collection
    from crossrank.evaluate.curve import budgets, cost_curve
    from crossrank.evaluate.measures import parse_measure
    from crossrank.evaluate.report import curve as report
    from crossrank.pipelines import load
    from crossrank.types import Search

    wanted = parse_measure(measure)
    specs = [load(name) for name in pipelines or ["rerank"]]
    specs = [spec.with_reranker(model) for spec in specs] if model else specs
    depths = sorted({each for each in DEPTHS if each < depth} | {depth})
    encoders = tuple(dict.fromkeys(name for spec in specs for name in spec.encoders()))
    with output.progress() as bar:
        queries, judged, opened = judged_collection(bar, dataset, split, language, encoders)
        some = slice(0, limit or None)
        search, qrels = Search(queries[some], opened.corpus()), judged.select(some)
        curves = [
            cost_curve(spec.at_least(depth), opened, search, qrels, wanted, depths,
                       done=output.counter(bar, spec.name, total=len(search)))
            for spec in specs
        ]  # fmt: skip
    limits = _budgets(budget, curves)
    found = {each.name: budgets(each, limits) for each in curves}
    if html:
        write(html, report.html(curves, found, wanted, f"Depth and time on {dataset}"))
    if as_json:
        output.print_json(_as_json(dataset, measure, curves, found))
    else:
        print_tables([report.depth_table(curves, wanted), report.budget_table(found, wanted)])


def _budgets(text: str, curves: Sequence[Curve]) -> list[float]:
    if text:
        try:
            return [float(part) for part in text.split()]
        except ValueError:
            raise BadInput(f"budgets in ms separated by blanks wanted, got {text!r}") from None
    low = min(each.points[0].milliseconds for each in curves)
    high = max(each.points[-1].milliseconds for each in curves)
    inside = [float(each) for each in BUDGETS if low <= each <= high]
    return [*inside, float(next((each for each in BUDGETS if each > high), high))]


def _as_json(
    dataset: str, measure: str, curves: Sequence[Curve], found: dict[str, tuple[Point, ...]]
) -> dict[str, Any]:
    def plain(points: Sequence[Point]) -> list[dict[str, float]]:
        return [
            {"depth": p.depth, "ms_per_query": p.milliseconds, "value": p.value} for p in points
        ]

    both = {
        each.name: {"depths": plain(each.points), "budgets": plain(found[each.name])}
        for each in curves
    }
    queries = len(curves[0].run.candidates.queries)
    return {"dataset": dataset, "queries": queries, "measure": measure, "curves": both}
