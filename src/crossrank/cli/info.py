"""`crossrank info`: what a collection holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from crossrank.store import Info
    from crossrank.store.recall import Recall


def info(
    collection: Annotated[Path, typer.Argument(help="The collection.")],
    recall: Annotated[
        bool,
        typer.Option("--recall", help="Measure the vector indexes against exact search, at 10 and "
                     "100, with 100 vectors of documents drawn at random."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:  # fmt: skip
    """Show how many documents, fields, vectors and bytes a collection has."""
    from crossrank.store import Collection

    opened = Collection.open(collection)
    facts = opened.info()
    measured = _recalls(collection) if recall else []
    if as_json:
        measures = [asdict(each) for each in measured]
        output.print_json(as_json_value(facts) | ({"recall": measures} if recall else {}))
    else:
        print_info(facts)
        _print_recall(measured)


def as_json_value(facts: Info) -> dict[str, Any]:
    """The facts as JSON values."""
    return {**asdict(facts), "path": str(facts.path)}


def print_info(facts: Info) -> None:
    """The facts as tables."""
    console = output.data()
    console.print(f"{facts.path}: {facts.documents:,} documents, {_size(facts.bytes)}")
    learned = (
        f"{facts.compound_parts:,} parts of compounds learned from {facts.learned_from:,} documents"
        if facts.learned_from or not facts.documents
        else "not analysed yet: run crossrank index again, or crossrank optimise"
    )
    console.print(f"language {facts.language}, {learned}")
    if facts.unindexed and facts.learned_from:
        console.print(f"{facts.unindexed:,} documents not in the full-text index yet (still found)")
    if facts.vectors:
        rows = [
            [v.encoder, f"{v.dimension}", v.scale, f"{v.documents:,}", _how(v.indexed)]
            for v in facts.vectors
        ]
        heads = ["vectors", ">length", "similarity", ">documents", "search"]
        console.print(output.table(heads, rows))
    if facts.fields:
        fields = [[f.name, f.kind, f"{f.documents:,}"] for f in facts.fields]
        console.print(output.table(["field", "holds", ">documents"], fields))


def _how(indexed: int) -> str:
    return f"index over {indexed:,}" if indexed else "exact"


def _size(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.0f} kB"


def _recalls(path: Path) -> list[Recall]:
    from crossrank.store import Collection
    from crossrank.store.recall import index_recall

    snapshot = Collection.open(path).corpus()
    return [index_recall(snapshot, name, k) for name in snapshot.encoders() for k in (10, 100)]


def _print_recall(measured: list[Recall]) -> None:
    if measured:
        rows = [[m.encoder, f"{m.k}", f"{m.queries}", f"{m.recall:.3f}"] for m in measured]
        table = output.table(["vectors", ">k", ">queries", ">recall"], rows)
        output.data().print(table)
