"""Work shared among processes: items in, results out when they are there."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def work_each(
    work: Callable[[Item], Result], items: Sequence[Item], processes: int, start: Callable[[], None]
) -> Iterator[tuple[Item, Result | None]]:
    """Work on every item in one of several processes, each begun with `start`; yields results when they are there.

    A result is None where its process was killed; what `work` raises is raised here.
    """
    pool = ProcessPoolExecutor(min(processes, len(items)), get_context("spawn"), start)
    try:
        pending = {pool.submit(work, item): item for item in items}
        for future in as_completed(pending):
            try:
                yield pending[future], future.result()
            except BrokenProcessPool:
                yield pending[future], None
    finally:  # also when the reader stops early: items not begun are dropped, those begun are abandoned
        workers = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()


def start_worker() -> None:
    """What every further process begins with: one thread, and Ctrl-C left to its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
