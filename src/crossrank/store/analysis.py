"""Terms of many texts: in this process for few, with one more process for each core for many."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossrank.store.chunks import LANGUAGES, Codes, Cut, cut, languages, together
from crossrank.store.workers import Ask, elsewhere, here
from crossrank.text.analyzer import Analyzer
from crossrank.text.recent import Recent

T = TypeVar("T")

ALONE: Final = 2_000_000
"""Bytes analysed here before other processes are started, which takes them half a second."""
KEPT: Final = 200_000
"""Chunks whose terms are kept, twice that at the most."""
_PIECE: Final = 2000
"""Chunks in one message."""

Batch = tuple[T, pa.Array]


class Analysis:
    """Turns texts into terms with one analyser. Use as a context; not thread safe.

    Texts are cut into chunks here, and each chunk that was not seen lately goes to one of the
    other processes once.
    """

    def __init__(self, analyzer: Analyzer, workers: int = 0) -> None:
        """`workers` 0 means one for each core, at most 16."""
        self._analyzer = analyzer
        self._workers = workers or min(len(os.sched_getaffinity(0)), 16)
        self._size = 0
        self._kept = [_Kept() for _ in LANGUAGES]
        self._ask: Ask = here(analyzer)
        self._alone = True
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._open.close()

    def of(self, batches: Iterable[Batch[T]]) -> Iterator[Batch[T]]:
        """`of_cut` of texts that are cut here."""
        with Cutting(batches, self._analyzer.quantities) as cutting:
            yield from self.of_cut(cutting)

    def of_cut(self, cutting: Cutting[T]) -> Iterator[Batch[T]]:
        """Each batch with the terms of its texts in their place, in order: a string array too.

        Where they are many, two batches are read ahead, so that the processes have work while the
        caller writes.
        """
        last: list[tuple[T, _Asked]] = []
        for payload, now in cutting.each(self._many):
            # what the last batch brings need not be asked for this one
            done = [(earlier, cutting.join(self._finish(asked))) for earlier, asked in last]
            last = [(payload, self._look_up(now))]
            if self._alone:
                done, last = [(payload, cutting.join(self._finish(last[0][1])))], []
            yield from ((earlier, joined.result()) for earlier, joined in done)
        yield from ((p, cutting.join(self._finish(asked)).result()) for p, asked in last)

    def _many(self, size: int) -> bool:
        """Whether other processes are at work, now that so many bytes more are to be analysed."""
        self._size += size
        if self._alone and self._workers > 1 and self._size > ALONE:
            self._alone = False
            self._ask = elsewhere(self._analyzer, self._workers, self._open)
        return not self._alone

    def _look_up(self, texts: Cut) -> _Asked:
        """Asks for the terms of those chunks that are not known."""
        states, rows = self._by_language(texts)
        chunks = texts.distinct.to_pylist()
        asked = _Asked(texts, rows, [], [])
        for number in np.unique(states // len(chunks)).tolist() if chunks else []:
            mine = states[states // len(chunks) == number] % len(chunks)
            self._ask_for(asked, number, [chunks[code] for code in mine.tolist()])
        return asked

    def _by_language(self, texts: Cut) -> tuple[Codes, Codes]:
        """The pairs of language and chunk in use, as one number, and the pair of each chunk."""
        if self._analyzer.language != "auto":
            number = LANGUAGES.index(self._analyzer.language)
            distinct = len(texts.distinct)
            return np.arange(distinct, dtype=np.int32) + number * distinct, texts.codes
        pairs = texts.codes + len(texts.distinct) * languages(texts)[texts.owners()]
        used = np.zeros(len(LANGUAGES) * len(texts.distinct), bool)
        used[pairs] = True
        rows = np.cumsum(used, dtype=np.int32) - 1
        return np.flatnonzero(used).astype(np.int32), rows[pairs]

    def _ask_for(self, asked: _Asked, number: int, chunks: list[str]) -> None:
        kept, first = self._kept[number], len(asked.terms)
        asked.terms.extend(kept.find(chunks))
        unknown = [n for n, terms in enumerate(asked.terms[first:]) if terms is None]
        unknown.sort(key=chunks.__getitem__)  # like ones to one process: it knows their parts
        for start in range(0, len(unknown), _PIECE):
            places = unknown[start : start + _PIECE]
            wanted = [chunks[place] for place in places]
            answer = self._ask(LANGUAGES[number], wanted)
            asked.gaps.append(_Gap(kept, [first + place for place in places], wanted, answer))

    def _finish(self, asked: _Asked) -> _Asked:
        """The batch without gaps."""
        for gap in asked.gaps:
            answer = gap.answer.result()
            gap.kept.add(gap.chunks, answer)
            for place, terms in zip(gap.places, answer, strict=True):
                asked.terms[place] = terms
        return asked


class Cutting(Generic[T]):
    """Batches of texts that threads cut into chunks ahead of need. Use as a context."""

    def __init__(self, batches: Iterable[Batch[T]], quantities: bool, ahead: int = 0) -> None:
        """`ahead` batches are read and begun at once."""
        self._threads = ThreadPoolExecutor(2, "columns")
        self._batches = iter(batches)
        self._quantities = quantities
        self._begun: deque[tuple[T, int, Future[Cut]]] = deque()
        self._begin(ahead)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def each(self, many: Callable[[int], bool]) -> Iterator[tuple[T, Cut]]:
        """The batches in order; the one after next is begun where `many` says so of their size."""
        self._begin(1)
        while self._begun:
            payload, size, begun = self._begun.popleft()
            if many(size) and not self._begun:
                self._begin(1)
            yield payload, begun.result()
            self._begin(not self._begun)

    def join(self, asked: _Asked) -> Future[pa.Array]:
        """The terms of each text of a batch without gaps."""
        return self._threads.submit(together, asked.texts, asked.terms, asked.rows)

    def _begin(self, count: int) -> None:
        for payload, texts in islice(self._batches, count):
            size = pc.sum(pc.binary_length(texts)).as_py() or 0
            begun = self._threads.submit(cut, texts, self._quantities)
            self._begun.append((payload, size, begun))


class _Kept(Recent):
    """Terms by chunk, found and added many at a time."""

    def find(self, chunks: list[str]) -> list[str | None]:
        """The terms of each chunk, None where they are not known."""
        found = [*map(self.get, chunks)]
        for place, chunk in enumerate(chunks):
            if found[place] is None:
                found[place] = self.again(chunk)
        return found

    def add(self, chunks: list[str], terms: list[str]) -> None:
        """Keeps the terms of chunks."""
        self.age(KEPT)
        self.update(zip(chunks, terms, strict=True))


@dataclass(frozen=True, slots=True)
class _Gap:
    """Chunks whose terms were asked for, and where they belong."""

    kept: _Kept
    places: list[int]
    chunks: list[str]
    answer: Future[list[str]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A batch on its way: chunk i has the terms at `rows[i]` of `terms`, None yet in the gaps."""

    texts: Cut
    rows: Codes
    terms: list[str | None]
    gaps: list[_Gap]
