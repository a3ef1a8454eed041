"""`crossrank train`: a model from a configuration, resumable, with a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress

    from crossrank.train.loop import Progress as State
    from crossrank.train.loop import Watcher
    from crossrank.train.run import Material, Trained


def train(
    kind: Annotated[str, typer.Argument(help="cross-encoder, bi-encoder or late-interaction.")],
    config: Annotated[Path, typer.Argument(help="The configuration, a TOML file.")],
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the model here instead.")
    ] = None,
    model: Annotated[str, typer.Option(help="Start from this path or id instead.")] = "",
    seed: Annotated[int | None, typer.Option(help="Another seed.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read configuration and data, report, and stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Train a model from a TOML file (extra train). Run again after a kill: it goes on."""
    from crossrank.train.config import load_config
    from crossrank.train.run import gather
    from crossrank.train.run import train as trained

    settings = load_config(config)
    settings = replace(
        settings,
        output=out or settings.output,
        model=model or settings.model,
        seed=settings.seed if seed is None else seed,
    )
    material = gather(settings)
    tell(material)
    if check:
        say_data(material, as_json)
        return
    with output.progress() as bar:
        result = trained(kind, settings, material, watcher(bar))
    show(result, as_json)


def tell(material: Material) -> None:
    """Says what was wrong with the data, on stderr."""
    for problem in material.problems.first:
        output.say(str(problem), style="yellow")
    for kind, count in material.problems.counts.items():
        output.say(f"{count} x {kind}", style="yellow")
    if material.leaks:
        output.say(f"train and dev overlap: {material.leaks}", style="yellow")


def say_data(material: Material, as_json: bool) -> None:
    """What the data of a run is, without running it."""
    data = material.train
    found: dict[str, Any] = {
        "queries": len(data.queries),
        "pairs": len(data.docs),
        "lowest_label": float(data.scores.min()),
        "highest_label": float(data.scores.max()),
        "dev": material.dev.size if material.dev else "",
        "bad_rows": len(material.problems),
        "leaks": len(material.leaks) if material.leaks else 0,
    }
    _print(found, as_json)


def watcher(bar: Progress) -> Watcher:
    """A line of a progress display for a training run; without a terminal, one a measurement."""
    task = bar.add_task("training", total=None)
    told: list[float | None] = [None]

    def watch(state: State) -> None:
        if bar.disable and state.value != told[0]:
            told[0] = state.value
            loss = "" if state.loss is None else f"loss {state.loss:.4f}, "
            output.say(f"update {state.step} of {state.steps}: {loss}dev {state.value:.4f}")
        loss = "" if state.loss is None else f" loss {state.loss:.4f}"
        value = "" if state.value is None else f" dev {state.value:.4f} (best {state.best:.4f})"
        bar.update(
            task, completed=state.step, total=state.steps, description=f"training{loss}{value}"
        )

    return watch


def show(result: Trained, as_json: bool) -> None:
    """The result of a run: where it is and what it reached."""
    card = result.card
    best = card["best"]
    found = {
        "model": str(result.folder),
        "size": card["model"],
        "measure": card["measure"],
        "value": best["value"] if best else None,
        "at_update": best["step"] if best else card["steps"],
        "updates": card["steps"],
        "seconds": card["seconds"],
        "report": str(result.folder / "training" / "report.html"),
    }
    _print(found, as_json)


def _print(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    rows = [
        [name.replace("_", " "), f"{value:.4f}" if isinstance(value, float) else value]
        for name, value in found.items()
        if value not in ("", None)
    ]
    output.data().print(output.table(["", ""], rows))
