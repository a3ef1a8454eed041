"""`crossrank compare`: run files against each other, with tests of significance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossrank.cli import output
from crossrank.cli.reports import print_tables, wide, write
from crossrank.errors import BadInput

MEASURES = "nDCG@10 MRR@10 R@100"


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run files, TREC or MS MARCO form, gz or not.")
    ],
    qrels: Annotated[Path, typer.Option(help="Judgements: a TREC or BEIR file, gz or not.")],
    measures: Annotated[str, typer.Option(help="Measures, separated by blanks.")] = MEASURES,
    baseline: Annotated[
        str,
        typer.Option(
            help="The run the others are tested against, or `all` for every pair. Default: the "
            "first."
        ),
    ] = "",
    queries: Annotated[
        Path | None,
        typer.Option(help="Queries (JSONL or TSV), so that reports show what was asked."),
    ] = None,
    times: Annotated[
        Path | None,
        typer.Option(help="A JSON object of milliseconds a query by run: adds the time plot."),
    ] = None,
    moved: Annotated[int, typer.Option(min=0, help="How many queries that moved most.")] = 5,
    samples: Annotated[int, typer.Option(min=1, help="Samples of the randomisation test.")] = (
        100_000
    ),
    level: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed of test and intervals.")] = 0,
    html: Annotated[
        Path | None, typer.Option(help="Write a self-contained HTML report with plots here.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX tables.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Compare run files: means, paired tests with Holm's correction, the queries that moved."""
    from crossrank.evaluate.compare import Settings
    from crossrank.evaluate.compare import compare as compared
    from crossrank.evaluate.measures import parse_measures
    from crossrank.evaluate.report import comparison
    from crossrank.evaluate.runs import read_runs
    from crossrank.io.trec import read_qrels

    if markdown + latex + as_json > 1:
        raise BadInput("one of --json, --markdown and --latex wanted, got several")
    settings = Settings(level, samples, seed=seed)
    judged = read_qrels(qrels)
    found = compared(read_runs(runs), judged, parse_measures(measures), baseline, settings)
    clock = _times(times, tuple(found.scores)) if times else {}
    texts = _texts(queries) if queries else {}
    if html:
        title = f"{len(found.scores)} runs on {qrels.name}"
        write(html, comparison.html(found, clock, texts, moved, title))
    if as_json:
        output.print_json(found.as_dict(moved) | {"times": clock})
        return
    roomy = markdown or latex or wide()
    tables = comparison.tables(found, clock, texts, moved, intervals=roomy)
    print_tables(tables, markdown=markdown, latex=latex)


def _times(path: Path, names: tuple[str, ...]) -> dict[str, float]:
    import json

    if not path.is_file():
        raise BadInput(f"a JSON file with milliseconds by run wanted, {path} is not there")
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        times = {str(name): float(value) for name, value in given.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise BadInput(
            f'{path}: a JSON object like {{"{names[0]}": 12.5}} wanted, got {error}'
        ) from None
    unknown = set(times) - set(names)
    if unknown:
        raise BadInput(f"{path}: times of {', '.join(names)} wanted, got {sorted(unknown)}")
    return times


def _texts(path: Path) -> dict[str, str]:
    from crossrank.io.queries import read_queries

    found = read_queries(path)
    return dict(zip(found.ids, found.texts, strict=True))
