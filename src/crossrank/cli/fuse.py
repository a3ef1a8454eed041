"""`crossrank fuse`: several run files made into one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output
from crossrank.errors import BadInput, NotFound

if TYPE_CHECKING:
    from crossrank.fuse.setting import Setting


def fuse(
    runs: Annotated[list[Path], typer.Argument(help="Run files, two or more, gz or not.")],
    out: Annotated[Path, typer.Option("--output", "-o", help="The TREC run to write, gz or not.")],
    method: Annotated[
        str,
        typer.Option(
            help="rrf, isr, log-isr, logn-isr, borda, sum, mnz, anz, max, min, med, dbsf."
        ),
    ] = "rrf",
    weights: Annotated[
        str, typer.Option(help="One for each run, separated by commas. Default: equal.")
    ] = "",
    normalise: Annotated[
        str,
        typer.Option(
            help="none, min-max, z-score, dbsf, sum, max, rank, sigmoid: one for all runs, or one "
            "for each, separated by commas. Default: what the method comes with."
        ),
    ] = "auto",
    missing: Annotated[
        str, typer.Option(help="The score of a document in a run without it: skip, zero, min.")
    ] = "auto",
    k: Annotated[float, typer.Option("-k", help="The constant of RRF.")] = 60.0,
    depth: Annotated[int, typer.Option(min=0, help="Documents taken of each run; 0 for all.")] = 0,
    top: Annotated[int, typer.Option(min=0, help="Documents written a query; 0 for all.")] = 1000,
    how: Annotated[
        Path | None, typer.Option(help="A fusion written by crossrank tune, in place of options.")
    ] = None,
    tag: Annotated[str, typer.Option(help="The tag of the run.")] = "fused",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Fuse run files into one: RRF, CombSUM and kin, weighted, or as crossrank tune found best."""
    from crossrank.evaluate.runs import over_one_corpus, read_runs
    from crossrank.fuse.combine import Combination
    from crossrank.fuse.setting import Setting
    from crossrank.io.trec import write_run

    if len(runs) < 2:
        raise BadInput(f"two or more runs to fuse wanted, got {len(runs)}")
    if how:
        setting = read_setting(how)
    else:
        names = tuple(normalise.split(","))
        chosen = names[0] if len(names) == 1 else names
        setting = Setting(Combination(method, _numbers(weights), chosen, missing, k), depth)
    named = read_runs(runs)
    fused = setting.fused(over_one_corpus(list(named.values())))
    write_run(out, fused.top(top) if top else fused, tag)
    if as_json:
        output.print_json(
            setting.as_dict() | {"runs": list(named), "queries": len(fused), "output": str(out)}
        )
    else:
        output.say(f"{len(named)} runs, {len(fused)} queries: {setting}; written to {out}")


def read_setting(path: Path) -> Setting:
    """The fusion in a file that crossrank tune wrote."""
    import json

    from crossrank.fuse.setting import setting_from

    if not path.is_file():
        raise NotFound(f"a fusion written by crossrank tune wanted, {path} is not there")
    try:
        return setting_from(json.loads(path.read_text(encoding="utf-8")))
    except (BadInput, ValueError) as error:
        raise BadInput(f"{path}: {error}") from None


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise BadInput(f"weights like 0.3,0.7 wanted, got {text!r}") from None
