"""A language small enough to learn in seconds: topics, their words, and a two-layer BERT."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

TOPICS = ("kalt", "warm", "laut", "leise", "rot", "blau", "gross", "klein")
GOOD = ("gut", "fein", "toll")
NOISE = tuple(f"wort{i}" for i in range(12))


def write_model(folder: Path, seed: int = 0, layers: int = 2) -> Path:
    """A randomly initialised BERT with a WordPiece tokenizer of the tiny language."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    from crossrank.train.students.quiet import quiet

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *TOPICS, *GOOD, *NOISE, "##e", "##en"]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        model_max_length=64,
    )
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=0.1,
        initializer_range=0.2,
    )
    with quiet():
        BertModel(config).save_pretrained(str(folder))
        fast.save_pretrained(str(folder))
    return folder


def write_groups(
    path: Path, queries: int, seed: int = 0, documents: int = 6, match: bool = True
) -> Path:
    """Queries that name a topic, documents of different topics, the first one relevant (label 1).

    With `match` it is the one that names the query's topic; else it is praised, and topics say
    nothing: what a cross-encoder sees in a few steps.
    """
    draw = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as out:
        for number in range(queries):
            topics = draw.permutation(TOPICS)[:documents]
            asked = topics[0 if match else -1]
            texts = [f"{topic} {' '.join(draw.choice(NOISE, 3))}" for topic in topics]
            if not match:
                texts[0] = " ".join([*texts[0].split()[:-2], *draw.choice(GOOD, 2)])
            members = [{"text": text, "label": float(i == 0)} for i, text in enumerate(texts)]
            row = {
                "query_id": f"{path.stem}-{number}",
                "query": f"{asked} {draw.choice(NOISE)}",
                "documents": members,
            }
            out.write(json.dumps(row) + "\n")
    return path
