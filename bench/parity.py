"""Our measures beside ir-measures and trec_eval, our fusion beside ranx: the largest difference.

python bench/parity.py --data DATA [--ranx PYTHON] [--json FILE]

Measures run on the three TREC DL 2021 runs (53 queries, graded). Fusion runs on the same files;
ranx runs in its own interpreter, PYTHON, since it brings numba along: a virtual environment with
`pip install ranx`. Without one its column stays empty.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytrec_eval

from crossrank.evaluate import evaluate, over_one_corpus, parse_measure, parse_measures
from crossrank.evaluate.runs import read_runs
from crossrank.fuse import fuse
from crossrank.io.lines import replaced
from crossrank.io.trec import read_qrels, write_run
from crossrank.types import Ranking

MEASURES = {
    "nDCG@10": "ndcg_cut_10", "nDCG": "ndcg", "RR": "recip_rank", "AP": "map",
    "R@100": "recall_100", "P@10": "P_10", "Success@1": "success_1", "Rprec": "Rprec",
    "AP(rel=2)": "", "P(rel=2)@10": "", "Judged@10": "", "RR(rel=2)@10": "",
}  # fmt: skip

# ours -> ranx: method, norm, parameters
FUSIONS: dict[str, tuple[dict[str, Any], tuple[str, str | None, dict[str, Any]]]] = {
    "CombSUM": ({"method": "sum", "missing": "zero"}, ("sum", "min-max", {})),
    "CombMNZ": ({"method": "mnz"}, ("mnz", "min-max", {})),
    "CombANZ": ({"method": "anz"}, ("anz", "min-max", {})),
    "CombMAX": ({"method": "max"}, ("max", "min-max", {})),
    "CombMIN": ({"method": "min"}, ("min", "min-max", {})),
    "CombMED": ({"method": "med"}, ("med", "min-max", {})),
    "CombSUM, z-score": (
        {"method": "sum", "missing": "zero", "normalise": "z-score"}, ("sum", "zmuv", {})),
    "CombSUM, sum": ({"method": "sum", "missing": "zero", "normalise": "sum"}, ("sum", "sum", {})),
    "CombSUM, max": ({"method": "sum", "missing": "zero", "normalise": "max"}, ("sum", "max", {})),
    "CombSUM, rank": (
        {"method": "sum", "missing": "zero", "normalise": "rank"}, ("sum", "rank", {})),
    "weighted sum": (
        {"method": "sum", "missing": "zero", "weights": (0.2, 0.3, 0.5)},
        ("wsum", "min-max", {"weights": (0.2, 0.3, 0.5)})),
    "RRF": ({"method": "rrf"}, ("rrf", None, {"k": 60})),
    "ISR": ({"method": "isr"}, ("isr", None, {})),
    "log ISR": ({"method": "log-isr"}, ("log_isr", None, {})),
    "logN ISR": ({"method": "logn-isr"}, ("logn_isr", None, {})),
    "Borda": ({"method": "borda"}, ("bordafuse", None, {})),
}  # fmt: skip

RANX = """
import json, sys, time
from ranx import Run, fuse
given = json.load(open(sys.argv[1]))
out = {}
for name, (method, norm, params) in given["fusions"].items():
    times = []
    for _ in range(4):
        runs = [Run(run) for run in given["runs"]]
        start = time.perf_counter()
        fused = fuse(runs, norm=norm, method=method, params=params)
        times.append(time.perf_counter() - start)
    out[name] = {"scores": {q: dict(d) for q, d in fused.to_dict().items()},
                 "seconds": sorted(times[1:])[1]}
json.dump(out, open(sys.argv[2], "w"))
"""

Plain = dict[str, dict[str, float]]


def plain(ranking: Ranking) -> Plain:
    """A ranking as query -> document -> score."""
    return {
        query: dict(zip(ranking.corpus.ids(docs), scores.tolist(), strict=True))
        for query, (docs, scores) in zip(ranking.queries.ids, ranking, strict=True)
    }


def median_time(run: Callable[[], object], times: int = 3) -> float:
    """The median of some runs, in seconds, after one that does not count."""
    run()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def untied(runs: dict[str, Ranking]) -> dict[str, Ranking]:
    """The runs with ties broken as trec_eval breaks them: ranx takes them in another order."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.trec" for name in runs]
        for path, ranking in zip(paths, runs.values(), strict=True):
            write_run(path, ranking, "t")
        return read_runs(paths)


