"""Token ids of many texts, ragged and flat; padding is the business of a backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput, ModelError
from crossrank.types import Offsets

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = npt.NDArray[np.int32]
_STORED: Final = 1 << 20  # token ids kept for texts that come again: 4 MB and the texts


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Inputs of a model: input i is ids[offsets[i]:offsets[i+1]], with their token types.

    ids, types: int32 [T]; offsets: int64 [n + 1].
    """

    ids: Ids
    types: Ids
    offsets: Offsets

    @classmethod
    def of(cls, inputs: Sequence[tuple[Ids, Ids]]) -> TokenBatch:
        """A batch from one (ids, types) for each input."""
        offsets = np.zeros(len(inputs) + 1, dtype=np.int64)
        np.cumsum([len(ids) for ids, _ in inputs], out=offsets[1:])
        empty = np.empty(0, np.int32)
        return cls(
            np.concatenate([empty, *(ids for ids, _ in inputs)]),
            np.concatenate([empty, *(types for _, types in inputs)]),
            offsets,
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def lengths(self) -> Offsets:
        """The number of tokens of each input: int64 [n]."""
        return np.diff(self.offsets)


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in `path` (tokenizer.json, or the vocab.txt of a BERT), set up for good.

    It neither pads nor truncates and is never changed afterwards, so threads may share it.
    """
    from tokenizers import Tokenizer

    try:
        found = _of_vocabulary(path) if path.suffix == ".txt" else Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"a tokenizer wanted in {path}, it cannot be read: {error}") from error
    found.no_padding()
    found.no_truncation()
    return found


def _of_vocabulary(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    from crossrank.models.settings import read_json

    lower = bool(read_json(path.parent / "tokenizer_config.json").get("do_lower_case", True))
    words = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    ids = {word: i for i, word in enumerate(words)}
    made = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lower)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.add_special_tokens([w for w in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") if w in ids])
    made.post_processor = processors.BertProcessing(
        ("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"])
    )
    return made


class TokenStore:
    """Reads texts, each one once while its ids are kept; forgets them all when they grow many.

    For one thread: every job has its own.
    """

    __slots__ = ("_count", "_ids", "_limit", "_tokenizer")

    def __init__(self, tokenizer: Tokenizer, limit: int = _STORED) -> None:
        self._tokenizer, self._limit = tokenizer, limit
        self._ids: dict[str, Ids] = {}
        self._count = 0

    def read(self, texts: Sequence[str]) -> list[Ids]:
        """The token ids of each text, without special tokens. Raises BadInput for non-strings."""
        if self._count > self._limit:
            self._ids, self._count = {}, 0
        fresh = [text for text in dict.fromkeys(texts) if text not in self._ids]
        for text, ids in zip(fresh, _encode(self._tokenizer, fresh), strict=True):
            self._ids[text] = ids
            self._count += len(ids)
        return [self._ids[text] for text in texts]


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Ids]:
    for text in texts:
        if not isinstance(text, str):
            raise BadInput(f"texts wanted, got {type(text).__name__}: {text!r:.80}")
    try:
        found = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    except (TypeError, UnicodeEncodeError):  # half surrogates, which no tokenizer takes
        whole = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        found = tokenizer.encode_batch_fast(whole, add_special_tokens=False)
    return [np.array(each.ids, dtype=np.int32) for each in found]
