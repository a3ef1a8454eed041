"""How a tokenizer puts texts together: which special tokens go where, and their token types.

Read off the tokenizer itself by encoding a probe, so it holds for every post-processor: BERT's,
RoBERTa's, any template, with prompts among the special tokens or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from crossrank.errors import ModelError
from crossrank.models.tokens import Ids

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_PROBES: Final = (("a 1", "the b 2"), ("x", "y z 0 z"), ("the a the a", "1"))


@dataclass(frozen=True, slots=True)
class Part:
    """Some special tokens, or the place of a text (`text` 0 or 1; -1 for special tokens)."""

    text: int
    ids: tuple[int, ...]
    types: tuple[int, ...]


@dataclass(frozen=True)
class Template:
    """The parts of an input in order; `specials` is the number of its special tokens."""

    parts: tuple[Part, ...]

    @cached_property
    def specials(self) -> int:
        """How many tokens of an input are not of its texts."""
        return sum(len(part.ids) for part in self.parts)

    def join(self, *texts: Ids) -> tuple[Ids, Ids]:
        """The ids and the token types of an input made of these texts."""
        ids = [texts[at] if at >= 0 else fixed for at, fixed, _ in self._columns]
        types = [
            np.full(len(texts[at]), types[0], np.int32) if at >= 0 else types
            for at, _, types in self._columns
        ]
        return np.concatenate(ids), np.concatenate(types)

    @cached_property
    def _columns(self) -> list[tuple[int, Ids, Ids]]:
        return [
            (part.text, np.array(part.ids, np.int32), np.array(part.types, np.int32))
            for part in self.parts
        ]


def pair_template(tokenizer: Tokenizer) -> Template:
    """How `tokenizer` joins two texts. Raises ModelError when that depends on the texts."""
    return _template(tokenizer, _PROBES)


def single_template(tokenizer: Tokenizer) -> Template:
    """How `tokenizer` wraps one text. Raises ModelError when that depends on the text."""
    return _template(tokenizer, [(a,) for pair in _PROBES for a in pair])


def _template(tokenizer: Tokenizer, probes: Sequence[tuple[str, ...]]) -> Template:
    template = Template(_parts(_whole(tokenizer, probes[0])))
    for probe in probes:
        texts = [np.array(_bare(tokenizer, text), np.int32) for text in probe]
        whole = _whole(tokenizer, probe)
        places = {part.text for part in template.parts} >= set(range(len(probe)))
        if places and _same(template.join(*texts), whole):
            continue
        raise ModelError(
            f"a tokenizer that joins every {'pair' if len(probe) == 2 else 'text'} in the same way "
            f"wanted, this one makes {whole.tokens} of {probe}"
        )
    return template


def _parts(encoding: Encoding) -> tuple[Part, ...]:
    """The runs of special tokens and of tokens of the same text."""
    columns = zip(encoding.sequence_ids, encoding.ids, encoding.type_ids, strict=True)
    parts = []
    for text, run in groupby(columns, key=lambda column: column[0]):
        _, ids, types = zip(*run, strict=True)
        parts.append(Part(-1, ids, types) if text is None else Part(text, (), types[:1]))
    return tuple(parts)


def _whole(tokenizer: Tokenizer, texts: tuple[str, ...]) -> Encoding:
    first, second = texts if len(texts) == 2 else (texts[0], None)
    return tokenizer.encode(first, second)


def _bare(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def _same(joined: tuple[Ids, Ids], whole: Encoding) -> bool:
    ids, types = joined
    return bool(ids.tolist() == whole.ids and types.tolist() == whole.type_ids)
