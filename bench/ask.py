"""Question answering on XQuAD: is the right passage first, is the answer in the chosen sentence.

python bench/ask.py --data DATA [--language de en] [--questions N] [--model NAME] [--json FILE]

Passages: the paragraph BM25 puts first, against the one the cross-encoder puts first of BM25's
best 10. Sentences: of the right paragraph, the sentence chosen by each weight of context, against
the first sentence, the one with most of the question's words, and chance.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crossrank.io.beir import Dataset, read_beir
from crossrank.io.lines import numbered_lines
from crossrank.models import CrossEncoder
from crossrank.rerank import Rerank
from crossrank.retrieve import MemoryBM25
from crossrank.tasks.answers import sentence_scores
from crossrank.text.sentences import sentences
from crossrank.types import Queries, Ranking, Search

CONTEXTS = (0.0, 0.25, 0.5, 0.75, 1.0)
Span = tuple[int, int]


def answer_spans(folder: Path) -> dict[str, tuple[str, list[Span]]]:
    """Question id -> the paragraph and the places of its answers."""
    rows = [json.loads(line) for _, line in numbered_lines(folder / "answers.jsonl.gz")]
    return {
        row["_id"]: (
            row["passage"],
            [(a["answer_start"], a["answer_start"] + len(a["text"])) for a in row["answers"]],
        )
        for row in rows
    }


def holds(sentence: Span, spans: Sequence[Span]) -> bool:
    """Whether an answer lies in the sentence."""
    return any(sentence[0] <= low and high <= sentence[1] for low, high in spans)


def passage_accuracy(run: Ranking, gold: Sequence[str]) -> float:
    """Share of questions whose first passage is the right one."""
    first = [run.corpus.ids(rows[:1]) for rows, _ in run]
    return float(np.mean([each == [name] for each, name in zip(first, gold, strict=True)]))


def sentence_accuracy(
    scorer: CrossEncoder,
    bm25: MemoryBM25,
    questions: Sequence[str],
    texts: Sequence[str],
    answers: Sequence[list[Span]],
) -> dict[str, float]:
    """Share of questions whose chosen sentence holds the answer, by way of choosing."""
    hits: dict[str, list[float]] = {}
    for question, text, spans in zip(questions, texts, answers, strict=True):
        cut = sentences(text)
        right = [holds(each, spans) for each in cut]
        asked = set(bm25.analyzer.query(question))
        shared = [len(asked & set(bm25.analyzer.query(text[a:b]))) for a, b in cut]
        alone = sentence_scores(scorer, question, text, cut, context=0.0)
        wide = sentence_scores(scorer, question, text, cut, context=1.0)
        chosen = {"first sentence": 0, "most shared words": int(np.argmax(shared))}
        for weight in CONTEXTS:
            mixed = (1 - weight) * alone + weight * wide
            chosen[f"cross-encoder, context {weight:g}"] = int(mixed.argmax())
        for name, at in chosen.items():
            hits.setdefault(name, []).append(float(right[at]))
        hits.setdefault("chance", []).append(float(np.mean(right)))
    return {name: float(np.mean(values)) for name, values in hits.items()}


def first_questions(dataset: Dataset, count: int) -> Search:
    """Questions spread over all articles."""
    step = max(len(dataset.search.queries) // count, 1) if count else 1
    part = slice(None, None, step)
    queries = dataset.search.queries
    return Search(Queries(queries.ids[part], queries.texts[part]), dataset.search.corpus)


def main() -> None:
    """Prints one table a language."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--language", nargs="+", default=["de", "en"])
    parser.add_argument("--questions", type=int, default=200, help="0 for all 1190")
    parser.add_argument("--model", default="crossrank-small")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scorer = CrossEncoder(given.model)
    found: dict[str, Any] = {}
    for language in given.language:
        folder = given.data / f"xquad-{language}"
        search = first_questions(read_beir(folder), given.questions)
        known = answer_spans(folder)
        gold = [known[name][0] for name in search.queries.ids]
        bm25 = MemoryBM25.learned(search.corpus, language, 10)
        candidates = bm25(search)
        texts = search.corpus.texts(search.corpus.find(gold))
        answers = [known[name][1] for name in search.queries.ids]
        found[language] = {
            "questions": len(search.queries),
            "passage": {
                "BM25": passage_accuracy(candidates, gold),
                "cross-encoder": passage_accuracy(Rerank(scorer, depth=10)(candidates), gold),
            },
            "sentence": sentence_accuracy(scorer, bm25, search.queries.texts, texts, answers),
        }
        print(f"xquad-{language}, {len(search.queries)} questions")
        for what in ("passage", "sentence"):
            for name, value in found[language][what].items():
                print(f"  {what:9} {name:28} {value:.3f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
