"""Tuned and learned fusion against single signals: SciFact train claims, five held-out folds.

python bench/fusion.py --data DATA [--keep DIR] [--run NAME=FILE ...] [--test] [--json FILE]

Signals: BM25, the bi-encoder, and the cross-encoder over the first candidates of both (fused by
RRF). `--run` gives a signal as a run file in place of computing it; `--keep` writes those that are
computed, and reads them the next time. With `--test`, BM25's best 100 of the test claims are then
re-ranked with what was tuned on all train claims; the test qrels are opened for that line alone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from crossrank.evaluate import evaluate, nDCG
from crossrank.evaluate.compare import Comparison, compare_scores
from crossrank.evaluate.learn import learn
from crossrank.evaluate.report.comparison import p_text, signed
from crossrank.evaluate.tune import TUNED, tune
from crossrank.fuse import fuse
from crossrank.fuse.setting import Setting
from crossrank.io.beir import read_beir
from crossrank.io.lines import replaced
from crossrank.io.trec import read_candidates, write_run
from crossrank.retrieve import MemoryBM25, MemoryDense
from crossrank.types import Corpus, Ranking, Search

MEASURE = nDCG @ 10


def cross_encoded(first: list[Ranking], model: str, depth: int, tokens: int) -> Ranking:
    """The cross-encoder over the first candidates of the rankings before it."""
    from crossrank.models import CrossEncoder
    from crossrank.rerank import Rerank

    return Rerank(CrossEncoder(model, max_length=tokens), depth=depth)(fuse(first))


def signal(name: str, given: dict[str, Path], keep: Path | None, search: Search,
           made: Callable[[], Ranking]) -> Ranking:  # fmt: skip
    """A signal from a file where there is one, else computed (and kept)."""
    kept = keep / f"{name}.trec.gz" if keep else None
    path = given.get(name) or (kept if kept and kept.is_file() else None)
    if path:
        return read_candidates(path, search)
    start = time.perf_counter()
    ranking = made()
    print(f"{name}: computed in {time.perf_counter() - start:.0f} s", flush=True)
    if kept:
        write_run(kept, ranking, name)
    return ranking


Makers = dict[str, Callable[[], Ranking]]


class Retrievers:
    """The first stages over the corpus, which train and test claims share; each built once."""

    def __init__(self, corpus: Corpus, options: argparse.Namespace) -> None:
        self.options = options
        self.bm25 = MemoryBM25.learned(corpus, "en", depth=100)

    @cached_property
    def dense(self) -> MemoryDense:
        """The nearest documents by the bi-encoder, all compared."""
        from crossrank.models import BiEncoder

        encoder = BiEncoder(self.options.encoder, max_length=self.options.tokens)
        return MemoryDense(self.bm25.corpus, encoder, depth=100)

    def makers(self, search: Search, found: dict[str, Ranking]) -> Makers:
        """How each signal is computed; the cross-encoder reads what is `found` before it."""
        given = self.options
        return {
            "bm25": lambda: self.bm25(search),
            "dense": lambda: self.dense(search),
            "cross-encoder": lambda: cross_encoded(
                list(found.values()), given.model, given.depth, given.tokens
            ),
        }


def on_test(
    setting: Setting, retrievers: Retrievers, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """What was tuned on train, re-ranking BM25's best 100 of the test claims."""
    data = read_beir(Path(options.data) / "scifact", "test")
    search = Search(data.search.queries, retrievers.bm25.corpus)
    keep = options.keep / "test" if options.keep else None
    found: dict[str, Ranking] = {}
    ways = retrievers.makers(search, found)
    for name in options.signals.split():
        found[name] = signal(name, {}, keep, search, ways[name])
    among = found["bm25"].top(100)
    runs = {name: only(each, among) for name, each in found.items()}
    runs["tuned"] = only(setting.fused(list(found.values())), among)
    scores = {name: evaluate(each, data.qrels, [MEASURE]) for name, each in runs.items()}
    pairs = compare_scores(scores, [(name, "bm25") for name in scores if name != "bm25"]).pairs
    p = {pair.run: pair.p.randomisation for pair in pairs}
    return [{"run": n, "mean": s.mean(MEASURE), "p": p.get(n)} for n, s in scores.items()]


