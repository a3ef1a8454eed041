"""How commands of evaluation show tables and write reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from crossrank.evaluate.report.table import Table


def print_tables(tables: Sequence[Table], *, markdown: bool = False, latex: bool = False) -> None:
    """Tables on stdout: Markdown, LaTeX, or for a terminal (unbroken where there is none)."""
    if markdown or latex:
        typer.echo("\n".join(each.markdown() if markdown else each.latex() for each in tables))
        return
    console = output.data()
    if not console.is_terminal:
        console.width = 10_000
    for each in tables:
        console.print(output.table(each.columns, each.rows, title=each.title))
        console.print()


def wide() -> bool:
    """Whether tables with intervals fit: in a wide terminal, and wherever there is none."""
    console = output.data()
    return not console.is_terminal or console.width >= 120


def write(path: Path, text: str) -> None:
    """Writes a file in one piece and says so on stderr."""
    from crossrank.io.lines import replaced

    with replaced(path) as out:
        out.write(text)
    output.say(f"written to {path}")
