"""`crossrank delete`: removes documents from a collection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossrank.cli import output
from crossrank.errors import BadInput


def delete(
    collection: Annotated[Path, typer.Argument(help="The collection.")],
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of documents.")] = None,
    where: Annotated[
        str, typer.Option(help="An SQL filter: \"price > 100 AND maker = 'X'\".")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Remove documents by id, or those that satisfy an SQL filter."""
    from crossrank.store import Collection

    if bool(ids) == bool(where.strip()):
        raise BadInput("either ids or --where wanted, got " + ("both" if ids else "neither"))
    opened = Collection.open(collection)
    missing: list[str] = []
    if ids:
        rows = opened.corpus().find(ids)
        missing = [name for name, row in zip(ids, rows, strict=True) if row < 0]
    removed = opened.delete(ids) if ids else opened.delete_where(where)
    if missing:
        output.say(f"not there: {', '.join(missing)}", style="yellow")
    if as_json:
        left = len(opened.corpus())
        output.print_json({"removed": removed, "missing": missing, "documents": left})
    else:
        output.data().print(f"{removed:,} documents removed, {len(opened):,} left")
