"""`crossrank judge`: graded judgements by a cross-encoder, and how far they agree with people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from crossrank.types import Ranking


def judge(
    collection: Annotated[
        Path, typer.Argument(help="The collection to judge, or files of documents.")
    ],
    queries: Annotated[Path, typer.Argument(help="Queries: JSONL with `_id` and `text`.")],
    out: Annotated[
        Path, typer.Option("--output", "-o", help="Write judgements here: .tsv BEIR, else TREC.")
    ],
    model: Annotated[
        str, typer.Option(help="The judge: a directory, hub id or bundled name.")
    ] = "crossrank-small",
    pipeline: Annotated[
        str, typer.Option("--pipeline", "-p", help="What finds the candidates to judge.")
    ] = "",
    depth: Annotated[int, typer.Option(min=1, help="Candidates a query.")] = 50,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            help="Judge what these runs rank to that depth; their order is compared with --qrels."
        ),
    ] = None,
    cuts: Annotated[
        str, typer.Option(help="Probabilities at which grades 1, 2, ... begin; or fit.")
    ] = "0.25,0.5,0.75",
    qrels: Annotated[
        Path | None, typer.Option(help="Judgements of people to compare with (or fit cuts on).")
    ] = None,
    measure: Annotated[str, typer.Option(help="What systems are ordered by.")] = "nDCG@10",
    language: Annotated[str, typer.Option(help="Of files: auto, de or en.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Judge candidates by a cross-encoder: pseudo-qrels, and their agreement with people's."""
    from crossrank.cli.sources import first_stage, open_source
    from crossrank.evaluate.measures import parse_measure
    from crossrank.io.beir import read_jsonl_queries, write_beir_qrels
    from crossrank.io.trec import read_candidates, read_qrels, write_qrels
    from crossrank.models import CrossEncoder
    from crossrank.train.agreement import agreement
    from crossrank.train.judge import fit_cuts, graded, pool, scored
    from crossrank.types import Search

    wanted = parse_measure(measure)
    people = read_qrels(qrels) if qrels else None
    if cuts == "fit" and people is None:
        raise BadInput("--cuts fit needs judgements of people to fit on: give --qrels")
    source = open_source(collection, language)
    search = Search(read_jsonl_queries(queries), source.corpus)
    with output.progress() as bar:
        runs = {path.stem: read_candidates(path, search) for path in run or ()}
        found = (
            pool([each.top(depth) for each in runs.values()])
            if runs
            else first_stage(source, pipeline, language, depth)(search).top(depth)
        )
        done = output.counter(bar, "judging", total=len(found.docs))
        values = scored(found, CrossEncoder(model), done)
    points = fit_cuts(values, people) if cuts == "fit" and people else _cuts(cuts)
    judged = graded(values, points)
    (write_beir_qrels if out.suffix == ".tsv" else write_qrels)(out, judged)
    shown: dict[str, Any] = {"cuts": list(points), "grades": _counts(judged)}
    if people is not None:
        shown["agreement"] = agreement(judged, people, runs, wanted).as_dict()
    if as_json:
        output.print_json(shown)
    else:
        _show(shown, out, measure)


def _cuts(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise BadInput(f"--cuts as 0.25,0.5,0.75 or fit wanted, got {text!r}") from None


def _counts(judged: Ranking) -> dict[str, int]:
    grades = sorted({int(grade) for grade in judged.scores})
    return {str(grade): int((judged.scores == grade).sum()) for grade in grades}


def _show(shown: dict[str, Any], out: Path, measure: str) -> None:
    console = output.data()
    console.print(output.table(["grade", ">pairs"], list(shown["grades"].items())))
    agreed = shown.get("agreement")
    if agreed:
        rows = [
            [name.replace("_", " "), f"{agreed[name]:.4f}"]
            for name in ("same_grade", "kappa", "binary_kappa", "quadratic_kappa")
        ]
        console.print(output.table([f"{agreed['pairs']} pairs judged by both", ">"], rows))
        systems = [
            [name, f"{each['people']:.4f}", f"{each['judge']:.4f}"]
            for name, each in agreed["systems"].items()
        ]
        if systems:
            console.print(output.table([f"{measure} of", ">by people", ">by judge"], systems))
        if agreed["tau"] is not None:
            console.print(f"Kendall's tau of their order: {agreed['tau']:.3f}")
    output.say(f"judgements written to {out}; cuts {', '.join(f'{c:g}' for c in shown['cuts'])}")
