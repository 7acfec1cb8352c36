"""Work shared out among processes: whose turn it is, what is loaded how often, and what happens when one ends."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
import torch

from multiid.errors import MultiIDError, OutputError
from multiid.jobs import cores, run_jobs


def start(factor: int) -> Callable[[int], tuple[int, int, int]]:
    """A worker that multiplies, and says where and in how many threads."""
    return lambda task: (factor * task, os.getpid(), torch.get_num_threads())


def doomed() -> Callable[[int], int]:
    return lambda task: os.kill(os.getpid(), signal.SIGKILL) or task


def refusing() -> Callable[[int], int]:
    raise OutputError("no room")


def lingering(file: Path) -> Callable[[int], None]:
    """A worker that says who it is, and takes its time."""

    def work(task: int) -> None:
        file.write_text(str(os.getpid()))
        time.sleep(60 * task)

    return work


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def results(batches: Sequence[Sequence[int]], *, jobs: int) -> dict[int, tuple[int, int, int]]:
    return dict(run_jobs(partial(start, 10), batches, jobs=jobs))


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_is_done_once_and_a_batch_stays_together(jobs: int) -> None:
    batches = [[1, 2], [], [3], [4, 5, 6]]
    done = results(batches, jobs=jobs)
    assert {number: value for number, (value, _, _) in done.items()} == {n: 10 * (n + 1) for n in range(6)}
    places = [{done[number][1] for number in numbers} for numbers in ((0, 1), (2,), (3, 4, 5))]
    assert all(len(place) == 1 for place in places)
    assert all((place == {os.getpid()}) == (jobs == 1) for place in places)
    assert {threads for _, _, threads in done.values()} == {1}


def test_a_single_process_gets_its_threads_back() -> None:
    torch.set_num_threads(2)
    assert list(run_jobs(partial(start, 1), [[7]], jobs=1)) == [(0, (7, os.getpid(), 1))]
    assert torch.get_num_threads() == 2
    assert next(iter(run_jobs(partial(start, 1), [[7]], jobs=1, threads=None)))[1][2] == 2


def test_nothing_is_loaded_for_nothing() -> None:
    assert list(run_jobs(refusing, [[], []], jobs=1)) == []
    assert list(run_jobs(refusing, [], jobs=2)) == []


def test_what_goes_wrong_is_told() -> None:
    for jobs in (1, 2):
        with pytest.raises(OutputError, match=r"^no room$"):
            list(run_jobs(refusing, [[1]], jobs=jobs))
    with pytest.raises(MultiIDError, match="the system ended one of them"):
        list(run_jobs(doomed, [[1], [2]], jobs=2))


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """Killed outright, it cannot tell them; they would wait for ever, and keep their memory."""
    file = tmp_path / "worker"
    parent = os.fork()
    if parent == 0:
        try:
            list(run_jobs(partial(lingering, file), [[1]], jobs=2))
        finally:
            os._exit(0)
    while not (file.is_file() and file.read_text()):
        time.sleep(0.05)
    worker = int(file.read_text())
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    for _ in range(400):
        if not is_there(worker):
            return
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker goes on without the process that started it")


def test_there_is_a_core() -> None:
    assert cores() >= 1
