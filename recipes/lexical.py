"""How rare the pieces of the shipped vocabulary are, for crossrank-small's view of them.

Counted in how many passages each piece of the model's own tokenizer occurs, German and English
apart and without XQuAD.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from crossrank.models.template import pair_template
from crossrank.models.tokens import load_tokenizer
from crossrank.train.e5file import Floats
from crossrank.train.lexical import Frequencies, piece_frequencies, rarity

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


def rarity_table(tokenizer_file: Path, data: Path) -> tuple[Floats, int]:
    """The rarity of every piece, and how many tokens stand before a query's own text."""
    tokenizer = load_tokenizer(tokenizer_file)
    counted: list[Frequencies] = []
    for language in LANGUAGES:
        counted.append(piece_frequencies(tokenizer, texts(data, language)))
        print(language, counted[-1].documents, "passages")
    table = rarity(counted, list(tokenizer.get_added_tokens_decoder()))
    return table, len(pair_template(tokenizer).parts[0].ids)
