"""`crossrank optimise`: a collection as if it had been written in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossrank.cli import output


def optimise(
    collection: Annotated[Path, typer.Argument(help="The collection.")],
    keep_hours: Annotated[
        float,
        typer.Option(
            min=0, help="Keep versions younger than this, for readers that still look at them."
        ),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Join small files, build the indexes anew, remove old versions."""
    from crossrank.cli.info import as_json_value, print_info
    from crossrank.store import Collection

    opened = Collection(collection)  # not opened: its analyser may be of another version
    with output.progress() as bar:
        facts = opened.optimise(
            3600 * keep_hours, lambda what, total: output.counter(bar, what, total=total)
        )
    if as_json:
        output.print_json(as_json_value(facts))
    else:
        print_info(facts)
