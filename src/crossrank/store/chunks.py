"""Many texts at once, as Arrow columns: cut at white space, and their terms put together again.

The steps of `Analyzer.document`, but for the terms of single chunks, which come from outside: each
different chunk is looked at once in a batch, and most of the work is done without Python objects
and without its lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossrank.text.language import (
    ENGLISH_SIGNS,
    GERMAN_SIGNS,
    LOOKED_AT,
    UMLAUT,
    Language,
    decide,
)
from crossrank.text.lex import GLUE_LATE, GLUE_LATE_BY, MAY_GLUE, WHITE_SPACE, glue

Codes = npt.NDArray[np.int32]

LANGUAGES: Final[tuple[Language | None, ...]] = ("de", "en", None)


@dataclass(frozen=True, slots=True)
class Cut:
    """Texts as chunks: number `codes[i]` of `distinct`, text t from `offsets[t]` on."""

    distinct: pa.Array
    codes: Codes
    offsets: Codes

    def owners(self) -> Codes:
        """The number of the text that each chunk belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets))


def cut(texts: pa.Array, quantities: bool) -> Cut:
    """The chunks of texts, glued first where quantities are told from words."""
    ready = glued(texts) if quantities else texts
    if pc.any(pc.match_substring_regex(ready, WHITE_SPACE)).as_py():
        ready = pc.replace_substring_regex(ready, WHITE_SPACE, " ")
    found = pc.ascii_split_whitespace(pc.ascii_trim_whitespace(ready))
    encoded = found.values.dictionary_encode()
    return Cut(encoded.dictionary, encoded.indices.to_numpy(), found.offsets.to_numpy())


def glued(texts: pa.Array) -> pa.Array:
    """`glue` of each text; few need more than its last rule."""
    mask = pc.match_substring_regex(texts, MAY_GLUE)
    some = texts.filter(mask).to_pylist()
    if some:
        texts = pc.replace_with_mask(texts, mask, pa.array(map(glue, some), pa.string()))
    return pc.replace_substring_regex(texts, GLUE_LATE, GLUE_LATE_BY)


def languages(cut: Cut) -> Codes:
    """The language of each text as a place in LANGUAGES, as `detect` tells it."""
    owners = cut.owners()
    near = np.arange(len(owners)) - cut.offsets[owners] < LOOKED_AT
    owners, codes = owners[near].astype(np.int64), cut.codes[near]

    def count(signs: pa.Array) -> list[int]:
        """How many different chunks with a sign each text has."""
        telling = signs.to_numpy(zero_copy_only=False)[codes]
        seen = np.unique(owners[telling] * len(signs) + codes[telling]) // len(signs)
        found: list[int] = np.bincount(seen, minlength=len(cut.offsets) - 1).tolist()
        return found

    counts = zip(
        count(pc.is_in(cut.distinct, pa.array(GERMAN_SIGNS, pa.string()))),
        count(pc.is_in(cut.distinct, pa.array(ENGLISH_SIGNS, pa.string()))),
        count(pc.match_substring_regex(cut.distinct, UMLAUT)),
        strict=True,
    )
    return np.array([LANGUAGES.index(decide(*each)) for each in counts], np.int32)


def together(cut: Cut, terms: Sequence[str | None], rows: Codes) -> pa.Array:
    """The terms of each text, with blanks between them; chunk i has those at `rows[i]`."""
    table = pa.array(terms, pa.string())
    some = pc.not_equal(table, "").to_numpy(zero_copy_only=False)[rows]
    ends = np.zeros(len(rows) + 1, np.int32)
    np.cumsum(some, out=ends[1:])
    values = table.take(pa.array(rows[some]))
    lists = pa.ListArray.from_arrays(pa.array(ends[cut.offsets]), values)
    return pc.binary_join(lists, " ")
