"""`crossrank distil`: a student that learns from teachers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from crossrank.cli import output


def distil(
    config: Annotated[Path, typer.Argument(help="The configuration, a TOML file.")],
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the model here instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Teach a bi-encoder, cross-encoder or late-interaction model what others know (extra train).

    Teachers are cross-encoders, bi-encoders and TREC runs; their scores are kept on disk. Run
    again after a kill: it goes on.
    """
    from crossrank.cli.train import show, watcher
    from crossrank.train.distil import distil as distilled
    from crossrank.train.distil import load_distil

    settings = load_distil(config)
    settings = replace(settings, output=out or settings.output)
    with output.progress() as bar:
        scored = output.counter(bar, "teachers score")
        result = distilled(settings, (), scored, watcher(bar))
    show(result, as_json)
