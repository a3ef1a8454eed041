"""Terms of many texts: in this process for few, in a process for each core for many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, TypeVar, cast

import crossrank
from crossrank.errors import CollectionError
from crossrank.text.analyzer import Analyzer
from crossrank.text.worker import read_message, write_message

T = TypeVar("T")

ALONE: Final = 2_000_000
"""Characters analysed here before other processes are started, which takes them half a second."""
_PIECE: Final = 256
"""Texts in one message."""
_START: Final = "from crossrank.text.worker import main; main()"

Batch = tuple[T, list[str]]


class Analysis:
    """Turns texts into terms with one analyser. Use as a context; not thread safe.

    The processes are plain children with pipes, so a script needs no `__main__` guard; they end
    with this one, however it ends.
    """

    def __init__(self, analyzer: Analyzer, workers: int = 0) -> None:
        """`workers` 0 means one for each core, at most 16."""
        self._analyzer = analyzer
        self._workers = workers or min(len(os.sched_getaffinity(0)), 16)
        self._characters = 0
        self._ask: Callable[[list[str]], Future[list[str]]] | None = None
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
        """Each batch with the terms of its texts in their place, in order.

        A batch or two are read ahead, so that the processes have work while the caller writes.
        """
        waiting: deque[tuple[T, list[Future[list[str]]]]] = deque()
        for payload, texts in batches:
            waiting.append((payload, self._submit(texts)))
            if len(waiting) > 2 or self._ask is None:
                yield _collected(*waiting.popleft())
        while waiting:
            yield _collected(*waiting.popleft())

    def _submit(self, texts: list[str]) -> list[Future[list[str]]]:
        self._characters += sum(map(len, texts))
        if self._ask is None and self._workers > 1 and self._characters > ALONE:
            self._ask = self._start()
        if self._ask is None:
            done: Future[list[str]] = Future()
            done.set_result(self._analyzer.documents(texts))
            return [done]
        return [self._ask(texts[at : at + _PIECE]) for at in range(0, len(texts), _PIECE)]

    def _start(self) -> Callable[[list[str]], Future[list[str]]]:
        idle = deque(
            self._open.enter_context(_Worker(self._analyzer)) for _ in range(self._workers)
        )
        pool = self._open.enter_context(ThreadPoolExecutor(self._workers))

        def ask(texts: list[str]) -> list[str]:
            worker = idle.popleft()  # as many threads as workers: one is always idle
            try:
                return worker.terms(texts)
            finally:
                idle.append(worker)

        return lambda texts: pool.submit(ask, texts)


def _collected(payload: T, parts: list[Future[list[str]]]) -> Batch[T]:
    return payload, [terms for part in parts for terms in part.result()]


class _Worker:
    """One other process, as a context."""

    def __init__(self, analyzer: Analyzer) -> None:
        source = str(Path(crossrank.__file__).parents[1])
        path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._settings = [json.dumps(analyzer.to_dict())]

    def __enter__(self) -> Self:
        self._send(self._settings)
        return self

    def __exit__(self, *_: object) -> None:
        # closed first, a worker ends by itself; one that is still at work is not waited for
        self._process.kill()
        self._process.communicate()

    def terms(self, texts: list[str]) -> list[str]:
        """The terms of texts; CollectionError when the process died."""
        try:
            self._send(texts)
            return read_message(cast(BinaryIO, self._process.stdout))
        except (OSError, EOFError) as error:
            raise CollectionError(
                f"a process that analyses text ended early (exit code {self._process.poll()}): "
                "was it killed for want of memory? What is stored is intact; run it again"
            ) from error

    def _send(self, texts: list[str]) -> None:
        write_message(cast(BinaryIO, self._process.stdin), texts)
