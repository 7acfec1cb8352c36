"""Locks on shared networks: one at a time on what is shared, side by side on what is not, and nobody waits for ever."""

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from multiid.pipeline.locks import exclusive

PATIENCE = 5.0  # seconds; reached by broken locks alone


class Thing:
    """Something that can be shared."""


def run(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread waits for ever"


def test_what_is_shared_is_held_by_one_at_a_time() -> None:
    shared, inside, most = Thing(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with exclusive(shared, Thing()):
                inside += 1
                most = max(most, inside)
                threading.Event().wait(0.0002)
                inside -= 1

    run(work, work, work)
    assert most == 1


def test_what_is_not_shared_runs_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def work() -> None:
        with exclusive(Thing(), Thing()):
            meeting.wait()  # breaks unless both are inside

    run(work, work)
    assert not meeting.broken


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns so often that what can go wrong between two steps does."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty")
def test_any_order_of_the_same_things_is_safe() -> None:
    a, b, c = Thing(), Thing(), Thing()

    def work(*things: Thing) -> Callable[[], None]:
        def turns() -> None:
            for _ in range(300):
                with exclusive(*things):
                    pass

        return turns

    run(work(a, b, c), work(c, b, a), work(b, a), work(c, a))


def test_one_thread_may_hold_the_same_thing_twice() -> None:
    thing = Thing()

    def work() -> None:
        with exclusive(thing, thing), exclusive(thing):
            pass

    run(work)


def test_an_exception_lets_go() -> None:
    thing = Thing()
    with pytest.raises(ValueError, match="no"), exclusive(thing):
        raise ValueError("no")

    def work() -> None:
        with exclusive(thing):
            pass

    run(work)


def test_locks_keep_nothing_alive() -> None:
    thing = Thing()
    gone = weakref.ref(thing)
    with exclusive(thing):
        pass
    del thing
    gc.collect()
    assert gone() is None
