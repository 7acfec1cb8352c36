"""Several processes that train together on the cores of one machine."""

import logging
import os
import socket
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from typing import Any

import torch
from accelerate import PartialState
from torch import multiprocessing

from multiid.errors import MultiIDError

__all__ = ["run_together"]


def run_together(function: Callable[..., None], *arguments: Any, processes: int) -> None:
    """Calls a function in several processes at once, which `accelerate.Accelerator` in each then brings together.

    Where there is an accelerator, where one process is asked for, or where `accelerate launch` has started several
    already, it is called once, here.

    Args:
        function: what to do; of a module's top level, so that other processes find it.
        arguments: handed on; picklable.
        processes: how many.

    Raises:
        MultiIDError: what one of them raised.
    """
    if processes == 1 or torch.cuda.is_available() or "WORLD_SIZE" in os.environ:
        function(*arguments)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # What went wrong is raised; that the others are ended then needs no warning.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    failures = multiprocessing.get_context("spawn").SimpleQueue()
    try:
        multiprocessing.spawn(_run, (function, arguments, processes, port, failures), nprocs=processes)
    except multiprocessing.ProcessExitedException:
        if failures.empty():
            raise
        raise failures.get() from None


def _run(
    rank: int,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
    processes: int,
    port: int,
    failures: "SimpleQueue[MultiIDError]",
) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a stage's own number of threads comes later
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(processes),
        LOCAL_WORLD_SIZE=str(processes),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        ACCELERATE_USE_CPU="yes",
    )
    PartialState(cpu=True)  # brings the processes together; whoever asks for the state later gets this one
    try:
        function(*arguments)
    except MultiIDError as error:
        failures.put(error)
        raise SystemExit(1) from error
