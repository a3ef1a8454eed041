"""Processes that find the terms of chunks for this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, Self, cast

import crossrank
from crossrank.errors import CollectionError
from crossrank.text.analyzer import Analyzer
from crossrank.text.language import Language
from crossrank.text.worker import read_message, write_message

Ask = Callable[[Language | None, list[str]], Future[list[str]]]
"""Gives the terms of chunks in texts of a language, some time."""

_START: Final = "from crossrank.text.worker import main; main()"


def here(analyzer: Analyzer) -> Ask:
    """Finds the terms in this process, at once."""

    def ask(language: Language | None, chunks: list[str]) -> Future[list[str]]:
        done: Future[list[str]] = Future()
        done.set_result(analyzer.chunks(language, chunks))
        return done

    return ask


def elsewhere(analyzer: Analyzer, count: int, open_until: ExitStack) -> Ask:
    """Finds the terms in so many other processes, until the stack is closed.

    They are plain children with pipes, so a script needs no `__main__` guard; they end with this
    process, however it ends.
    """
    started = [Worker(analyzer) for _ in range(count)]
    idle = deque(open_until.enter_context(worker) for worker in started)
    pool = ThreadPoolExecutor(count, "analysis")
    open_until.callback(pool.shutdown, cancel_futures=True)

    def ask(language: Language | None, chunks: list[str]) -> list[str]:
        worker = idle.popleft()  # as many threads as workers: one is always idle
        try:
            return worker.terms(language, chunks)
        finally:
            idle.append(worker)

    return lambda language, chunks: pool.submit(ask, language, chunks)


class Worker:
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

    def terms(self, language: Language | None, chunks: list[str]) -> list[str]:
        """The terms of chunks; CollectionError when the process died."""
        try:
            self._send([language or "", *chunks])
            return read_message(cast(BinaryIO, self._process.stdout))
        except (OSError, EOFError) as error:
            raise CollectionError(
                f"a process that analyses text ended early (exit code {self._process.poll()}): "
                "was it killed for want of memory? What is stored is intact; run it again"
            ) from error

    def _send(self, texts: list[str]) -> None:
        write_message(cast(BinaryIO, self._process.stdin), texts)
