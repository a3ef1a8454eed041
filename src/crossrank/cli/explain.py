"""`crossrank explain`: why a document gets its score for a query."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from crossrank.explain.attention import Attention
    from crossrank.explain.attribution import Attribution
    from crossrank.explain.explanation import Explanation
    from crossrank.pipelines.hits import Place

SHOWN = 8
STRONG, WEAK = 0.5, 0.12  # shares of the largest value from which a word is bold, is coloured


def explain(
    query: Annotated[str, typer.Argument(help="The query.")],
    document: Annotated[str, typer.Argument(help="The document's text; with --collection its id.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="The cross-encoder.")
    ] = "crossrank-small",
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    collection: Annotated[
        Path | None,
        typer.Option(help="A collection: shows the document's path through the stages too."),
    ] = None,
    pipeline: Annotated[
        str, typer.Option("--pipeline", "-p", help="The pipeline of that path. Default: full.")
    ] = "",
    parts: Annotated[
        int, typer.Option(min=1, help="Parts a text is explained by; more of them take longer.")
    ] = 32,
    budget: Annotated[
        int, typer.Option(min=1, help="About how many texts are scored for one side.")
    ] = 600,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave one word out at a time; need not add up.")
    ] = False,
    attention: Annotated[bool, typer.Option(help="Read the model's attention too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Explain a score: what each word adds, where the model looked, the path through the stages.

    The values of the words and the score of the emptied text add up to the score.
    """
    from crossrank.explain.explanation import explain as explained
    from crossrank.explain.reading import read_attention
    from crossrank.models import CrossEncoder

    scorer = CrossEncoder(model)
    text, path = (
        (document, ())
        if collection is None
        else _path(collection, query, document, pipeline, model)
    )
    found = explained(
        scorer,
        query,
        text,
        model=model,
        attention=read_attention(scorer.folder, query, text) if attention else None,
        path=path,
        most=parts,
        budget=budget,
        quick=quick,
    )
    if html:
        _write(html, found)
    if as_json:
        output.print_json(found.as_dict())
    else:
        _print(found)


def _path(
    folder: Path, query: str, name: str, pipeline: str, model: str
) -> tuple[str, tuple[Place, ...]]:
    """The text of a document of a collection, and its path through a pipeline."""
    import numpy as np

    from crossrank.cli.search import choose
    from crossrank.errors import BadInput, NotFound
    from crossrank.explain.path import path_of
    from crossrank.pipelines.build import build
    from crossrank.store import Collection
    from crossrank.types import Queries, Search

    opened = Collection.open(folder)
    corpus = opened.corpus()
    row = int(corpus.find([name])[0])
    if row < 0:
        raise NotFound(f"a document with the id {name!r} wanted, {folder} has none")
    try:
        spec = choose(opened, pipeline, "", model)
    except BadInput:  # a pipeline without a cross-encoder
        spec = choose(opened, pipeline, "", "")
    trace = build(spec, opened).trace(Search(Queries.of([query]), corpus))
    return corpus.texts(np.array([row], dtype=np.int32))[0], path_of(trace, 0, row)


def _write(path: Path, found: Explanation) -> None:
    from crossrank.explain.page import page
    from crossrank.io.lines import replaced

    with replaced(path) as out:
        out.write(page(found))
    output.say(f"written to {path}")


def _print(found: Explanation) -> None:
    console = output.data()
    console.print(f"score {found.score:.4f} ({found.scale})\n", markup=False)
    for name, side in (("query", found.of_query), ("document", found.of_document)):
        console.print(f"{name}:", style="dim")
        console.print(highlighted(side), soft_wrap=True)
        console.print(_sum(side), style="dim", markup=False, soft_wrap=True)
        console.print()
    console.print(output.table(["word", ">adds", "", "word", ">adds"], _words(found.of_document)))
    if found.attention is not None and found.attention.averaged().size:
        console.print()
        console.print(_met(found.attention))
    if found.path:
        rows = [[p.stage, str(p.rank), f"{p.score:.4f}", str(p.scale)] for p in found.path]
        console.print()
        console.print(output.table(["stage", ">rank", ">score", ""], rows))


def _met(found: Attention) -> Table:
    """The best match of every query token where the model compares tokens, else the attention."""
    tokens = found.tokens
    if not found.cosines:
        met = [
            [tokens[each.query].piece, tokens[each.document].piece, f"{each.weight:.4f}"]
            for each in found.meetings(SHOWN)
        ]
        return output.table(["query token", "met", ">attention"], met)
    columns = [found.matches(view) for view in found.cosines]
    rows = [
        [
            tokens[row[0].query].piece,
            *(cell for e in row for cell in (tokens[e.document].piece, f"{e.cosine:.3f}")),
        ]
        for row in zip(*columns, strict=True)
    ]
    names = [name for view in found.cosines for name in (view, ">cosine")]
    return output.table(["query token", *names], rows)


def highlighted(found: Attribution) -> Text:
    """The text, words that raise the score in blue and those that lower it in red, bold where
    they do most."""
    from rich.text import Text

    line = Text(found.text)
    most = max((abs(value) for value in found.values.tolist()), default=0.0) or 1.0
    for part, value in zip(found.parts, found.values.tolist(), strict=True):
        share = abs(value) / most
        if share >= WEAK:
            colour = "blue" if value > 0 else "red"
            line.stylize(f"bold {colour}" if share >= STRONG else colour, part.start, part.end)
    return line


def _sum(found: Attribution) -> str:
    total = float(found.values.sum())
    line = f"{found.baseline:.4f} without its words {total:+.4f} from them = {found.score:.4f}"
    if found.method == "occlusion":
        return f"{line}, and {found.residual:+.4f} from words together (occlusion)"
    return f"{line} ({found.method} Shapley values, residual {found.residual:.0e})"


def _words(found: Attribution) -> list[list[object]]:
    """The strongest words: those that raise the score, beside those that lower it."""
    from itertools import zip_longest

    order = sorted(range(len(found.parts)), key=lambda i: -float(found.values[i]))

    def cells(i: int | None) -> list[str]:
        if i is None:
            return ["", ""]
        part = found.parts[i]
        return [found.text[part.start : part.end], f"{found.values[i]:+.4f}"]

    raising = [i for i in order if found.values[i] > 0][:SHOWN]
    lowering = [i for i in reversed(order) if found.values[i] < 0][:SHOWN]
    return [[*cells(a), "", *cells(b)] for a, b in zip_longest(raising, lowering)]
