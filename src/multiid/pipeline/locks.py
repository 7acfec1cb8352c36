"""One call at a time on whatever two composers or threads share.

A stock pipeline keeps state between the steps of a call, in its scheduler and, with masked attention installed, in its
networks; two calls at once would mix. Waiting is per object, so composers with nothing in common run side by side.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from threading import Lock, RLock
from weakref import WeakKeyDictionary

__all__ = ["exclusive"]

_locks: WeakKeyDictionary[object, RLock] = WeakKeyDictionary()
_registry = Lock()


@contextmanager
def exclusive(*shared: object) -> Generator[None]:
    """Holds the locks of all these objects, taken in one global order so that no two callers wait for each other."""
    with _registry:
        locks = {id(item): _locks.setdefault(item, RLock()) for item in shared}
    with ExitStack() as stack:
        for _, lock in sorted(locks.items()):
            stack.enter_context(lock)
        yield
