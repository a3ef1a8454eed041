"""Mining for 100,000 queries: the resident set must not grow, and a killed run must go on.

python bench/mining.py [--data DIR] [--queries N] [--documents D] [--json FILE]

Queries are the headings of gesetze-de and mdn-de, documents the first D of both (their own
sections among them or not), the pipeline BM25 in memory. After half of the queries the run is
broken off and started anew. Linux.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from crossrank.retrieve import MemoryBM25
from crossrank.train.mine import mine
from crossrank.train.negatives import Rule
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search

SETS = ("gesetze-de", "mdn-de")


class BrokenOff(Exception):  # noqa: N818
    """Stands for a kill in the middle of the run."""


def sections(data: Path) -> Iterator[tuple[str, str, str]]:
    """(id, heading, text) of every section of both sets."""
    for name in SETS:
        with gzip.open(data / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield f"{name}/{row['_id']}", row["title"], row["text"]


def resident() -> float:
    """The resident set of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def labels(rows: list[tuple[str, str, str]]) -> Ranking:
    """Each heading with its own section as the relevant document."""
    corpus = MemoryCorpus([name for name, _, _ in rows], [text[:500] for _, _, text in rows])
    queries = Queries(tuple(name for name, _, _ in rows), tuple(title for _, title, _ in rows))
    own = [np.array([i]) for i in range(len(rows))]
    return Ranking.of_lists(Search(queries, corpus), own, [[1.0]] * len(rows), Scale.GRADE)


def main() -> None:
    """Prints the resident set and the time after every tenth of the queries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CROSSRANK_DATA"))
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--documents", type=int, default=5_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.data is None:
        parser.error("--data DIR or CROSSRANK_DATA is needed")

    rows = list(islice(sections(Path(given.data)), given.queries))
    judged = labels(rows)
    step = max(len(rows) // given.documents, 1)
    corpus = MemoryCorpus([r[0] for r in rows[::step]], [r[2][:500] for r in rows[::step]])
    pipeline = MemoryBM25.learned(corpus, "de", 50)
    seen = [{"queries": 0, "MB": resident(), "seconds": 0.0}]
    start, tenth = time.perf_counter(), max(len(rows) // 10, 1)
    print(f"{len(rows):,} queries, {len(corpus):,} documents: {resident():.0f} MB when loaded")
    stop = len(rows) // 2

    def done(count: int) -> None:
        if count - seen[-1]["queries"] >= tenth:
            seconds = time.perf_counter() - start
            seen.append({"queries": count, "MB": resident(), "seconds": seconds})
            print(f"{count:>9,} queries  {resident():7.1f} MB  {seconds:7.1f} s", flush=True)
        if stop and count > stop:
            raise BrokenOff

    with tempfile.TemporaryDirectory() as folder:
        out, rule = Path(folder), Rule(ranks=(1, 50), negatives=5, random=0.4)
        try:
            mine(judged, corpus, pipeline, rule, out, done=done)
        except BrokenOff:
            print("broken off and started anew")
        stop = 0
        found = mine(judged, corpus, pipeline, rule, out, done=done)
    grown = seen[-1]["MB"] - seen[1]["MB"]
    rate = len(rows) / (time.perf_counter() - start)
    print(f"from the first tenth to the last: {grown:+.1f} MB, {rate:.0f} queries a second")
    print({name: count for name, count in found.counts.items() if count})
    if given.json:
        value = {"rows": seen, "grown": grown, "counts": dict(found.counts)}
        given.json.write_text(json.dumps(value))


if __name__ == "__main__":
    main()
