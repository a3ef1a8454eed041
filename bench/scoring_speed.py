"""Pairs a second: the usual way in torch, the usual way in ONNX Runtime, and crossrank.

python bench/scoring_speed.py --data DATA [--queries N] [--rounds R] [--layers L] [--json FILE]

All score the BM25 top 100 of N queries of TREC DL 2021 with one model of the shape of MiniLM-L6,
of random weights (speed does not depend on them; extra `train`). One run, side by side, the median
of the rounds. CPU is the time of all threads: it tells the work where the machine is shared.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crossrank.io.beir import read_beir_corpus, read_beir_queries
from crossrank.io.trec import read_candidates
from crossrank.models import CrossEncoder
from crossrank.models.bundled import bundled
from crossrank.models.export import ensure_onnx
from crossrank.models.quantise import Mode
from crossrank.models.workers import cores
from crossrank.types import Search

Pairs = Sequence[tuple[str, str]]
Way = Callable[[Pairs], Any]
_USUAL = 32  # pairs in a batch, the default of sentence-transformers and of most examples


def judged_pairs(data: Path, queries: int) -> Pairs:
    """The BM25 top 100 of the first queries."""
    folder = data / "msmarco-dl21-22"
    search = Search(read_beir_queries(folder), read_beir_corpus(folder))
    run = read_candidates(folder / "runs/dl21.bm25.trec", search).top(100)
    some = run.select(slice(queries))
    texts = some.corpus.texts(some.docs)
    asked = [some.queries.texts[owner] for owner in some.owners()]
    return list(zip(asked, texts, strict=True))


def random_model(folder: Path, layers: int) -> Path:
    """A cross-encoder of MiniLM's shape with the vocabulary of the shipped one."""
    import transformers as t

    source = bundled("crossrank-small")
    if source is None:
        raise SystemExit("the bundled model crossrank-small is not there")
    wrapped = t.PreTrainedTokenizerFast(
        tokenizer_file=str(source / "tokenizer.json"),
        model_max_length=512,
        pad_token="<pad>",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    wrapped.save_pretrained(folder)
    config = t.BertConfig(
        vocab_size=len(wrapped),
        hidden_size=384,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=1536,
        num_labels=1,
        pad_token_id=wrapped.pad_token_id,
    )
    t.utils.logging.disable_progress_bar()
    t.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def torch_way(folder: Path) -> Way:
    """sentence-transformers as its documentation shows it."""
    import sentence_transformers as st

    model = st.CrossEncoder(str(folder), device="cpu")
    return lambda pairs: model.predict(list(pairs), batch_size=_USUAL, show_progress_bar=False)


def onnx_way(graph: Path) -> Way:
    """One session with its defaults; batches in the order of the input, padded by the tokenizer."""
    import onnxruntime as ort
    from tokenizers import Tokenizer

    session = ort.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(graph.parent / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
    inputs = [each.name for each in session.get_inputs()]

    def run(pairs: Pairs) -> None:
        for at in range(0, len(pairs), _USUAL):
            found = tokenizer.encode_batch(list(pairs[at : at + _USUAL]))
            columns = {
                "input_ids": [each.ids for each in found],
                "attention_mask": [each.attention_mask for each in found],
                "token_type_ids": [each.type_ids for each in found],
            }
            session.run(None, {name: np.array(columns[name], np.int64) for name in inputs})

    return run


def ways(folder: Path) -> dict[str, Way]:
    """What is compared."""
    fp32 = ensure_onnx(folder)
    found: dict[str, Way] = {
        "sentence-transformers, torch fp32": torch_way(folder),
        "ONNX Runtime as usual, fp32": onnx_way(fp32 / "model.onnx"),
        "crossrank fp32": CrossEncoder(fp32).score,
    }
    for mode in (Mode.INT8, Mode.INT8_BLOCK):
        made = ensure_onnx(folder, mode)
        found[f"ONNX Runtime as usual, {mode}"] = onnx_way(made / "model.onnx")
        found[f"crossrank {mode}"] = CrossEncoder(made).score
    return found


def timed(way: Way, pairs: Pairs) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    wall, cpu = time.perf_counter(), time.process_time()
    way(pairs)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CROSSRANK_DATA"))
    parser.add_argument("--queries", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.data is None:
        parser.error("--data (or CROSSRANK_DATA) wanted")

    pairs = judged_pairs(given.data, given.queries)
    with tempfile.TemporaryDirectory() as scratch:
        compared = ways(random_model(Path(scratch) / "random", given.layers))
        for way in compared.values():
            way(pairs[:8])
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in compared}
        for _ in range(given.rounds):
            for name, way in compared.items():
                found[name].append(timed(way, pairs))
    medians = {name: np.median(np.array(times), axis=0) for name, times in found.items()}
    base = medians["sentence-transformers, torch fp32"]
    print(f"{len(pairs)} pairs, {cores()} cores, {given.layers} layers")
    print(f"{'':36}{'pairs/s':>9}{'times':>7}{'CPU ms a pair':>15}{'times':>7}")
    for name, (wall, cpu) in medians.items():
        print(
            f"{name:36}{len(pairs) / wall:9.1f}{base[0] / wall:7.1f}"
            f"{1000 * cpu / len(pairs):15.2f}{base[1] / cpu:7.1f}"
        )
    if given.json:
        rows = [
            {"way": n, "pairs/s": len(pairs) / wall, "CPU s": cpu}
            for n, (wall, cpu) in medians.items()
        ]
        given.json.write_text(json.dumps({"pairs": len(pairs), "cores": cores(), "rows": rows}))


if __name__ == "__main__":
    main()
