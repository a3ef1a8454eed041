"""What commands print with: data on stdout, words and progress on stderr, JSON on request."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table


def words() -> Console:
    """A console on stderr, for messages and progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def data() -> Console:
    """A console on stdout, for results a person reads."""
    from rich.console import Console

    return Console(highlight=False)


def say(message: str, style: str = "") -> None:
    """One message to stderr, printed as it is (no markup)."""
    words().print(message, style=style or None, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON value on stdout, UTF-8 as it is, floats in full."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def print_jsonl(values: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line on stdout, as they come."""
    for value in values:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> Table:
    """A rich table; columns whose name starts with `>` are right-aligned numbers."""
    from rich.table import Table
    from rich.text import Text

    built = Table(title=title or None, title_justify="left", title_style="bold", box=None)
    for name in columns:
        right = name.startswith(">")
        built.add_column(name.lstrip(">"), justify="right" if right else "left", no_wrap=right)
    for row in rows:
        built.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return built


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress display on stderr with count, rate and time left; silent when not a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = words()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        yield bar


def counter(bar: Progress, what: str, total: int | None = None) -> Callable[[int], None]:
    """A line of a progress display: call it with the number done so far."""
    task = bar.add_task(what, total=total)

    def done(count: int) -> None:
        bar.update(task, completed=count)

    return done
