"""`crossrank export`: weights as an ONNX directory that loads without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from crossrank.cli import output
from crossrank.errors import BadInput


def export(
    model: Annotated[str, typer.Argument(help="A directory of weights, or a hub id.")],
    out: Annotated[Path, typer.Argument(help="The directory to write; must be new.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantise to int8: smaller, faster on a CPU.")
    ] = False,
    fp16: Annotated[
        bool, typer.Option("--fp16", help="Half precision: for a GPU, half the size.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Write a model as ONNX, with the parity to its weights; needs the extra `export`."""
    from crossrank.models.export import export_model
    from crossrank.models.hub import find_model
    from crossrank.models.quantise import Mode

    if int8 and fp16:
        raise BadInput("one of --int8 and --fp16 wanted, got both")
    mode = Mode.INT8 if int8 else Mode.FP16 if fp16 else Mode.FP32
    report = export_model(find_model(model), out, mode)
    if as_json:
        output.print_json({"model": model, "out": str(out), **report})
        return
    output.data().print(f"{out}: {mode}, {report['bytes'] / 1e6:.1f} MB", soft_wrap=True)
    output.data().print(parity_line(report), soft_wrap=True)


def parity_line(report: dict[str, Any]) -> str:
    """What a report says about drift, in one line."""
    from crossrank.models.parity import Parity

    against = "its weights in torch" if report["mode"] == "fp32" else "the graph before"
    return f"against {against}: {Parity(**report['parity'])}"
