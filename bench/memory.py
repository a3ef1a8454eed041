"""Memory while scoring 100,000 pairs: the resident set must not grow with the number of pairs.

python bench/memory.py [--model NAME] [--pairs N] [--words W] [--json FILE]

Pairs come from a generator, with documents of 1 to W words, so that shapes keep changing. Linux.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from crossrank.models import CrossEncoder

WORDS = [
    *("kühlschrank", "labor", "liter", "ohne", "gefrierfach", "temperatur", "norm", "medikamente"),
    *(
        "fridge",
        "laboratory",
        "litres",
        "without",
        "freezer",
        "temperature",
        "standard",
        "medicine",
    ),
    *("der", "die", "tür", "glas", "alarm", "door", "glass", "the", "a", "of"),
]


def pairs(count: int, words: int) -> Iterator[tuple[str, str]]:
    """Random texts, a query for every hundred documents."""
    rng = random.Random(13)
    query = ""
    for i in range(count):
        if i % 100 == 0:
            query = " ".join(rng.choices(WORDS, k=rng.randint(2, 8)))
        yield query, " ".join(rng.choices(WORDS, k=rng.randint(1, words)))


def resident() -> float:
    """The resident set of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Prints the resident set at ten moments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="crossrank-small")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()

    model = CrossEncoder(given.model)
    rows = [{"pairs": 0, "MB": resident(), "seconds": 0.0}]
    start, step = time.perf_counter(), max(given.pairs // 10, 1)

    def done(count: int) -> None:
        if count - rows[-1]["pairs"] >= step or count == given.pairs:
            seconds = time.perf_counter() - start
            rows.append({"pairs": count, "MB": resident(), "seconds": seconds})
            print(f"{count:>9,} pairs  {rows[-1]['MB']:7.1f} MB  {seconds:7.1f} s", flush=True)

    print(f"{model.name}: {rows[0]['MB']:.1f} MB when loaded")
    model.score(pairs(given.pairs, given.words), done)
    settled = [row["MB"] for row in rows[1:]]
    grown = settled[-1] - settled[0]
    print(f"from the first tenth to the last: {grown:+.1f} MB")
    if given.json:
        given.json.write_text(json.dumps({"model": model.name, "rows": rows, "grown": grown}))


if __name__ == "__main__":
    main()
