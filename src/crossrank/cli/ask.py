"""`crossrank ask`: a question, and the sentence that answers it, or that there is none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output
from crossrank.cli.sources import first_stage, open_source

if TYPE_CHECKING:
    from rich.text import Text

    from crossrank.models import CrossEncoder
    from crossrank.tasks.answers import Answer, Answers
    from crossrank.tasks.calibration import Calibration


def ask(
    source: Annotated[Path, typer.Argument(help="A collection, or a file or folder of documents.")],
    question: Annotated[str, typer.Argument(help="The question.")],
    k: Annotated[int, typer.Option("-k", "--top", min=1, help="How many passages.")] = 3,
    pipeline: Annotated[
        str,
        typer.Option("--pipeline", "-p", help="What finds candidates. Default: hybrid, or bm25."),
    ] = "",
    depth: Annotated[
        int, typer.Option(min=1, max=10_000, help="Documents whose passages are read.")
    ] = 20,
    model: Annotated[str, typer.Option(help="The cross-encoder.")] = "crossrank-small",
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="A calibration for answers. Default: the one beside the model, if there is one."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="The probability under which there is no answer. Needs a calibration."),
    ] = None,
    language: Annotated[str, typer.Option(help="auto, de or en; for files.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Answer a question: the best passages, the best sentence of each, or that there is none."""
    from crossrank.models import CrossEncoder
    from crossrank.tasks.answers import THRESHOLD
    from crossrank.tasks.answers import ask as answer

    opened = open_source(source, language)
    scorer = CrossEncoder(model)
    kept = _calibration(scorer, calibration, needed=threshold is not None)
    found = answer(
        question,
        opened.corpus,
        first_stage(opened, pipeline, language, depth),
        scorer,
        calibration=kept,
        threshold=THRESHOLD if threshold is None else threshold,
        passages=k,
        depth=depth,
    )
    if as_json:
        output.print_json(found.as_dict())
    else:
        _print(found)


def _calibration(scorer: CrossEncoder, path: Path | None, needed: bool) -> Calibration | None:
    """The calibration for answers; none where nobody asked for one and there is none."""
    from crossrank.errors import NotFound
    from crossrank.tasks.calibration import Calibration
    from crossrank.tasks.saved import read_calibration

    try:
        stored = read_calibration(path or scorer.folder, "answer")
    except NotFound:
        if needed or path:
            raise
        return None
    return Calibration.from_dict(stored)


def _print(found: Answers) -> None:
    console = output.data()
    if not found.answered:
        chance = f" (probability of one: {found.probability:.2f})" if found.probability else ""
        console.print(f"no answer found{chance}", style="bold", markup=False)
        if found.answers:
            console.print("the nearest passages:", style="dim")
    elif found.probability is not None:
        output.say(f"probability that this holds an answer: {found.probability:.2f}")
    for number, each in enumerate(found.answers, 1):
        console.print(shown(number, each), soft_wrap=True)
        console.print()


def shown(number: int, answer: Answer) -> Text:
    """The best sentence, and under it the passage that it stands in."""
    from rich.text import Text

    line = Text(f"{number:>2}  ")
    line.append(flat(answer.sentence_text), style="bold")
    place = f"{answer.id}, characters {answer.start}–{answer.end}, {answer.score:.3g}"
    line.append(f"\n    {place}\n", style="dim")
    low, high = answer.sentence[0] - answer.start, answer.sentence[1] - answer.start
    line.append("    " + flat(answer.passage[:low]), style="dim")
    line.append(flat(answer.passage[low:high]), style="yellow")
    line.append(flat(answer.passage[high:]), style="dim")
    return line


def flat(text: str) -> str:
    """The text on one line."""
    return text.replace("\n", " ")
