"""`crossrank evaluate`: what every stage of a pipeline reaches on a judged set, and its price."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crossrank.evaluate.stages import StageScores

MEASURES = "nDCG@10 MRR@10 MAP R@100 P@10"


def evaluate(
    dataset: Annotated[
        str,
        typer.Argument(
            help="A folder in the layout of BEIR, MS MARCO, TREC DL, TREC-COVID or Natural "
            "Questions, or ir_datasets:ID."
        ),
    ],
    pipelines: Annotated[
        list[str] | None,
        typer.Option(
            "--pipeline",
            "-p",
            help="bm25, dense, hybrid, rerank, full, cross, or a .toml file; may be repeated. "
            "Default: full.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Which judgements: test, dev, 2019, ...")] = "test",
    measures: Annotated[str, typer.Option(help="Measures, separated by blanks.")] = MEASURES,
    language: Annotated[str, typer.Option(help="auto, de or en.")] = "auto",
    collection: Annotated[
        Path | None,
        typer.Option(
            help="A collection that holds the set's documents. Default: one is made in the cache "
            "and kept for the next run."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Another cross-encoder: a directory or a hub id.")
    ] = "",
    runs: Annotated[
        Path | None, typer.Option(help="Write a TREC run of every stage into this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Measure every stage of one or more pipelines on a judged set."""
    from crossrank.evaluate.datasets import indexed
    from crossrank.evaluate.measures import parse_measures
    from crossrank.evaluate.stages import evaluate_pipeline
    from crossrank.io.judged import judged_set
    from crossrank.pipelines import load
    from crossrank.pipelines.build import build
    from crossrank.store import Collection
    from crossrank.types import Search

    wanted = parse_measures(measures)
    specs = [load(name) for name in pipelines or ["full"]]
    if model:
        specs = [spec.with_reranker(model) for spec in specs]
    judged = judged_set(dataset, split)
    queries, qrels = judged.queries, judged.qrels
    encoders = tuple(dict.fromkeys(name for spec in specs for name in spec.encoders()))
    with output.progress() as bar:
        opened = (
            Collection.open(collection)
            if collection
            else indexed(judged, language, encoders, output.counter(bar, "indexing"))
        )
        search = Search(queries, opened.corpus())
        found = {}
        for spec in specs:
            done = output.counter(bar, spec.name, total=len(queries))
            found[spec.name] = evaluate_pipeline(build(spec, opened), search, qrels, wanted, done)
    if runs:
        _write_runs(runs, found)
    if as_json:
        output.print_json(_as_json(judged.name, len(queries), found))
    else:
        _print(f"{judged.name}, {len(queries)} queries", found)


def _write_runs(folder: Path, found: Mapping[str, Sequence[StageScores]]) -> None:
    from crossrank.io.trec import write_run

    folder.mkdir(parents=True, exist_ok=True)
    for pipeline, stages in found.items():
        for number, stage in enumerate(stages, start=1):
            tag = f"{pipeline}-{number}-{stage.name}".replace(" ", "-")
            write_run(folder / f"{tag}.trec", stage.ranking, tag)
    output.say(f"runs written to {folder}")


def _as_json(
    dataset: str, queries: int, found: Mapping[str, Sequence[StageScores]]
) -> dict[str, Any]:
    pipelines = {
        name: [
            {
                "stage": stage.name,
                "measures": stage.scores.means(),
                "seconds": stage.seconds,
                "ms_per_query": stage.milliseconds_a_query,
                "documents": len(stage.ranking.docs),
            }
            for stage in stages
        ]
        for name, stages in found.items()
    }
    return {"dataset": dataset, "queries": queries, "pipelines": pipelines}


def _print(title: str, found: Mapping[str, Sequence[StageScores]]) -> None:
    console = output.data()
    console.print(title, style="bold")
    for name, stages in found.items():
        texts = list(stages[0].scores.means())
        rows = [
            [
                stage.name,
                *(f"{value:.4f}" for value in stage.scores.means().values()),
                f"{len(stage.ranking.docs) / max(len(stage.ranking.queries), 1):.0f}",
                f"{stage.milliseconds_a_query:.1f}",
            ]
            for stage in stages
        ]
        columns = [name, *(f">{text}" for text in texts), ">docs", ">ms/query"]
        console.print(output.table(columns, rows))
