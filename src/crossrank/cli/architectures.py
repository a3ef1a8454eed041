"""`crossrank architectures`: four kinds of model on the same candidates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossrank.tasks.architectures import Row


def architectures(
    dataset: Annotated[Path, typer.Argument(help="A folder in BEIR layout.")],
    split: Annotated[str, typer.Option(help="Which qrels/SPLIT.tsv.")] = "test",
    depth: Annotated[
        int, typer.Option(min=1, max=10_000, help="Candidates of a query, found by BM25.")
    ] = 50,
    limit: Annotated[
        int, typer.Option("--queries", min=0, help="The first queries only; 0 for all.")
    ] = 0,
    measure: Annotated[str, typer.Option(help="The measure of the comparison.")] = "nDCG@10",
    language: Annotated[str, typer.Option(help="auto, de or en.")] = "auto",
    model: Annotated[str, typer.Option(help="The cross-encoder.")] = "crossrank-small",
    encoder: Annotated[
        str, typer.Option(help="The bi-encoder; late and poly read its token states.")
    ] = "crossrank-embed",
    codes: Annotated[int, typer.Option(min=1, help="Codes of the poly-encoder.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Compare bi-encoder, poly-encoder, late interaction and cross-encoder on one judged set."""
    from crossrank.errors import BadInput
    from crossrank.evaluate import parse_measure
    from crossrank.io.beir import read_beir
    from crossrank.retrieve import MemoryBM25
    from crossrank.tasks.architectures import compare, models

    if language not in ("auto", "de", "en"):
        raise BadInput(f"--language auto, de or en wanted, got {language!r}")
    chosen = parse_measure(measure)
    scorer, bi, tokens = models(model, encoder)
    data = read_beir(dataset, split)
    part = slice(0, limit or len(data.qrels.queries))
    search, qrels = data.search.select(part), data.qrels.select(part)
    bm25 = MemoryBM25.learned(search.corpus, language, depth)  # type: ignore[arg-type]
    candidates = bm25(search)
    rows = compare(candidates, qrels, chosen, scorer, bi, tokens, codes, output.say)
    pairs, queries = len(candidates.docs), len(candidates.queries)
    if as_json:
        output.print_json(
            {
                "dataset": data.name,
                "queries": queries,
                "pairs": pairs,
                "measure": measure,
                "rows": [row.as_dict() for row in rows],
            }
        )
    else:
        _print(f"{data.name}, {queries} queries, {pairs} pairs", measure, rows)


def _print(title: str, measure: str, rows: Sequence[Row]) -> None:
    columns = [
        "architecture",
        f">{measure}",
        ">ms/pair",
        ">ms/document",
        ">bytes/document",
        "precomputed",
    ]
    shown = [
        [
            row.name,
            f"{row.score:.4f}",
            f"{row.ms_a_pair:.3f}",
            f"{row.ms_a_document:.2f}",
            f"{row.bytes_a_document:,.0f}",
            row.precomputed,
        ]
        for row in rows
    ]
    output.data().print(output.table(columns, shown, title=title))