def measure_rows(runs: dict[str, Ranking], qrels: Ranking) -> list[dict[str, Any]]:
    """A row each measure: the largest difference of any query of any run, and of any mean."""
    grades = {q: {d: int(g) for d, g in docs.items()} for q, docs in plain(qrels).items()}
    rows = []
    for text, name in MEASURES.items():
        measure, theirs = parse_measure(text), ir_measures.parse_measure(text)
        worst, trec = 0.0, 0.0
        for ranking in runs.values():
            values = evaluate(ranking, qrels, [measure]).values[0]
            run = plain(ranking)
            by_query = {
                each.query_id: each.value for each in ir_measures.iter_calc([theirs], grades, run)
            }
            expected = np.array([by_query.get(q, 0.0) for q in qrels.queries.ids])
            worst = max(worst, float(np.abs(values - expected).max()))
            if name:
                found = pytrec_eval.RelevanceEvaluator(grades, {name}).evaluate(run)
                expected = np.array([found.get(q, {name: 0.0})[name] for q in qrels.queries.ids])
                trec = max(trec, float(np.abs(values - expected).max()))
        rows.append({"measure": text, "ir-measures": worst, "trec_eval": trec if name else None})
    return rows


def fusion_rows(runs: dict[str, Ranking], python: str) -> list[dict[str, Any]]:
    """A row each fusion: the largest difference of any score from ranx, and both times."""
    rankings = over_one_corpus(list(runs.values()))
    theirs = in_ranx(runs, python) if python else {}
    rows = []
    for name, (options, _) in FUSIONS.items():
        ours = plain(fuse(rankings, **options))
        row: dict[str, Any] = {
            "fusion": name,
            "seconds": median_time(partial(fuse, rankings, **options)),
        }
        if name in theirs:
            scores: Plain = theirs[name]["scores"]
            assert {q: set(d) for q, d in ours.items()} == {q: set(d) for q, d in scores.items()}
            row["difference"] = max(
                abs(score - scores[query][doc])
                for query, docs in ours.items()
                for doc, score in docs.items()
            )
            row["ranx seconds"] = theirs[name]["seconds"]
        rows.append(row)
    return rows


def in_ranx(runs: dict[str, Ranking], python: str) -> dict[str, Any]:
    """What ranx makes of the runs, in its own interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "given.json", Path(folder) / "out.json"
        fusions = {name: theirs for name, (_, theirs) in FUSIONS.items()}
        given.write_text(json.dumps({"runs": [plain(r) for r in runs.values()],
                                     "fusions": fusions}))  # fmt: skip
        command = [python, "-c", RANX, str(given), str(out)]
        subprocess.run(command, check=True, timeout=900)
        found: dict[str, Any] = json.loads(out.read_text())
        return found


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = os.environ.get("CROSSRANK_DATA")
    parser.add_argument("--data", type=Path, default=default, required=default is None)
    parser.add_argument("--ranx", default="", help="a Python that has ranx")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(options.data) / "msmarco-dl21-22"
    runs = read_runs(sorted((folder / "runs").glob("dl21.*")))
    qrels = read_qrels(folder / "qrels" / "dl21.tsv")
    measures = measure_rows(runs, qrels)
    print(f"{'measure':<16}{'ir-measures':>14}{'trec_eval':>14}   largest difference of a query")
    for row in measures:
        trec = "" if row["trec_eval"] is None else f"{row['trec_eval']:.1e}"
        print(f"{row['measure']:<16}{row['ir-measures']:>14.1e}{trec:>14}")
    fusions = fusion_rows(untied(runs), options.ranx)
    print(f"\n{'fusion':<20}{'difference':>12}{'ms':>8}{'ranx ms':>9}   three runs, 53 queries")
    for row in fusions:
        apart = f"{row['difference']:.1e}" if "difference" in row else ""
        ranx = f"{1000 * row['ranx seconds']:.1f}" if "ranx seconds" in row else ""
        print(f"{row['fusion']:<20}{apart:>12}{1000 * row['seconds']:>8.1f}{ranx:>9}")
    several = parse_measures(" ".join(MEASURES))
    one = next(iter(runs.values()))
    ours = median_time(lambda: evaluate(one, qrels, several))
    grades = {q: {d: int(g) for d, g in docs.items()} for q, docs in plain(qrels).items()}
    run, theirs = plain(one), [ir_measures.parse_measure(str(m)) for m in several]
    other = median_time(lambda: ir_measures.calc_aggregate(theirs, grades, run))
    print(f"\n{len(several)} measures of one run: {1000 * ours:.1f} ms, ir-measures "
          f"{1000 * other:.1f} ms")  # fmt: skip
    if options.json:
        with replaced(options.json) as out:
            record = {"measures": measures, "fusion": fusions,
                      "seconds": {"crossrank": ours, "ir-measures": other}}  # fmt: skip
            out.write(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
