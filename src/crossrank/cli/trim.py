"""`crossrank trim`: a smaller model of a large one, with the same scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossrank.cli import output


def trim(
    model: Annotated[str, typer.Argument(help="A transformers directory or hub id.")],
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    texts: Annotated[
        list[Path] | None,
        typer.Option(
            help="Texts in the languages to keep: JSONL, CSV, TSV, .txt, folders, gz of these; "
            "may be repeated."
        ),
    ] = None,
    size: Annotated[
        int, typer.Option(min=0, help="Pieces to keep, the most frequent; 0 for all.")
    ] = 0,
    layers: Annotated[
        str, typer.Option(help="How many layers to keep (evenly spaced), or which: 0,2,4.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Trim a model's vocabulary to the pieces some texts use, and drop layers (extra train).

    Text whose pieces all survive is scored as before. Layers dropped need training to follow.
    """
    from crossrank.train.start import trim as trimmed

    kept: int | tuple[int, ...] = 0
    if layers:
        numbers = _numbers(layers)
        kept = numbers if "," in layers else numbers[0]
    before, after = trimmed(model, out, texts or [], size, kept)
    if as_json:
        output.print_json({"model": str(out), "before": before, "after": after})
    else:
        output.data().print(output.table(["", "model"], [["before", before], ["after", after]]))


def _numbers(text: str) -> tuple[int, ...]:
    from crossrank.errors import BadInput

    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise BadInput(f"--layers as 6 or 0,2,4 wanted, got {text!r}") from None
