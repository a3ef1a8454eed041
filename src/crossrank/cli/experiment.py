"""`crossrank experiment`: several pipelines over several judged sets, one report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output
from crossrank.cli.reports import print_tables, wide, write
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from crossrank.evaluate.compare import Settings
    from crossrank.evaluate.experiment import Experiment
    from crossrank.evaluate.results import SetResult


def experiment(
    file: Annotated[Path, typer.Argument(help="The experiment, a .toml file.")],
    html: Annotated[
        Path | None, typer.Option(help="Write a self-contained HTML report with plots here.")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Write a TREC run of each pipeline and set here.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where stage results are kept. Default: the cache.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Samples of the randomisation test.")] = (
        100_000
    ),
    seed: Annotated[int, typer.Option(min=0, help="Seed of test and intervals.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX tables.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Run pipelines over judged sets: shared stages once, results kept, and go on after a stop."""
    from crossrank.config import cache_dir
    from crossrank.evaluate.compare import Settings
    from crossrank.evaluate.experiment import read_experiment
    from crossrank.evaluate.report import experiment as report

    if markdown + latex + as_json > 1:
        raise BadInput("one of --json, --markdown and --latex wanted, got several")
    wanted = read_experiment(file)
    kept = cache or cache_dir() / "experiments"
    results = _run(wanted, kept, Settings(samples=samples, seed=seed))
    if runs:
        _write_runs(runs, results)
    if html:
        write(html, report.html(wanted.name, results, {"seed": str(seed)}))
    if as_json:
        found = [each.as_dict() for each in results]
        output.print_json({"experiment": wanted.name, "sets": found})
    else:
        tables = report.tables(results, intervals=markdown or latex or wide())
        print_tables(tables, markdown=markdown, latex=latex)


def _run(wanted: Experiment, kept: Path, settings: Settings) -> list[SetResult]:
    from crossrank.evaluate.datasets import indexed
    from crossrank.evaluate.kept import RankingStore
    from crossrank.evaluate.results import run_set
    from crossrank.evaluate.shared import count_stages
    from crossrank.io.judged import judged_set

    stages = count_stages(wanted.pipelines)
    results = []
    with output.progress() as bar:
        for each in wanted.sets:
            judged = judged_set(each.source, each.split)
            indexing = output.counter(bar, f"indexing {judged.name}")
            collection = indexed(judged, each.language, wanted.encoders(), indexing)
            done = output.counter(bar, judged.name, total=stages * len(judged.queries))
            store = RankingStore(kept)
            results.append(run_set(wanted, judged, collection, store, settings=settings, done=done))
    computed = sum(each.computed for each in results)
    output.say(f"{computed} blocks of queries computed, the rest was kept in {kept}")
    return results


def _write_runs(folder: Path, results: list[SetResult]) -> None:
    from crossrank.io.trec import write_run

    for result in results:
        place = folder / result.name.replace("/", "-")
        place.mkdir(parents=True, exist_ok=True)
        for name, stages in result.stages.items():
            tag = name.replace(" ", "-")
            write_run(place / f"{tag}.trec", stages[-1].ranking, tag)
    output.say(f"runs written to {folder}")
