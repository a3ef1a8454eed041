"""`crossrank quantise`: a smaller form of a model, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossrank.cli import output
from crossrank.errors import BadInput

if TYPE_CHECKING:
    from crossrank.evaluate.variants import Variant
    from crossrank.models.quantise import Mode
    from crossrank.types import Ranking

MODES = "int8, int8-block, int8-static or fp16"


def quantise(
    model: Annotated[str, typer.Argument(help="A model directory, bundled name or hub id.")],
    out: Annotated[Path, typer.Argument(help="The directory to write; must be new.")],
    mode: Annotated[
        str,
        typer.Option(
            help="int8: fastest on a CPU; int8-block: closest to fp32, the same score in any "
            "batch; int8-static: ranges from --calibrate; fp16: for a GPU."
        ),
    ] = "int8",
    calibrate: Annotated[
        Path | None,
        typer.Option(help="Pairs like those to be scored, as `crossrank score` reads them."),
    ] = None,
    per_tensor: Annotated[
        bool, typer.Option("--per-tensor", help="One scale a matrix, not one an output channel.")
    ] = False,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Word vectors as int8 too, a scale a row.")
    ] = False,
    seven_bit: Annotated[
        bool, typer.Option("--seven-bit", help="Weights of 7 bits: exact on CPUs without VNNI.")
    ] = False,
    report_on: Annotated[
        str, typer.Option(help="A judged set: re-rank it with both forms, compare nDCG@10.")
    ] = "",
    split: Annotated[str, typer.Option(help="Which judgements of it.")] = "test",
    run: Annotated[
        Path | None, typer.Option(help="Candidates for it: a TREC run. Default: BM25.")
    ] = None,
    depth: Annotated[int, typer.Option(min=1, help="How many candidates a query.")] = 100,
    language: Annotated[str, typer.Option(help="auto, de or en, for BM25.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Quantise a model; report size, speed, drift and, on a judged set, the change of nDCG@10."""
    from crossrank.evaluate.variants import measure_variants
    from crossrank.models.export import ensure_onnx
    from crossrank.models.hub import find_model
    from crossrank.models.quantise import Options, quantise_model
    from crossrank.rerank.inputs import read_pairs

    chosen = _mode(mode)
    given = [(each.query, each.document) for each in read_pairs(calibrate)] if calibrate else []
    judged = judged_candidates(report_on, split, run, language, depth) if report_on else None
    source = ensure_onnx(find_model(model))
    options = Options(not per_tensor, embeddings, seven_bit)
    report = quantise_model(source, out, chosen, options, given)
    with output.progress() as bar:
        done = output.counter(bar, "measuring")
        found = measure_variants({"as it was": source, mode: out}, judged=judged, done=done)
    if as_json:
        forms = [each.as_dict() for each in found]
        output.print_json({"model": model, "out": str(out), **report, "forms": forms})
    else:
        print_variants(found)


def judged_candidates(
    dataset: str, split: str, run: Path | None, language: str, depth: int
) -> tuple[Ranking, Ranking]:
    """The candidates to re-rank, their texts in memory, and the judgements."""
    from crossrank.cli.sources import setting
    from crossrank.io.judged import judged_set
    from crossrank.io.trec import read_candidates
    from crossrank.retrieve import MemoryBM25
    from crossrank.types import MemoryCorpus, Search

    judged = judged_set(dataset, split)
    texts = {each.id: f"{each.title}\n{each.text}".strip() for each in judged.documents()}
    corpus = MemoryCorpus(list(texts), list(texts.values()))
    search = Search(judged.queries, corpus)
    if run is not None:
        return read_candidates(run, search).top(depth), judged.qrels
    return MemoryBM25.learned(corpus, setting(language), depth)(search), judged.qrels


def print_variants(found: Sequence[Variant]) -> None:
    """The forms as a table; words below it where one should not be a default."""
    columns = ["form", ">MB", ">a second", ">max drift", ">mean drift", ">tau"]
    judged = found[0].ndcg is not None
    columns += [">tau/query", ">nDCG@10", ">change"] if judged else []
    console = output.data()
    if not console.is_terminal:
        console.width = 1000  # a file or a pipe: no line is broken
    console.print(output.table(columns, [_row(each) for each in found]))
    for each in found:
        if each.shippable is False:
            output.say(f"{each.name}: loses more than 1 %, not shippable as default", "yellow")


def _row(each: Variant) -> list[str]:
    drift = each.drift
    row = [each.name, f"{each.bytes / 1e6:.1f}", f"{each.per_second:.1f}"]
    row += [f"{drift.max_difference:.2g}", f"{drift.mean_difference:.2g}", f"{drift.tau:.3f}"]
    if each.ndcg is not None and each.change is not None:
        row += [f"{each.agreement:.3f}", f"{each.ndcg:.4f}", f"{each.change:+.2%}"]
    return row


def _mode(name: str) -> Mode:
    from crossrank.models.quantise import Mode

    try:
        found = Mode(name)
    except ValueError:
        raise BadInput(f"--mode {MODES} wanted, got {name!r}") from None
    if found is Mode.FP32:
        raise BadInput(f"--mode {MODES} wanted, got {name!r}: crossrank export writes fp32")
    return found
