"""`crossrank duplicates`: which documents say the same, with a probability and the reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossrank.cli import output
from crossrank.cli.sources import Source, open_source

if TYPE_CHECKING:
    from crossrank.tasks.duplicates.find import Duplicates
    from crossrank.tasks.duplicates.scoring import DuplicatePair, Watch
    from crossrank.types import Corpus, Encoder, Floats

SHOWN = 20


def duplicates(
    source: Annotated[
        Path,
        typer.Argument(
            help="A collection, or a file or folder of documents (JSONL, CSV, TSV, text)."
        ),
    ],
    model: Annotated[str, typer.Option(help="The cross-encoder.")] = "crossrank-similar",
    encoder: Annotated[
        str, typer.Option(help="The bi-encoder that finds candidates.")
    ] = "crossrank-embed",
    calibration: Annotated[
        Path | None,
        typer.Option(help="A calibration for duplicates. Default: the one beside the model."),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="The probability from which two documents are duplicates.")
    ] = 0.5,
    link: Annotated[
        str,
        typer.Option(
            help="complete: in a cluster every pair is a duplicate; single: chains of pairs."
        ),
    ] = "complete",
    neighbours: Annotated[
        int, typer.Option(min=0, help="Candidates for each document by vectors.")
    ] = 10,
    lexical: Annotated[
        int, typer.Option(min=0, help="Candidates for each document by its rarest words (BM25).")
    ] = 5,
    most: Annotated[
        int, typer.Option("--max-pairs", min=1, help="Pairs scored, the most similar first.")
    ] = 20_000,
    head: Annotated[
        int,
        typer.Option(min=0, help="Tokens of a text that the bi-encoder reads; 0: all it can."),
    ] = 0,
    names: Annotated[
        str,
        typer.Option(help="The metadata field with the maker: other makers, no duplicates."),
    ] = "",
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="A base unit in which duplicates may differ: eur for prices, g, ml, mm."),
    ] = None,
    language: Annotated[str, typer.Option(help="auto, de or en; for files.")] = "auto",
    every: Annotated[bool, typer.Option("--all", help="Print all pairs and clusters.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Find duplicates: pairs and clusters, each with a calibrated probability.

    Candidates come from the bi-encoder and from rare words; the cross-encoder scores them in both
    orders. Texts that differ in a quantity, a number, a model or a maker come out lower.
    """
    from crossrank.models import BiEncoder
    from crossrank.tasks.duplicates import Options, find_duplicates
    from crossrank.tasks.loading import duplicate_judge

    judge = duplicate_judge(model, BiEncoder(encoder, max_length=head), calibration)
    texts = open_source(source, language)
    options = Options(
        neighbours,
        lexical,
        most,
        threshold,
        link,  # type: ignore[arg-type]  # checked there
        _values(texts, names) if names else frozenset(),
        frozenset(ignore or ()),
    )
    vectors = _vectors(texts, judge.encoder)
    with output.progress() as bar:
        found = find_duplicates(
            texts.corpus, judge, texts.analyzer, options, vectors, _watching(bar)
        )
    if found.left_out:
        output.say(
            f"{found.left_out:,} of {found.candidates:,} candidate pairs, the least similar, were "
            f"not scored: --max-pairs {found.candidates} scores all",
            style="yellow",
        )
    if as_json:
        output.print_json(_as_json(found, texts.corpus, threshold))
    else:
        _print(found, texts.corpus, threshold, None if every else SHOWN)


def _vectors(texts: Source, encoder: Encoder) -> Floats | None:
    """The vectors that a collection has of the encoder, None where they must be made."""
    from crossrank.store import Snapshot

    corpus = texts.corpus
    if isinstance(corpus, Snapshot) and encoder.name in corpus.encoders():
        return corpus.vectors(encoder.name, corpus.rows())
    return None


def _values(texts: Source, field: str) -> frozenset[str]:
    """The words of a metadata field, folded: a maker of two words is known by either."""
    from crossrank.text.fold import fold

    found = [each.get(field) for each in texts.fields(texts.corpus.rows())]
    return frozenset(fold(word) for value in found if value for word in str(value).split())


def _watching(bar: Any) -> Watch:
    """A line of the progress display for each thing that is done."""
    lines: dict[str, Callable[[int], None]] = {}

    def watch(what: str, done: int, total: int) -> None:
        if what not in lines:
            lines[what] = output.counter(bar, what, total)
        lines[what](done)

    return watch


def _as_json(found: Duplicates, corpus: Corpus, threshold: float) -> dict[str, Any]:
    ids = _ids(found, corpus, found.pairs)
    return {
        "threshold": threshold,
        "candidates": found.candidates,
        "left_out": found.left_out,
        "pairs": [
            {
                "left": ids[pair.left],
                "right": ids[pair.right],
                "probability": pair.probability,
                "duplicate": pair.probability >= threshold,
                "score": pair.score,
                "cosine": pair.cosine,
                "conflicts": [
                    {"kind": each.kind, "left": each.left, "right": each.right}
                    for each in pair.conflicts
                ],
            }
            for pair in found.pairs
        ],
        "exact": [[ids[row] for row in group] for group in found.exact],
        "clusters": [[ids[row] for row in cluster] for cluster in found.clusters],
    }


def _ids(found: Duplicates, corpus: Corpus, pairs: Sequence[DuplicatePair]) -> dict[int, str]:
    """The id of every row that is to be shown."""
    import numpy as np

    rows = {row for group in (*found.exact, *found.clusters) for row in group}
    rows |= {row for pair in pairs for row in (pair.left, pair.right)}
    wanted = np.array(sorted(rows), dtype=np.int32)
    return dict(zip(wanted.tolist(), corpus.ids(wanted), strict=True))


def _print(found: Duplicates, corpus: Corpus, threshold: float, most: int | None) -> None:
    console = output.data()
    sure = found.above(threshold)
    doubtful = [pair for pair in found.pairs if pair.conflicts and pair not in sure]
    ids = _ids(found, corpus, [*sure[:most], *doubtful[:most]])
    if found.exact:
        rows = [[", ".join(ids[row] for row in group)] for group in found.exact[:most]]
        console.print(output.table(["the same text"], rows))
    if sure:
        console.print(output.table(_COLUMNS, _rows(sure[:most], ids), title="duplicates"))
    if doubtful:
        title = "near duplicates that state other facts"
        console.print(output.table(_COLUMNS, _rows(doubtful[:most], ids), title=title))
    for number, cluster in enumerate(found.clusters[:most], 1):
        names = ", ".join(ids[row] for row in cluster)
        console.print(f"cluster {number}: {names}", soft_wrap=True, markup=False)
    output.say(
        f"{len(sure):,} pairs at or above {threshold:g} of {len(found.pairs):,} scored, "
        f"{len(found.exact):,} groups of equal texts, {len(found.clusters):,} clusters"
    )


_COLUMNS = (">probability", "left", "right", ">cosine", "against")


def _rows(pairs: Sequence[DuplicatePair], ids: dict[int, str]) -> list[list[object]]:
    return [
        [
            f"{pair.probability:.3f}",
            ids[pair.left],
            ids[pair.right],
            f"{pair.cosine:.3f}",
            "; ".join(map(str, pair.conflicts)),
        ]
        for pair in pairs
    ]
