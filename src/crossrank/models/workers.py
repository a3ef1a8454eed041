"""The threads that run models: one for each core this process may use, shared by all models."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")
_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """The cores this process may use: its affinity, and the CPU quota of its container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(allowed or 1, _quota()))


def _quota() -> int:
    try:
        most, period = _QUOTA.read_text(encoding="ascii").split()
        return -(-int(most) // int(period))
    except (OSError, ValueError):  # no cgroup of version 2, or "max": no limit
        return 1 << 20


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="crossrank")


# A forked child has none of its parent's threads: it starts its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)


def run_each(work: Callable[[T], None], parts: Sequence[T], *, alone: bool = False) -> None:
    """Calls `work` with every part, on all cores; on the caller's thread when `alone` or single.

    Raises what the first failing call raised; parts that have not started by then never do.
    """
    if alone or len(parts) <= 1:
        for part in parts:
            work(part)
        return
    futures = [_threads().submit(work, part) for part in parts]
    try:
        for future in futures:
            future.result()
    finally:
        for future in futures:
            future.cancel()
