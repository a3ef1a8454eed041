"""Indexing for BM25: crossrank against LanceDB's own full-text index with its German stemmer.

python bench/index_speed.py --data DATA [--documents N] [--repeat N] [--json FILE]

The documents of gesetze-de and mdn-de from their gz files, each run in a process of its own, the
two in turns. Wall and CPU time from the first byte read to the index searchable, the peak memory
of the process and of its helpers, and the median time of 200 queries (titles) at k = 100.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

SETS = ("gesetze-de", "mdn-de")
QUERIES = 200
os.environ["LANCEDB_LOG"] = "error"


def rows(data: Path, count: int) -> Iterator[dict[str, str]]:
    """The documents of both sets as they are in the files, `count` of each set's share, 0 all."""
    for number, name in enumerate(SETS):
        with gzip.open(data / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            share = (2 * count // 3, count - 2 * count // 3)[number]
            yield from map(json.loads, islice(lines, share if count else None))


def lance(data: Path, count: int, folder: Path) -> Callable[[str], int]:
    """Indexes with LanceDB alone; gives its search."""
    import lancedb
    import pyarrow as pa
    from lancedb.index import FTS
    from lancedb.query import MatchQuery

    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    table = lancedb.connect(folder).create_table("documents", schema=schema)
    read = ({"id": r["_id"], "text": f"{r['title']}\n{r['text']}"} for r in rows(data, count))
    while batch := list(islice(read, 4096)):
        table.add(pa.Table.from_pylist(batch, schema))
    table.create_index("text", config=FTS(language="German"))

    def search(query: str) -> int:
        found = table.search(MatchQuery(query, "text"), query_type="fts")
        return len(found.select(["id"]).limit(100).to_arrow())

    return search


def crossrank(data: Path, count: int, folder: Path) -> Callable[[str], int]:
    """Indexes with crossrank, reader and all; gives its search."""
    from crossrank.io.document import Document
    from crossrank.io.documents import read_documents
    from crossrank.io.problems import Problems
    from crossrank.store import Collection

    collection = Collection.create(folder / "collection", "de")
    if count:
        collection.add(Document(r["_id"], r["text"], r["title"]) for r in rows(data, count))
    else:
        collection.add(read_documents([data / name for name in SETS], Problems()))

    def search(query: str) -> int:
        corpus = collection.corpus()
        [(found, _)] = corpus.search_terms([corpus.analyzer.query(query)], 100)
        return len(corpus.ids(found))

    return search


def measure(which: str, data: Path, count: int) -> dict[str, float]:
    """One run in this process."""
    subjects = {"lancedb": lance, "crossrank": crossrank}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        start, cpu = time.perf_counter(), _cpu()
        search = subjects[which](data, count, Path(folder))
        wall = time.perf_counter() - start
        cpu = _cpu() - cpu
        titles = [row["title"] for row in islice(rows(data, count), 0, 20 * QUERIES, 20)]
        times = []
        for title in titles:
            begin = time.perf_counter()
            search(title)
            times.append(1000 * (time.perf_counter() - begin))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    own, helpers = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {
        "wall_s": wall, "cpu_s": cpu, "rss_mb": own, "helper_rss_mb": helpers,
        "query_p50_ms": statistics.median(times), "disk_mb": size / 1e6,
    }  # fmt: skip


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def run(which: str, given: argparse.Namespace) -> dict[str, float]:
    """One run in a process of its own."""
    command = [sys.executable, __file__, "--run", which, "--data", str(given.data)]
    command += ["--documents", str(given.documents)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Prints one table; `--run` is for the processes it starts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("CROSSRANK_DATA"))
    parser.add_argument("--documents", type=int, default=0, help="0 for all 151,234")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--run", choices=("lancedb", "crossrank"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.data is None:
        parser.error("--data or CROSSRANK_DATA wanted")
    if given.run:
        print(json.dumps(measure(given.run, given.data, given.documents)))
        return
    runs: dict[str, list[dict[str, float]]] = {"lancedb": [], "crossrank": []}
    for _ in range(given.repeat):
        for which, found in runs.items():
            found.append(run(which, given))
    report(given, runs)


def report(given: argparse.Namespace, runs: dict[str, list[dict[str, float]]]) -> None:
    """The medians, side by side, and the ratio of the wall times of each turn."""
    documents = sum(1 for _ in rows(given.data, given.documents))
    medians: dict[str, Any] = {
        which: {key: statistics.median(each[key] for each in found) for key in found[0]}
        for which, found in runs.items()
    }
    print(f"{documents:,} documents, {given.repeat} runs each, medians, {os.cpu_count()} cores")
    heads = ("wall s", "CPU s", "docs/s", "RSS MB", "helper MB", "disk MB", "query p50 ms")
    print(f"{'':12}" + "".join(f"{head:>14}" for head in heads))
    for which, m in medians.items():
        cells = (m["wall_s"], m["cpu_s"], documents / m["wall_s"], m["rss_mb"],
                 m["helper_rss_mb"], m["disk_mb"], m["query_p50_ms"])  # fmt: skip
        print(f"{which:12}" + "".join(f"{cell:>14,.1f}" for cell in cells))
    turns = zip(runs["crossrank"], runs["lancedb"], strict=True)
    ratio = statistics.median(ours["wall_s"] / theirs["wall_s"] for ours, theirs in turns)
    print(f"crossrank / lancedb, wall: {ratio:.2f} (median of the turns)")
    if given.json:
        values = {"documents": documents, "ratio": ratio, "medians": medians, "runs": runs}
        given.json.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
