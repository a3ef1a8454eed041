"""Trims the vocabulary of any fast tokenizer: WordPiece, unigram, BPE. Scores stay the same.

Text whose pieces all survive is cut as before: WordPiece takes the longest piece there is,
unigram the likeliest path, and for BPE every merge that leads to a kept piece is kept too. With
the embedding rows of the kept pieces the model then scores it as before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tokenizers import Tokenizer

from crossrank.errors import BadInput
from crossrank.train.trim import count_pieces

Json = dict[str, Any]
LATIN: Final = 0x250
"""Single characters below this code are kept even where the texts lack them."""


def trimmed_tokenizer(
    tokenizer_json: str, texts: Iterable[str], size: int
) -> tuple[str, list[int]]:
    """The tokenizer.json with the `size` most frequent pieces of `texts`, and the old ids kept.

    Kept in any case: special tokens, the unknown piece, single Latin characters and those that
    occur, and what BPE builds the kept pieces from. Entry i of the ids is the old id of piece i.
    """
    document: Json = json.loads(tokenizer_json)
    document["truncation"] = document["padding"] = None
    counts = count_pieces(Tokenizer.from_str(json.dumps(document)), texts)
    pieces = _pieces(document)
    keep = _chosen(document, pieces, counts, size)
    return json.dumps(_with_only(document, pieces, keep), ensure_ascii=False), keep


def _chosen(
    document: Json, pieces: Sequence[str], counts: Mapping[int, int], size: int
) -> list[int]:
    parts = _parts(document)
    specials = _specials(document)
    keep = {i for i, piece in enumerate(pieces) if piece in specials}
    keep |= {i for i, piece in enumerate(pieces) if _single(piece, counts.get(i, 0))}
    if size < len(keep):
        raise BadInput(f"a vocabulary of at least {len(keep)} pieces wanted, got {size}")
    for index in sorted(counts, key=lambda i: (-counts[i], i)):
        if len(keep) >= size:
            break
        _add(index, keep, parts)
    return sorted(keep)


def _single(piece: str, count: int) -> bool:
    bare = piece.removeprefix("##").lstrip("▁")
    return len(bare) <= 1 and (count > 0 or all(ord(c) < LATIN for c in bare))


def _add(index: int, keep: set[int], parts: Mapping[int, tuple[int, int]]) -> None:
    """Keeps a piece and all that it is merged from."""
    waiting = [index]
    while waiting:
        piece = waiting.pop()
        if piece not in keep:
            keep.add(piece)
            waiting.extend(parts.get(piece, ()))


def _pieces(document: Json) -> list[str]:
    """All pieces by id; a tokenizer whose ids have gaps is refused."""
    model = document["model"]
    if model["type"] == "Unigram":
        by_id = dict(enumerate(piece for piece, _ in model["vocab"]))
    elif model["type"] in ("WordPiece", "BPE", "WordLevel"):
        by_id = {index: piece for piece, index in model["vocab"].items()}
    else:
        raise BadInput(f"a WordPiece, unigram or BPE tokenizer wanted, got {model['type']!r}")
    by_id.update({added["id"]: added["content"] for added in document["added_tokens"]})
    if set(by_id) != set(range(len(by_id))):
        raise BadInput("a tokenizer whose ids run from 0 without gaps wanted, this one has gaps")
    return [by_id[i] for i in range(len(by_id))]


def _specials(document: Json) -> set[str]:
    model = document["model"]
    found = {added["content"] for added in document["added_tokens"]}
    if isinstance(model.get("unk_token"), str):
        found.add(model["unk_token"])
    if isinstance(model.get("unk_id"), int):
        found.add(model["vocab"][model["unk_id"]][0])
    return found


def _parts(document: Json) -> dict[int, tuple[int, int]]:
    """For BPE, the ids of the two pieces that each piece is merged from."""
    model = document["model"]
    if model["type"] != "BPE":
        return {}
    ids = model["vocab"]
    found: dict[int, tuple[int, int]] = {}
    for left, right in map(_merge, model["merges"]):
        found.setdefault(ids[left + right], (ids[left], ids[right]))
    return found


def _merge(rule: str | Sequence[str]) -> tuple[str, str]:
    left, right = rule.split(" ", 1) if isinstance(rule, str) else rule
    return left, right


def _with_only(document: Json, pieces: Sequence[str], keep: Sequence[int]) -> Json:
    new = {old: number for number, old in enumerate(keep)}
    model = dict(document["model"])
    kept = {pieces[old] for old in keep}
    if model["type"] == "Unigram":
        vocab = model["vocab"]
        model["vocab"] = [vocab[old] for old in keep if old < len(vocab)]
        if model.get("unk_id") is not None:
            model["unk_id"] = new[model["unk_id"]]
    else:
        model["vocab"] = {pieces[old]: number for old, number in new.items()}
    if model["type"] == "BPE":
        merges = [(rule, _merge(rule)) for rule in model["merges"]]
        model["merges"] = [
            rule for rule, (left, right) in merges if {left, right, left + right} <= kept
        ]
    added = [{**each, "id": new[each["id"]]} for each in document["added_tokens"]]
    processor = _renumbered(document.get("post_processor"), new)
    return {**document, "model": model, "added_tokens": added, "post_processor": processor}


def _renumbered(processor: Any, new: Mapping[int, int]) -> Any:
    """The post-processor with the new ids of the special tokens it adds."""
    if not isinstance(processor, dict):
        return processor
    if processor["type"] == "Sequence":
        return {**processor, "processors": [_renumbered(p, new) for p in processor["processors"]]}
    if processor["type"] == "TemplateProcessing":
        tokens = {
            name: {**token, "ids": [new[i] for i in token["ids"]]}
            for name, token in processor["special_tokens"].items()
        }
        return {**processor, "special_tokens": tokens}
    pairs = {k: v for k, v in processor.items() if k in ("cls", "sep")}
    return {**processor, **{k: [text, new[index]] for k, (text, index) in pairs.items()}}
