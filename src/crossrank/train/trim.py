"""Makes a small model of a large multilingual one: fewer pieces, fewer layers, same scores.

A unigram tokenizer picks the segmentation of highest total log probability. Removing pieces that
are not on that path leaves the path the best one, so text whose pieces all survive is cut as
before and, with the same embedding rows, scored as before.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from crossrank.errors import BadInput
from crossrank.train.e5file import Floats, Vocabulary

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_LAYER = "encoder.layer."


def build_tokenizer(vocabulary: Vocabulary, charsmap: bytes, pair_types: bool) -> Tokenizer:
    """A fast tokenizer of these pieces: SentencePiece's normalisation, then unigram.

    With `pair_types` the second text of a pair gets token type 1 and one separator, else the
    XLM-R form (`<s> a </s></s> b </s>`, type 0 throughout).
    """
    if vocabulary.pieces[:4] != SPECIALS[:4]:
        raise BadInput(f"wanted the pieces {SPECIALS[:4]} first, got {vocabulary.pieces[:4]}")
    pieces = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Precompiled(charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([piece for piece in SPECIALS if piece in vocabulary.pieces])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> $B:1 </s>:1" if pair_types else "<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def count_pieces(tokenizer: Tokenizer, texts: Iterable[str], batch: int = 2000) -> Counter[int]:
    """How often each piece id occurs in `texts`, without the special tokens."""
    counts: Counter[int] = Counter()
    buffer: list[str] = []
    for text in texts:
        buffer.append(text)
        if len(buffer) == batch:
            _count(tokenizer, buffer, counts)
            buffer = []
    _count(tokenizer, buffer, counts)
    return counts


def _count(tokenizer: Tokenizer, texts: list[str], counts: Counter[int]) -> None:
    for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False):
        counts.update(encoding.ids)


def choose_pieces(
    vocabulary: Vocabulary,
    counts: Mapping[str, Counter[int]],
    size: int,
    single_characters_below: int = 0x250,
    prior_weight: float = 1.0,
) -> list[int]:
    """The ids to keep, ascending: specials, characters, then the most useful pieces up to `size`.

    A piece seen in any corpus is worth the sum of its relative frequencies over the corpora
    (each corpus counts the same, however long) plus `prior_weight` times the vocabulary's own
    probability, which stands for general text where the corpora are narrow.
    """
    keep = {i for i, piece in enumerate(vocabulary.pieces) if piece in SPECIALS}
    worth = _worth(vocabulary, counts, prior_weight)
    for index, piece in enumerate(vocabulary.pieces):
        bare = piece.lstrip("▁")
        plain = len(bare) <= 1 and all(ord(c) < single_characters_below for c in bare)
        number = bare.isdigit() and len(bare) <= 2
        seen = len(bare) == 1 and worth.get(index, 0.0) > 0
        if plain or number or seen:
            keep.add(index)
    for index in sorted(worth, key=lambda i: (-worth[i], i)):
        if len(keep) >= size:
            break
        keep.add(index)
    return sorted(keep)


def _worth(
    vocabulary: Vocabulary, counts: Mapping[str, Counter[int]], prior_weight: float
) -> dict[int, float]:
    worth: dict[int, float] = {}
    for counter in counts.values():
        total = counter.total() or 1
        for index, count in counter.items():
            worth[index] = worth.get(index, 0.0) + count / total
    for index in worth:
        worth[index] += prior_weight * math.exp(vocabulary.scores[index])
    return worth


def trim_vocabulary(vocabulary: Vocabulary, ids: Sequence[int]) -> Vocabulary:
    """The same pieces and log probabilities, only those of `ids`, renumbered in that order."""
    return Vocabulary(
        tuple(vocabulary.pieces[i] for i in ids),
        tuple(vocabulary.scores[i] for i in ids),
        vocabulary.normalisation,
    )


def trim_embeddings(tensors: Mapping[str, Floats], ids: Sequence[int]) -> dict[str, Floats]:
    """The tensors with only these rows of the word embeddings; the rest is shared, not copied."""
    name = "embeddings.word_embeddings.weight"
    return {**tensors, name: tensors[name][np.asarray(ids)]}


def keep_layers(tensors: Mapping[str, Floats], layers: Sequence[int]) -> dict[str, Floats]:
    """The tensors with only these encoder layers, renumbered from 0 in the given order."""
    out = {name: value for name, value in tensors.items() if not name.startswith(_LAYER)}
    for new, old in enumerate(layers):
        prefix = f"{_LAYER}{old}."
        part = {name: value for name, value in tensors.items() if name.startswith(prefix)}
        if not part:
            raise BadInput(f"wanted layer {old}, the model has none of that number")
        for name, value in part.items():
            out[f"{_LAYER}{new}.{name[len(prefix) :]}"] = value
    return out


def write_tokenizer(tokenizer: Tokenizer, directory: Path, max_length: int) -> None:
    """Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
    named = {
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    config = {
        **named,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    for name, content in (("tokenizer_config", config), ("special_tokens_map", named)):
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")