def only(ranking: Ranking, among: Ranking) -> Ranking:
    """The ranking without documents that `among` has not for the query."""
    docs, scores = [], []
    for i in range(len(among.queries)):
        own, values = ranking.query(i)
        kept = np.isin(own, among.query(i)[0])
        docs.append(own[kept])
        scores.append(values[kept])
    return Ranking.of_lists(Search(among.queries, among.corpus), docs, scores, ranking.scale)


def rows_of(held: Comparison, learned: Comparison) -> list[dict[str, Any]]:
    """A row each run: its mean, and the p of the tuned and of the learned fusion against it."""
    rows = []
    for name, scores in learned.scores.items():
        row: dict[str, Any] = {"run": name, "mean": scores.mean(MEASURE)}
        for who, comparison in (("tuned", held), ("learned", learned)):
            pair = next((p for p in comparison.pairs if (p.run, p.against) == (who, name)), None)
            if pair:
                row[who] = {"difference": pair.difference, "p": pair.p.randomisation,
                            "holm": pair.holm.randomisation, "p_t": pair.p.t,
                            "wins": pair.wins, "losses": pair.losses}  # fmt: skip
        rows.append(row)
    return rows


def against(row: dict[str, Any], who: str) -> str:
    """Difference and p of a fusion against the run of a row."""
    found = row.get(who)
    if not found:
        return ""
    return f"{signed(found['difference'])} (p {p_text(found['p'])})"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = os.environ.get("CROSSRANK_DATA")
    parser.add_argument("--data", type=Path, default=default, required=default is None)
    parser.add_argument("--run", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--encoder", default="crossrank-embed")
    parser.add_argument("--model", default="crossrank-small")
    parser.add_argument("--signals", default="bm25 dense cross-encoder")
    parser.add_argument("--depth", type=int, default=50, help="candidates the cross-encoder reads")
    parser.add_argument("--tokens", type=int, default=0, help="read of a pair or text; 0: all")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--search", default="grid")
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    given = {name: Path(path) for name, _, path in (each.partition("=") for each in options.run)}
    data = read_beir(Path(options.data) / "scifact", "train")
    found: dict[str, Ranking] = {}
    retrievers = Retrievers(data.search.corpus, options)
    ways = retrievers.makers(data.search, found)
    for name in dict.fromkeys([*options.signals.split(), *given]):
        found[name] = signal(name, given, options.keep, data.search, ways.get(name, dict))  # type: ignore[arg-type]
    analysis = retrievers.bm25.analyzer
    start = time.perf_counter()
    tuned = tune(found, data.qrels, MEASURE, folds=options.folds, search=options.search)
    middle = time.perf_counter()
    learned = learn(found, data.qrels, tuned, MEASURE, analysis=analysis, folds=options.folds)
    end = time.perf_counter()
    rows = rows_of(tuned.held_out, learned.held_out)
    print(f"\nSciFact train, {len(data.qrels.queries)} claims, {options.folds} held-out folds")
    print(f"{'run':<16}{MEASURE!s:>9}   {'tuned against it':<22} learned against it")
    for row in rows:
        text = f"{row['run']:<16}{row['mean']:>9.4f}   {against(row, 'tuned'):<22} "
        print(text + against(row, "learned"))
    print(f"\nchosen: {tuned.setting} ({tuned.tried} settings, {middle - start:.0f} s)")
    top = ", ".join(f"{name} {share:.0%}" for name, share in learned.model.importance()[:5])
    print(f"trees ({end - middle:.0f} s) look at: {top}")
    best = max(evaluate(each, data.qrels, [MEASURE]).mean(MEASURE) for each in found.values())
    held = tuned.held_out.scores[TUNED].mean(MEASURE)
    verdict = "at least as good as" if held >= best else "below"
    print(f"tuned fusion, held out {held:.4f}: {verdict} the best single signal, {best:.4f}")
    tested = on_test(tuned.setting, retrievers, options) if options.test else []
    for row in tested:
        p = "" if row["p"] is None else f"p {p_text(row['p'])} against bm25"
        print(f"test  {row['run']:<16}{row['mean']:>9.4f}   {p}")
    if options.json:
        with replaced(options.json) as out:
            record = {
                "rows": rows,
                "test": tested,
                "tuned": tuned.as_dict(),
                "learned": learned.as_dict(),
            }
            out.write(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
