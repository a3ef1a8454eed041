"""Gives a gated cross-encoder its view of rare pieces, and the weights of all four views.

python recipes/lexical.py --data DATA --model DIR [--weights 65,0,20,20]

Counts in how many passages each piece of the model's own tokenizer occurs, German and English apart
and without XQuAD, and writes the table and the nodes into DIR/model.onnx. All trained weights stay
byte for byte. Run calibrate.py afterwards: the scores have moved.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import onnx

from crossrank.models.template import pair_template
from crossrank.models.tokens import load_tokenizer
from crossrank.train.lexical import Frequencies, piece_frequencies, rarity, with_rare_view

LANGUAGES = {
    "en": (
        ("msmarco-dl21-22/corpus", ("text",), 27_200),
        ("scifact/corpus", ("title", "text"), 5_200),
        ("medquad/train", ("passage",), 16_500),
        ("tldr-en/train", ("passage", "query"), 5_000),
        ("wikiqa/train", ("passage",), 21_000),
    ),
    "de": (
        ("gesetze-de/corpus", ("title", "text"), 24_000),
        ("mdn-de/corpus", ("title", "text"), 24_000),
        ("tldr-de/train", ("passage", "query"), 5_000),
    ),
}
LONGEST = 1500  # characters of a text that are counted


def texts(data: Path, language: str) -> Iterator[str]:
    """The passages of one language, each once in its set."""
    for file, keys, limit in LANGUAGES[language]:
        with gzip.open(data / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = (json.loads(line) for line in islice(lines, limit))
            yield from dict.fromkeys(" ".join(str(r[k]) for k in keys)[:LONGEST] for r in rows)


def main() -> None:
    """Writes the model again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument(
        "--weights", default="65,0,20,20", help="of cosine, lower, top and rare match"
    )
    given = parser.parse_args()
    tokenizer = load_tokenizer(given.model / "tokenizer.json")
    counted: list[Frequencies] = []
    for language in LANGUAGES:
        counted.append(piece_frequencies(tokenizer, texts(given.data, language)))
        print(language, counted[-1].documents, "passages")
    table = rarity(counted, list(tokenizer.get_added_tokens_decoder()))
    opening = len(pair_template(tokenizer).parts[0].ids)
    weights = np.array([float(each) for each in given.weights.split(",")], np.float32)
    path = given.model / "model.onnx"
    onnx.save(with_rare_view(onnx.load(path), table, weights, opening), path)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {opening} tokens before a query")


if __name__ == "__main__":
    main()
