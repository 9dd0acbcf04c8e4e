"""Writers of one process take turns in the order in which they came.

SQLite lets one transaction write at a time, and the others look again and again whether it is their turn, with pauses
that grow to a tenth of a second (``sqliteDefaultBusyCallback`` in SQLite's main.c). Nobody keeps an order there: under
load whoever comes just then gets in, and whoever has waited longest looks least often. Of sixteen threads that write
without a pause some wait for fifteen seconds and are refused while others get in a hundred times. So the threads of a
process queue here, and one of them at a time competes with other processes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class WriteQueue:
    """First come, first served. Not reentrant: a write inside a write would wait for itself, as SQLite's would."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, *, seconds: float) -> Iterator[None]:
        """Raises TimeoutError where the turn does not come within ``seconds``."""
        self._take(seconds)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, seconds: float) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(seconds):
            return
        with self._guard:
            if mine.is_set():  # it came just now
                return
            self._waiting.remove(mine)
        raise TimeoutError(f"no turn to write within {seconds} s")

    def _pass_on(self) -> None:
        """The turn goes to whoever waits longest, and is free only where nobody does: no newcomer gets in between."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
