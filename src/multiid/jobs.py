"""Work shared out among processes, each of which loads what it needs once."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

import cv2
import torch

from multiid.errors import MultiIDError

__all__ = ["cores", "run_jobs"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(
    start: Callable[[], Callable[[_Task], _Result]],
    batches: Iterable[Sequence[_Task]],
    *,
    jobs: int,
    threads: int | None = 1,
) -> Iterator[tuple[int, _Result]]:
    """What comes of tasks, with their numbers, as it comes.

    Several processes with one thread each are together faster than one with as many threads. The tasks of a batch go
    to one process, one after the other, so that it can keep what they have in common.

    Args:
        start: loads what is needed, and gives what does a task. Called once in each process, with the first task.
            Picklable, as tasks and results are, unless there is but one job.
        batches: of tasks; they are numbered from the first batch's first to the last one's last.
        jobs: processes; 1 does everything in this one.
        threads: of each process, which numbers may depend on; the libraries' own choice if None.

    Raises:
        MultiIDError: when the system ended a process; else whatever a task raises. Tasks under way are lost.
    """
    numbered = _numbered(batches)
    if jobs == 1:
        with _threads(threads):
            do: Callable[[_Task], _Result] | None = None
            for batch in numbered:
                for number, task in batch:
                    do = do or start()
                    yield number, do(task)
        return
    # Not forked: a fork of a process whose threads compute may hang.
    context = multiprocessing.get_context("spawn")
    pools = [
        ProcessPoolExecutor(1, mp_context=context, initializer=_Process.prepare, initargs=(start, threads))
        for _ in range(min(jobs, len(numbered)))
    ]
    running: dict[Future[Any], tuple[ProcessPoolExecutor, int, deque[tuple[int, _Task]]]] = {}
    waiting = iter(numbered)

    def hand_out(pool: ProcessPoolExecutor, batch: deque[tuple[int, _Task]] | None) -> None:
        batch = batch or next(waiting, None)
        if batch:
            number, task = batch.popleft()
            running[pool.submit(_Process.do, task)] = pool, number, batch

    try:
        for pool in pools:
            hand_out(pool, None)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                pool, number, batch = running.pop(future)
                result = future.result()
                hand_out(pool, batch)  # before the caller takes its time
                yield number, result
    except BrokenProcessPool as error:
        raise MultiIDError(
            f"Expected {jobs} processes to work, but the system ended one of them, most likely for want of memory: go "
            "on with fewer jobs."
        ) from error
    finally:
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)


def _numbered(batches: Iterable[Sequence[_Task]]) -> list[deque[tuple[int, _Task]]]:
    numbered: list[deque[tuple[int, _Task]]] = []
    first = 0
    for batch in batches:
        if batch:
            numbered.append(deque(enumerate(batch, first)))
        first += len(batch)
    return numbered


@contextmanager
def _threads(count: int | None) -> Generator[None]:
    """So many threads in this process, and as many as before afterwards."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        if count is not None:
            torch.set_num_threads(count)
            cv2.setNumThreads(count)
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


class _Process:
    """What a process that works keeps from task to task."""

    start: ClassVar[Any]
    worker: ClassVar[Any] = None

    @classmethod
    def prepare(cls, start: Callable[[], Callable[[Any], Any]], threads: int | None) -> None:
        """At the start of a process."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it stops it, and says so once
        threading.Thread(target=_end_with_parent, daemon=True).start()
        if threads is not None:
            torch.set_num_threads(threads)
            cv2.setNumThreads(threads)
        cls.start = staticmethod(start)

    @classmethod
    def do(cls, task: Any) -> Any:
        """Does a task."""
        # Loaded here, not at the start, where a pool would hide what is wrong with it.
        if cls.worker is None:
            cls.worker = staticmethod(cls.start())
        return cls.worker(task)


def _end_with_parent() -> None:
    """Ends this process when the one that started it is killed, which would leave it waiting for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
