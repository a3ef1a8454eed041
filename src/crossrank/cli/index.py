"""`crossrank index`: documents from files into a collection."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from crossrank.io.problems import Problems
    from crossrank.store import Added, Collection
    from crossrank.types import Encoder

DEFAULT_ENCODER = "crossrank-embed"


def index(
    collection: Annotated[Path, typer.Argument(help="The collection: a folder, made if need be.")],
    files: Annotated[
        list[str],
        typer.Argument(
            help="JSONL, CSV, TSV (.gz too), a BEIR folder, a folder of .txt and .md files, or - "
            "for standard input."
        ),
    ],
    language: Annotated[
        str, typer.Option(help="auto, de or en; for a new collection. Default: auto.")
    ] = "",
    encoders: Annotated[
        list[str] | None,
        typer.Option(
            "--encoder",
            help="A bi-encoder whose vectors to make: a name, directory or hub id; may be "
            f"repeated. Default: {DEFAULT_ENCODER}, or none if the collection has no vectors.",
        ),
    ] = None,
    no_vectors: Annotated[bool, typer.Option("--no-vectors", help="Only BM25.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first problem in the input.")
    ] = False,
    format_: Annotated[
        str, typer.Option("--format", help="auto (by file name), jsonl, csv, tsv or text.")
    ] = "auto",
    encoding: Annotated[str, typer.Option(help="Character encoding of the files.")] = "utf-8",
    id_field: Annotated[str, typer.Option(help="The field with the id. Default: _id or id.")] = "",
    title_field: Annotated[str, typer.Option(help="The field with the title.")] = "title",
    text_field: Annotated[str, typer.Option(help="The field with the text.")] = "text",
    columns: Annotated[
        str, typer.Option(help="Column names, with commas, of CSV or TSV without a header line.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Put documents into a collection; the same ids again update them, a stop loses nothing."""
    from crossrank.io.document import Names
    from crossrank.io.documents import Reading, read_documents
    from crossrank.io.problems import Problems

    names = Names(id_field, title_field, text_field, tuple(filter(None, columns.split(","))))
    problems = Problems(strict=strict)
    documents = read_documents(files, problems, Reading(format_, encoding, names))
    if no_vectors and encoders:
        raise BadInput("either --encoder or --no-vectors wanted, got both")
    chosen = [] if no_vectors else encoders
    opened = _opened(collection, language)
    models = _encoders(opened, chosen)
    start = time.perf_counter()
    with output.progress() as bar:
        added = opened.add(
            documents,
            models,
            output.counter(bar, "reading"),
            problems,
            lambda what, total: output.counter(bar, what, total=total),
        )
    seconds = time.perf_counter() - start
    _tell_problems(problems)
    if as_json:
        output.print_json(_as_json(opened, added, seconds))
    else:
        _print(opened, added, seconds)


def _opened(path: Path, language: str) -> Collection:
    """The collection at `path`, made if there is none; its language cannot be changed."""
    from crossrank.store import Collection
    from crossrank.store.layout import MANIFEST

    if not (path / MANIFEST).is_file():
        return Collection.create(path, language or "auto")
    opened = Collection.open(path)
    if language and language != opened.language:
        raise BadInput(
            f"{path} was made for the language {opened.language!r}, got --language {language}: "
            "leave it out, or make another collection"
        )
    return opened


def _encoders(opened: Collection, names: Sequence[str] | None) -> list[Encoder]:
    if names is None:
        names = _usual(opened)
    if not names:
        return []
    from crossrank.models import BiEncoder

    return [BiEncoder(name) for name in names]


def _usual(opened: Collection) -> list[str]:
    """What is encoded with when nothing was said: as before, or the default the first time."""
    have = opened.encoders()
    others = [name for name in have if not name.startswith(f"{DEFAULT_ENCODER}@")]
    if others:
        output.say(
            f"new documents get no vectors of {', '.join(others)}: name the model with --encoder",
            style="yellow",
        )
    if not have and len(opened):
        return []
    return [DEFAULT_ENCODER] if not have or len(others) < len(have) else []


def _tell_problems(problems: Problems) -> None:
    for problem in problems.first:
        output.say(str(problem), style="yellow")
    for kind, count in problems.counts.items():
        shown = min(count, problems.keep)
        output.say(f"{kind}: {count:,}" + (f" (the first {shown} above)" if count > shown else ""))


def _as_json(opened: Collection, added: Added, seconds: float) -> dict[str, Any]:
    return {
        "collection": str(opened.path),
        "documents": len(opened),
        "read": added.read,
        "added": added.added,
        "updated": added.updated,
        "unchanged": added.unchanged,
        "encoded": added.encoded,
        "relearned": added.relearned,
        "seconds": seconds,
        "documents_per_second": added.read / seconds,
        "problems": dict(added.problems.counts),
        "first_problems": [
            {"kind": each.kind, "source": each.source, "text": each.text}
            for each in added.problems.first
        ],
    }


def _print(opened: Collection, added: Added, seconds: float) -> None:
    console = output.data()
    console.print(
        f"{added.read:,} documents read in {seconds:.1f} s ({added.read / seconds:,.0f} a second): "
        f"{added.added:,} added, {added.updated:,} updated, {added.unchanged:,} unchanged"
    )
    if added.encoded:
        console.print(f"{added.encoded:,} vectors made")
    listed = ", ".join(opened.encoders()) or "none"
    console.print(f"{opened.path}: {len(opened):,} documents, vectors: {listed}")
