"""Conditions read by rules: how often the verdict on a text is the one a person gave.

python bench/conditions.py [--cases FILE] [--half seen|unseen|all] [--wrong] [--json FILE]

FILE holds a query with one condition, a text and the verdict a line (bench/conditions.jsonl:
German and English, written before the rules met them). Queries with an odd number in their id or
one above 100 were looked at while the rules were written, the others never. `none`: queries
without a condition. A false alarm is a text called violating that meets the condition or leaves it
open.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from crossrank.rerank.conditions import Verdict, read, verdicts, wanted

CASES = Path(__file__).with_suffix(".jsonl")
VERDICTS = (*map(str, Verdict), "none")


def judged(query: str, text: str) -> str:
    """The verdict on a query whose conditions count as one."""
    found = verdicts(asked := wanted(query), read(text))
    if not asked.conditions:
        return "none"
    return str(max(found, key=(Verdict.MET, Verdict.OPEN, Verdict.VIOLATED).index))


def chosen(rows: list[dict[str, Any]], half: str) -> list[dict[str, Any]]:
    """The cases of a half: by the number of their query."""
    if half == "all":
        return rows
    return [row for row in rows if _seen(int(row["id"].split("-")[2])) == (half == "seen")]


def _seen(number: int) -> bool:
    return number > 100 or number % 2 == 1


def main() -> None:
    """Prints two tables: by kind of condition, and verdicts given against verdicts found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES)
    parser.add_argument("--half", choices=("seen", "unseen", "all"), default="unseen")
    parser.add_argument("--wrong", action="store_true", help="print what came out otherwise")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    lines = given.cases.read_text(encoding="utf-8").splitlines()
    rows = chosen([json.loads(line) for line in lines], given.half)
    right: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    count = Counter(row["kind"] for row in rows)
    pairs: Counter[tuple[str, str]] = Counter()
    for row in rows:
        found = judged(row["query"], row["text"])
        pairs[row["verdict"], found] += 1
        right[row["kind"]] += found == row["verdict"]
        alarms[row["kind"]] += found == "violated" != row["verdict"]
        if given.wrong and found != row["verdict"]:
            print(f"{row['id']}: {row['verdict']}, found {found}: {row['query']} | {row['text']}")
    print(
        f"{len(rows)} texts, {given.half}\n{'kind':10}{'texts':>7}{'right':>7}{'false alarms':>14}"
    )
    for kind in (*sorted(count), "all"):
        cells = [c[kind] if kind != "all" else c.total() for c in (count, right, alarms)]
        print(f"{kind:10}{cells[0]:7}{cells[1]:7}{cells[2]:14}")
    print(f"\n{'given':10}" + "".join(f"{name:>10}" for name in VERDICTS) + "   found")
    for verdict in VERDICTS:
        print(f"{verdict:10}" + "".join(f"{pairs[verdict, found]:10}" for found in VERDICTS))
    if given.json:
        report = {kind: [count[kind], right[kind], alarms[kind]] for kind in sorted(count)}
        given.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
