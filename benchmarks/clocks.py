"""How time is taken: the median of several runs after one that does not count, on as many cores as are said."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

RUNS = 7


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Seconds that `work` takes: the median of `runs`, after one run for caches and lazy imports."""
    work()
    return statistics.median(_seconds(work) for _ in range(runs))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_seconds(work: Callable[[], object], runs: int = 2 * RUNS) -> float:
    """Seconds of CPU that `work` takes, of one core: the least of `runs`, since what else runs can only add to it."""
    work()
    return min(_cpu_seconds(work) for _ in range(runs))


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@contextmanager
def one_core() -> Iterator[None]:
    """One processor and one Arrow thread, as a function of 1,769 MB has."""
    processors, threads = os.sched_getaffinity(0), pa.cpu_count()
    os.sched_setaffinity(0, {max(processors)})
    pa.set_cpu_count(1)
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)
        pa.set_cpu_count(threads)
