"""`crossrank paragraphs`: where in long documents a query is met."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output
from crossrank.cli.ask import flat
from crossrank.cli.sources import first_stage, open_source

if TYPE_CHECKING:
    from rich.text import Text

    from crossrank.tasks.paragraphs import LongHit

AROUND = 120  # characters shown before and after the passage


def paragraphs(
    source: Annotated[Path, typer.Argument(help="A collection, or a file or folder of documents.")],
    query: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", "--top", min=1, help="How many documents.")] = 5,
    passages: Annotated[int, typer.Option(min=1, help="Passages shown of a document.")] = 1,
    aggregate: Annotated[
        str,
        typer.Option(help="How documents are ranked: max, first, sum, mean, top (of the best 3)."),
    ] = "max",
    words: Annotated[int, typer.Option(min=1, help="Words of a window.")] = 120,
    overlap: Annotated[
        int | None,
        typer.Option(min=0, help="Words that windows share. Default: a quarter of a window."),
    ] = None,
    pipeline: Annotated[
        str,
        typer.Option("--pipeline", "-p", help="What finds documents. Default: hybrid, or bm25."),
    ] = "",
    depth: Annotated[
        int, typer.Option(min=1, max=10_000, help="Documents that are read in full.")
    ] = 20,
    model: Annotated[str, typer.Option(help="The cross-encoder.")] = "crossrank-small",
    language: Annotated[str, typer.Option(help="auto, de or en; for files.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Find the right paragraph of long documents: every window is read, none is cut off."""
    import numpy as np

    from crossrank.errors import BadInput
    from crossrank.models import CrossEncoder
    from crossrank.tasks.paragraphs import LongDocument, windows
    from crossrank.types import Queries, Search

    if not query.strip():
        raise BadInput("a query wanted, got an empty one")
    opened = open_source(source, language)
    stage = LongDocument(
        CrossEncoder(model),
        depth,
        split=windows(words, words // 4 if overlap is None else overlap),
        aggregate=aggregate,  # type: ignore[arg-type]  # checked there
    )
    found = first_stage(opened, pipeline, language, depth)(
        Search(Queries.of([query]), opened.corpus)
    )
    hits = stage.documents(found, 0, passages)[:k]
    names = opened.corpus.ids(np.array([each.row for each in hits], dtype=np.int32))
    texts = opened.corpus.texts(np.array([each.row for each in hits], dtype=np.int32))
    if as_json:
        rows = zip(hits, names, strict=True)
        output.print_json({"query": query, "results": [_as_json(hit, name) for hit, name in rows]})
    else:
        for number, (hit, name, text) in enumerate(zip(hits, names, texts, strict=True), 1):
            output.data().print(_shown(number, hit, name, text), soft_wrap=True)


def _as_json(hit: LongHit, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "score": hit.score,
        "passages": [
            {
                "start": each.start,
                "end": each.end,
                "number": each.number,
                "of": each.count,
                "score": each.score,
                "text": each.text,
            }
            for each in hit.passages
        ],
    }


def _shown(number: int, hit: LongHit, name: str, text: str) -> Text:
    """A document with its passages highlighted among what stands around them."""
    from rich.text import Text

    line = Text(f"{number:>2}  ")
    line.append(name, style="bold")
    line.append(f"  {hit.score:.3g}\n", style="dim")
    for each in hit.passages:
        place = f"passage {each.number} of {each.count}, characters {each.start}–{each.end}"
        line.append(f"    {place}, {each.score:.3g}\n", style="dim")
        before, after = text[max(each.start - AROUND, 0) : each.start], text[each.end :][:AROUND]
        line.append("    " + ("…" if each.start > AROUND else "") + flat(before), style="dim")
        line.append("[" + flat(each.text) + "]", style="bold yellow")
        line.append(flat(after) + ("…" if each.end + AROUND < len(text) else ""), style="dim")
        line.append("\n")
    return line
