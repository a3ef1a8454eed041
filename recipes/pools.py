"""Writes the passages and training queries of the shipped models as flat files.

python recipes/pools.py --data DATA --out OUT

OUT/passages.jsonl   {"id", "text"}: everything that is ever a candidate
OUT/queries.jsonl    {"query", "pool", "positive"}: what is asked of which pool; `positive` is the
                     passage that answers it where that is known (weak: a heading's own section)
OUT/trec.jsonl       {"id", "query"}: the queries of TREC DL 2021 (the dev set) and 2022

Not read: SciFact test, XQuAD, the judgements of msmarco-dl21.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
_OPENING = re.compile(
    r"^(?:(?:In conclusion|Thus|Therefore|Hence|Taken together|Together|Overall|In summary),?\s+)?"
    r"(?:(?:we (?:conclude|propose|show|demonstrate|suggest)|(?:these|our|the) (?:present )?"
    r"(?:results|findings|data|observations|studies|work|study|analys[ei]s)"
    r"(?: therefore| thus| also)? "
    r"(?:suggests?|indicates?|shows?|demonstrates?|reveals?|establish(?:es)?|supports?|identif\w+))"
    r"(?: that)?\s+)?",
    re.IGNORECASE,
)


def rows(path: Path) -> Iterator[Row]:
    """The objects of a packed JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def stsb(data: Path, language: str, split: str) -> list[tuple[str, str, float]]:
    """Sentence pairs of STS-b with their similarity, 0 to 5."""
    found = rows(data / f"stsb-{language}/{split}.jsonl.gz")
    return [(row["text_a"], row["text_b"], float(row["score"])) for row in found]


def first_words(text: str, count: int) -> str:
    """The first `count` words, white space folded."""
    return " ".join(text.split()[:count])


def passages(data: Path, rng: random.Random) -> Iterator[tuple[str, str, str, str]]:
    """(pool, id, text, query that it answers or "") of every candidate."""
    for row in rows(data / "msmarco-dl21-22/corpus.jsonl.gz"):
        yield "web", row["_id"], row["text"], ""
    for row in rows(data / "scifact/corpus.jsonl.gz"):
        yield "science", f"sf-{row['_id']}", first_words(f"{row['title']}\n{row['text']}", 120), ""
    medical = list(rows(data / "medquad/train.jsonl.gz"))
    for i, row in enumerate(rng.sample(medical, 3000)):
        yield "medicine", f"mq-{i}", first_words(row["passage"], 90), row["query"]
    for name, pool, count in (("gesetze-de", "law", 3500), ("mdn-de", "web-de", 2500)):
        every = list(rows(data / f"{name}/corpus.jsonl.gz"))
        for row in rng.sample([r for r in every if len(r["text"].split()) > 15], count):
            work, _, heading = row["title"].partition(" — ")
            body = first_words(row["text"], 90)
            text = body if rng.random() < 0.6 else f"{heading}\n{body}"
            yield pool, row["_id"], text, weak_query(work, heading, rng)
    for name, pool, count in (("tldr-de", "commands-de", 1000), ("tldr-en", "commands", 1500)):
        every = list(rows(data / f"{name}/train.jsonl.gz"))
        for i, row in enumerate(rng.sample(every, min(count, len(every)))):
            yield pool, f"{name}-{i}", row["passage"], row["query"]


def headings(heading: str) -> tuple[str, str]:
    """A section's heading, and the same without its number."""
    heading = heading.split("  ")[0].strip()
    return heading, heading.split(" ", 2)[-1] if heading.startswith("§") else heading


def weak_query(work: str, heading: str, rng: random.Random) -> str:
    """What somebody looking for this section might type: its heading, sometimes with the work."""
    heading, bare = headings(heading)
    forms = [bare, f"{bare} {work.split('(')[0].strip()}", f"was regelt {heading}", bare.lower()]
    return rng.choice(forms) if len(bare) > 3 else ""


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    asked: list[Row] = []
    with (given.out / "passages.jsonl").open("w", encoding="utf-8") as out:
        for pool, name, text, query in passages(given.data, rng):
            out.write(json.dumps({"id": name, "pool": pool, "text": text}, ensure_ascii=False))
            out.write("\n")
            if query:
                asked.append({"query": query, "pool": pool, "positive": name})
    asked += questions(given.data, rng)
    rng.shuffle(asked)
    with (given.out / "queries.jsonl").open("w", encoding="utf-8") as out:
        for row in asked:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    with (given.out / "trec.jsonl").open("w", encoding="utf-8") as out:
        for row in rows(given.data / "msmarco-dl21-22/queries.jsonl.gz"):
            out.write(json.dumps({"id": row["_id"], "query": row["text"]}) + "\n")
    print(f"{len(asked)} queries")


def questions(data: Path, rng: random.Random) -> Iterator[Row]:
    """Questions without judgements, asked of the web passages; claims with their abstracts."""
    wanted = {"msmarco": 9000, "nq": 3000, "miracl": 1000, "triviaqa": 1000, "dl23": 700}
    wanted["curatedtrec"] = 690
    every = list(rows(data / "questions/en.jsonl.gz"))
    rng.shuffle(every)
    for row in every:
        source = row["_id"].split("-")[0]
        if wanted.get(source, 0) > 0:
            wanted[source] -= 1
            yield {"query": row["text"], "pool": "web", "positive": ""}
    for row in rows(data / "questions/de.jsonl.gz"):
        yield {"query": row["text"], "pool": "web", "positive": ""}
    claims = {r["_id"]: r["text"] for r in rows(data / "scifact/queries.jsonl.gz")}
    for line in (data / "scifact/qrels/train.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if float(grade) > 0:
            yield {"query": claims[query], "pool": "science", "positive": f"sf-{document}"}
    for row in rows(data / "scifact/corpus.jsonl.gz"):
        if claim := conclusion(row["text"]):
            yield {"query": claim, "pool": "science", "positive": ""}


def conclusion(abstract: str) -> str:
    """The last sentence of an abstract, without its opening "we conclude that", if it is short."""
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z])", abstract.strip())[-1]
    claim = _OPENING.sub("", sentence)
    return claim[:1].upper() + claim[1:] if 40 < len(claim) < 200 else ""


if __name__ == "__main__":
    main()
