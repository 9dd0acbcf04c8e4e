"""Threads of one process take turns in the order in which they came.

Writers on SQLite: it lets one transaction write at a time, and the others look again and again whether it is their
turn, with pauses that grow to a tenth of a second (``sqliteDefaultBusyCallback`` in SQLite's main.c). Nobody keeps an
order there: under load whoever comes just then gets in, and whoever has waited longest looks least often. Of sixteen
threads that write without a pause some wait for fifteen seconds and are refused while others get in a hundred times.

Messages that are being answered: side by side each gets its share of one interpreter, so that all of them end late.
One after the other most end early and none later (processor sharing against first come, first served, for jobs of
about the same length: Kleinrock, Queueing Systems II, section 4.4).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar


class WaitingLine:
    """First come, first served, ``places`` at once. Not reentrant: a turn inside a turn would wait for itself."""

    def __init__(self, places: int = 1) -> None:
        self._guard = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Event] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, *, seconds: float) -> Iterator[None]:
        """Raises TimeoutError where the turn does not come within ``seconds``."""
        self.take(seconds)
        try:
            yield
        finally:
            self.pass_on()

    def take(self, seconds: float | None) -> None:
        """Wait for a turn, for ever where ``seconds`` is None. Raises TimeoutError."""
        with self._guard:
            if self._free:
                self._free -= 1
                return
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(seconds):
            return
        with self._guard:
            if mine.is_set():  # it came just now
                return
            self._waiting.remove(mine)
        raise TimeoutError(f"no turn within {seconds} s")

    def pass_on(self) -> None:
        """The turn goes to whoever waits longest, and is free only where nobody does: no newcomer gets in between."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


_making_room: ContextVar[Callable[[], AbstractContextManager[None]]] = ContextVar(
    "making_room", default=nullcontext
)


@contextmanager
def whoever_waits_goes_first(make_room: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """In this block ``aside()`` makes room by ``make_room``."""
    before = _making_room.set(make_room)
    try:
        yield
    finally:
        _making_room.reset(before)


def aside() -> AbstractContextManager[None]:
    """To be held while something outside this machine is waited for: whoever waits here goes first meanwhile."""
    return _making_room.get()()
