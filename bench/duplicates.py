"""Duplicate detection: average precision, guards against look-alikes, and a large run.

python bench/duplicates.py --data DATA [--scale N] [--head N] [--model NAME] [--encoder NAME]
    [--calibration FILE] [--json FILE]

pairs   average precision on covid-question-pairs-de and -en and MSRP test, by the cosine of the
        bi-encoder, the cross-encoder in one order and in both, and by the decision saved beside the
        cross-encoder, with the guards for facts and without
guards  product texts in pairs: the same in other words and units, another quantity, another
        number, another model, another maker; how often a look-alike reaches the threshold, and
        how often it comes out lower than the same product in other words
scale   N texts of gesetze-de through the whole search: seconds of each phase, peak memory
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from crossrank import MemoryCorpus
from crossrank.io.lines import numbered_lines
from crossrank.models import BiEncoder
from crossrank.tasks.duplicates import Decision, Judge, Options, find_duplicates
from crossrank.tasks.duplicates.decision import Evidence, evidence, penalties
from crossrank.tasks.fits import Reals
from crossrank.tasks.labelled import read_pairs
from crossrank.tasks.loading import duplicate_judge
from crossrank.text import Analyzer, VocabularyBuilder
from crossrank.types import Floats

MAKERS = ("Kirsch", "Liebherr", "Haier", "Thermo", "Binder")
KINDS_DE = (
    ("Laborkühlschrank", "Kühlschrank für das Labor"),
    ("Medikamentenkühlschrank", "Kühlschrank für Medikamente"),
    ("Gefrierschrank", "Tiefkühlschrank"),
)
MODELS = ("LABO-288", "LABO-340", "MED-125", "FROST 330")
LITRES = (125, 280, 340, 500)


def average_precision(scores: Floats | Reals, labels: Reals) -> float:
    """The mean precision at the rank of every positive; ties are broken against it."""
    order = np.lexsort((labels, -np.asarray(scores, dtype=np.float64)))
    hits = labels[order] > 0
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def bare(found: Evidence) -> Evidence:
    """The same without the guards."""
    return Evidence(found.scores, found.cosines, np.zeros_like(found.penalties))


def pairs_table(data: Path, judge: Judge, limit: int) -> dict[str, dict[str, float]]:
    """Average precision of every way to score, by set."""
    scorer, decision = judge.scorer, judge.decision
    table: dict[str, dict[str, float]] = {}
    for name in ("covid-question-pairs-de", "covid-question-pairs-en", "msrp"):
        pairs = read_pairs(data / name / "test.jsonl.gz")
        pairs = pairs.some(limit) if limit else pairs
        found = evidence(scorer, judge.encoder, pairs.left, pairs.right)
        one = scorer.score_texts(pairs.left, pairs.right)
        ways: dict[str, Floats | Reals] = {
            "cosine": found.cosines,
            "cross-encoder, one order": one,
            "cross-encoder, both orders": found.scores,
            "decision without guards": decided(decision, bare(found)),
            "decision": decided(decision, found),
        }
        table[name] = {way: average_precision(s, pairs.labels) for way, s in ways.items()}
        table[name]["share of duplicates"] = float(pairs.labels.mean())
    return table


def decided(decision: Decision, found: Evidence) -> Reals:
    """The probabilities of the decision."""
    return decision(found.scores, found.cosines, found.penalties)


def products() -> list[tuple[str, str, str]]:
    """(what differs, text, other text): look-alikes of laboratory refrigerators."""
    found = []
    for i, (kind, maker) in enumerate(product(range(len(KINDS_DE)), MAKERS)):
        plain, other = KINDS_DE[kind]
        model, litres = MODELS[i % 4], LITRES[i % 4]
        shelves = 3 + i % 3
        maker2 = MAKERS[(MAKERS.index(maker) + 1 + i % 3) % 5]
        text = described(maker, plain, model, f"{litres} Liter", shelves)
        found += [
            ("same", text, reworded(maker, other, model, litres, shelves)),
            ("quantity", text, described(maker, plain, model, f"{LITRES[(i + 1) % 4]} l", shelves)),
            ("number", text, described(maker, plain, model, f"{litres} l", shelves + 1)),
            ("model", text, described(maker, plain, MODELS[(i + 1) % 4], f"{litres} l", shelves)),
            ("maker", text, described(maker2, plain, model, f"{litres} l", shelves)),
        ]
    return found


def described(maker: str, kind: str, model: str, volume: str, shelves: int) -> str:
    """A product text."""
    return (
        f"{maker} {kind} {model} mit {volume} Inhalt und Umluftkühlung. Die Tür schließt von "
        f"selbst, {shelves} Borde sind verstellbar, das Gerät ist leise."
    )


def reworded(maker: str, kind: str, model: str, litres: int, shelves: int) -> str:
    """The same product in other words and units."""
    volume = f"{litres / 1000:g}".replace(".", ",")
    return (
        f"{kind} {model} von {maker}: Umluftkühlung, {volume} m³ Nutzinhalt, {shelves} "
        "verstellbare Borde, selbstschließende Tür, geräuscharmer Betrieb."
    )


def guards_table(judge: Judge) -> dict[str, dict[str, float]]:
    """For every difference: mean probability, share over 0.5, share below the same reworded."""
    rows = products()
    left, right = [a for _, a, _ in rows], [b for _, _, b in rows]
    decision = judge.decision
    found = evidence(judge.scorer, judge.encoder, left, right)
    makers = frozenset(maker.lower() for maker in MAKERS)
    known = Evidence(found.scores, found.cosines, penalties(left, right, makers))
    kinds = np.array([kind for kind, _, _ in rows])
    table: dict[str, dict[str, float]] = {}
    for name, p in (
        ("without guards", decided(decision, bare(found))),
        ("guards", decided(decision, found)),
        ("guards, makers known", decided(decision, known)),
    ):
        same = p[kinds == "same"]
        for kind in dict.fromkeys(kinds.tolist()):
            mine = p[kinds == kind]
            table[f"{kind}, {name}"] = {
                "mean p": float(mine.mean()),
                "p >= 0.5": float((mine >= 0.5).mean()),
                "below the same": float((mine < same).mean()),
            }
    return table


def scale_run(data: Path, count: int, judge: Judge, most: int) -> dict[str, Any]:
    """The whole search over the first texts of gesetze-de."""
    lines = numbered_lines(data / "gesetze-de/corpus.jsonl.gz")
    rows = [json.loads(line) for _, line in islice(lines, count)]
    corpus = MemoryCorpus([r["_id"] for r in rows], [f"{r['title']}\n{r['text']}" for r in rows])
    builder = VocabularyBuilder()
    builder.add(corpus.texts(corpus.rows()[:20_000]), "de")
    analyzer = Analyzer("de", builder.build())
    seconds, watch = phases()
    start = time.perf_counter()
    found = find_duplicates(corpus, judge, analyzer, Options(most=most), watch=watch)
    total = time.perf_counter() - start
    return {
        "texts": len(corpus),
        "equal texts": sum(len(group) for group in found.exact),
        "candidates": found.candidates,
        "scored": len(found.pairs),
        "left out": found.left_out,
        "duplicates": len(found.above(0.5)),
        "clusters": len(found.clusters),
        "seconds": total,
        **{f"seconds, {name}": value for name, value in seconds.items()},
        "peak RSS, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def phases() -> tuple[dict[str, float], Callable[[str, int, int], None]]:
    """Seconds by phase, filled by the watch that comes with it."""
    seconds: dict[str, float] = {}
    last = [time.perf_counter()]

    def watch(what: str, done: int, total: int) -> None:
        now = time.perf_counter()
        seconds[what] = seconds.get(what, 0.0) + now - last[0]
        last[0] = now

    return seconds, watch


def show(title: str, table: dict[str, dict[str, float]], columns: Sequence[str]) -> None:
    """A table with a row for each key."""
    print(f"{title:34}" + "".join(f"{name:>16}" for name in columns))
    for name, row in table.items():
        print(f"  {name:32}" + "".join(f"{row[column]:16.3f}" for column in columns))


def main() -> None:
    """Prints the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="crossrank-similar")
    parser.add_argument("--encoder", default="crossrank-embed")
    parser.add_argument("--calibration", type=Path, help="default: the one beside the model")
    parser.add_argument("--limit", type=int, default=0, help="about so many pairs of each set")
    parser.add_argument("--scale", type=int, default=0, help="texts of gesetze-de; 0 for none")
    parser.add_argument("--max-pairs", type=int, default=20_000)
    parser.add_argument("--head", type=int, default=0, help="tokens the bi-encoder reads; 0: all")
    parser.add_argument("--only-scale", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    encoder = BiEncoder(given.encoder, max_length=given.head)
    judge = duplicate_judge(given.model, encoder, given.calibration)
    found: dict[str, Any] = {"decision": judge.decision.as_dict()}
    if not given.only_scale:
        found["pairs"] = pairs_table(given.data, judge, given.limit)
        for name, row in found["pairs"].items():
            show(name, {way: {"AP": value} for way, value in row.items()}, ["AP"])
        found["guards"] = guards_table(judge)
        columns = ["mean p", "p >= 0.5", "below the same"]
        show("look-alikes", found["guards"], columns)
    if given.scale:
        found["scale"] = scale_run(given.data, given.scale, judge, given.max_pairs)
        for name, value in found["scale"].items():
            print(f"  {name:32} {value:14,.1f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
