"""`crossrank tune`: the fusion that suits judged queries, with its figure on held-out folds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output
from crossrank.cli.reports import print_tables, wide, write
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from rich.progress import Progress

    from crossrank.evaluate.learn import Learned
    from crossrank.evaluate.signals import Signals
    from crossrank.evaluate.tune import Tuned
    from crossrank.pipelines.spec import PipelineSpec
    from crossrank.types import Ranking


def tune(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run files to fuse; or give --dataset.")
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Judgements of the run files: TREC or BEIR form.")
    ] = None,
    dataset: Annotated[
        str, typer.Option(help="A judged set, to tune the fusion a pipeline ends with.")
    ] = "",
    pipeline: Annotated[
        str, typer.Option("--pipeline", "-p", help="hybrid, or a .toml file that ends with a fuse.")
    ] = "hybrid",
    split: Annotated[
        str, typer.Option(help="Which judgements of the set: never those you will report on.")
    ] = "train",
    language: Annotated[str, typer.Option(help="auto, de or en.")] = "auto",
    measure: Annotated[str, typer.Option(help="What is to be high.")] = "nDCG@10",
    search: Annotated[str, typer.Option(help="grid or coordinate.")] = "grid",
    methods: Annotated[str, typer.Option(help="Methods to choose from.")] = "rrf sum",
    normalisers: Annotated[
        str, typer.Option(help="Normalisers to choose from.")
    ] = "min-max z-score rank",
    missing: Annotated[str, typer.Option(help="Rules for missing scores.")] = "min zero",
    k: Annotated[str, typer.Option(help="Constants of RRF.")] = "10 60",
    depths: Annotated[str, typer.Option(help="Documents taken of each ranking; 0 for all.")] = "0",
    weight_step: Annotated[float, typer.Option(help="Step of the weights in the grid.")] = 0.1,
    folds: Annotated[int, typer.Option(min=2, help="How many folds.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of folds, tests and trees.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the fusion: .json, or a pipeline as .toml."),
    ] = None,
    learned: Annotated[
        Path | None,
        typer.Option(help="Also train LambdaMART (extra ltr) and write it into this folder."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write an HTML report here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Tune a fusion by k-fold cross-validation: method, weights, normaliser, depth, RRF's k."""
    from crossrank.evaluate.compare import Settings
    from crossrank.evaluate.measures import parse_measure
    from crossrank.evaluate.report import tuning
    from crossrank.evaluate.space import Space
    from crossrank.evaluate.tune import tune as tuned_by
    from crossrank.pipelines import load

    space = Space(
        tuple(methods.split()),
        tuple(normalisers.split()),
        tuple(missing.split()),
        _numbers("k", k),
        tuple(int(depth) for depth in _numbers("depths", depths)),
        weight_step,
    )
    spec = load(pipeline) if dataset else None
    _check_output(out, spec)
    with output.progress() as bar:
        signals, judged = _signals(bar, runs or [], qrels, dataset, spec, split, language)
        found = tuned_by(
            signals.rankings,
            judged,
            parse_measure(measure),
            space=space,
            search=search,
            folds=folds,
            seed=seed,
            settings=Settings(seed=seed),
            done=output.counter(bar, "settings"),
        )
        trees = _learned(bar, signals, judged, found, folds, seed) if learned else None
    if out:
        _write_fusion(out, found, spec)
    if trees and learned:
        _write_model(learned, trees, spec)
    if html:
        write(html, tuning.html(found, trees, f"Fusion of {', '.join(signals.rankings)}"))
    if as_json:
        extra = {"learned": trees.as_dict()} if trees else {}
        output.print_json({"signals": list(signals.rankings)} | found.as_dict() | extra)
    else:
        print_tables(tuning.tables(found, trees, intervals=wide()))


def _signals(
    bar: Progress,
    runs: list[Path],
    qrels: Path | None,
    dataset: str,
    spec: PipelineSpec | None,
    split: str,
    language: str,
) -> tuple[Signals, Ranking]:
    from crossrank.evaluate.signals import signals_of_pipeline, signals_of_runs
    from crossrank.io.trec import read_qrels

    if dataset and spec and not runs:
        from crossrank.cli.judged import judged_collection
        from crossrank.types import Search

        queries, judged, opened = judged_collection(bar, dataset, split, language, spec.encoders())
        search = Search(queries, opened.corpus())
        done = output.counter(bar, spec.name, total=len(queries))
        return signals_of_pipeline(spec, opened, search, done), judged
    if runs and qrels and not dataset:
        return signals_of_runs(runs), read_qrels(qrels)
    raise BadInput("run files with --qrels, or --dataset with --pipeline wanted, got neither")


def _learned(
    bar: Progress, signals: Signals, judged: Ranking, linear: Tuned, folds: int, seed: int
) -> Learned:
    from crossrank.evaluate.compare import Settings
    from crossrank.evaluate.learn import learn
    from crossrank.fuse.lambdamart import Forest

    return learn(
        signals.rankings,
        judged,
        linear,
        linear.held_out.measures[0],
        analysis=signals.analysis,
        fields=signals.fields,
        forest=Forest(seed=seed),
        folds=folds,
        seed=seed,
        settings=Settings(seed=seed),
        done=output.counter(bar, "trees", total=folds + 1),
    )


def _check_output(out: Path | None, spec: PipelineSpec | None) -> None:
    wanted = (".json", ".toml") if spec else (".json",)
    if out and out.suffix not in wanted:
        raise BadInput(f"an output ending in {' or '.join(wanted)} wanted, got {out.name}")


def _write_fusion(out: Path, found: Tuned, spec: PipelineSpec | None) -> None:
    import json

    from crossrank.evaluate.signals import tuned_pipeline
    from crossrank.pipelines import dump

    if spec and out.suffix == ".toml":
        write(out, dump(tuned_pipeline(spec, found.setting)))
    else:
        held = found.held_out
        measure = held.measures[0]
        figures = {name: scores.mean(measure) for name, scores in held.scores.items()}
        stored = found.setting.as_dict() | {"measure": str(measure), "held_out": figures}
        write(out, json.dumps(stored, ensure_ascii=False, indent=2) + "\n")


def _write_model(folder: Path, trees: Learned, spec: PipelineSpec | None) -> None:
    from crossrank.evaluate.report.tuning import importance_plot
    from crossrank.evaluate.signals import learned_pipeline
    from crossrank.pipelines import dump

    trees.model.save(folder)
    write(folder / "importance.svg", importance_plot(trees))
    if spec:
        write(folder / "pipeline.toml", dump(learned_pipeline(spec)))


def _numbers(name: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise BadInput(f"numbers separated by blanks wanted for {name}, got {text!r}") from None
