"""`crossrank calibrate`: turns a model's scores into probabilities that hold, and says how well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from crossrank.tasks.duplicates.decision import DecisionReport
    from crossrank.tasks.labelled import LabelledPairs
    from crossrank.tasks.reliability import Reliability, Report


def calibrate(
    model: Annotated[str, typer.Argument(help="A cross-encoder: directory, name or hub id.")],
    pairs: Annotated[
        Path,
        typer.Argument(
            help="Labelled pairs: JSON lines with query, document (or passage, text_a, text_b) "
            "and label 0 or 1."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A file or model directory. Default: beside the model."
        ),
    ] = None,
    purpose: Annotated[
        str,
        typer.Option(
            "--for",
            help="relevance (a document fits a query), answer (a question has an answer among "
            "its candidates), or duplicate (two texts say the same).",
        ),
    ] = "relevance",
    method: Annotated[
        str,
        typer.Option(
            help="temperature, platt or isotonic. Default: the best one on held-out folds."
        ),
    ] = "auto",
    encoder: Annotated[
        str, typer.Option(help="The bi-encoder that duplicates are found with.")
    ] = "crossrank-embed",
    head: Annotated[
        int,
        typer.Option(min=0, help="For duplicates: tokens the bi-encoder reads; 0: all it can."),
    ] = 0,
    plot: Annotated[Path | None, typer.Option(help="Write a reliability plot, an SVG.")] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Use about so many pairs, spread evenly; 0 for all.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Calibrate a model on labelled pairs: probabilities, and their error before and after."""
    from crossrank.models import BiEncoder, CrossEncoder
    from crossrank.tasks.labelled import read_pairs
    from crossrank.tasks.saved import PURPOSES, write_calibration

    if purpose not in PURPOSES:
        raise BadInput(f"--for {', '.join(PURPOSES)} wanted, got {purpose!r}")
    found = read_pairs(pairs)
    found = found.some(limit) if limit else found
    scorer = CrossEncoder(model)
    report = _report(
        scorer, found, purpose, method, partial(BiEncoder, encoder, max_length=head), pairs.name
    )
    kept = report.as_dict()
    target = write_calibration(out or scorer.folder, purpose, kept["calibration"])
    if plot:
        _write_plot(plot, report, f"{model} on {pairs.name}")
    if as_json:
        output.print_json({"model": model, "for": purpose, "saved": str(target), **kept})
    else:
        _print(report, purpose, target)


def _report(
    scorer: Any,
    pairs: LabelledPairs,
    purpose: str,
    method: str,
    encoder: Callable[[], Any],
    source: str,
) -> Report | DecisionReport:
    from crossrank.tasks.calibrating import calibrate_answers, calibrate_relevance
    from crossrank.tasks.calibration import METHODS
    from crossrank.tasks.duplicates import calibrate_duplicates

    if method != "auto" and method not in METHODS:
        raise BadInput(f"--method auto, {', '.join(METHODS)} wanted, got {method!r}")
    methods = tuple(each for each in METHODS if method in ("auto", each))
    with output.progress() as bar:
        done = output.counter(bar, "scoring pairs", len(pairs))
        if purpose == "duplicate":
            return calibrate_duplicates(pairs, scorer, encoder(), source)
        fit = calibrate_answers if purpose == "answer" else calibrate_relevance
        return fit(scorer, pairs, methods, source, done)


def _curves(report: Report | DecisionReport) -> dict[str, Reliability]:
    """The model's own sigmoid, then every method on held-out folds."""
    from crossrank.tasks.reliability import Report

    found = {"before": report.before}
    if isinstance(report, Report):
        found |= {str(each.method): each.reliability for each in report.held_out}
    else:
        found["logistic"] = report.after
    return found


def _write_plot(path: Path, report: Report | DecisionReport, title: str) -> None:
    from crossrank.io.lines import replaced
    from crossrank.tasks.plots import reliability_svg

    with replaced(path) as out:
        out.write(reliability_svg(_curves(report), title))


def _print(report: Report | DecisionReport, purpose: str, target: Path) -> None:
    chosen = report.as_dict()["calibration"]
    rows = [
        [
            f"{name} *" if name == chosen["method"] else name,
            f"{each.ece:.4f}",
            f"{each.brier:.4f}",
            f"{each.log_loss:.4f}",
        ]
        for name, each in _curves(report).items()
    ]
    title = f"{purpose}: {chosen['pairs']} pairs, {100 * chosen['positive']:.1f} % positive"
    columns = ["held out", ">calibration error", ">Brier", ">log loss"]
    output.data().print(output.table(columns, rows, title=title))
    output.say(f"saved in {target} (*)")
