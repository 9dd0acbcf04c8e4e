"""What a full machine does: first it writes no drafts, then it says that it is full instead of letting everybody wait.

**Drafts are left out first** (``Crowd``). A draft costs several times what the rest of an answer costs, and where it is
left out the customer gets the approved answer or the passage that the policy would send without one. The sign of it is
how many messages this process is answering at once. That is what waiting is made of: each of them gets its share of one
interpreter, whatever the machine's cores, so four at once take four times as long. It needs no figure of how fast the
machine is, a single message never sets it off however slow the machine, and it is there before anybody has waited for a
thread. Once it was too many, drafts stay away until it was not for ``CALM_SECONDS``: the count falls as soon as drafts
are left out, so without that they would come back and go within the second, and every message would wait beside some.

**Then it refuses.** gunicorn's threads take requests from a queue without an end. web/gunicorn_worker.py notes how long
each has waited there; one that waited longer than ``MOST_WAITING`` is answered 503 with Retry-After before any work is
done on it, so that a queue that has grown too long is gone within moments and those who come later are answered in
time. Nothing is stored of a refused message: the widget sends it again by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, request

from chatbot.errors import UnavailableError

TOO_MANY = 4  # messages that one process answers at once: from here on it writes no drafts
LONG_WAITED = 0.25  # seconds in the queue that say the same, where fewer threads than that answer
CALM_SECONDS = 30.0  # for so long it must not have been too many before drafts are written again
MOST_WAITING = 4.0  # seconds in the queue; beyond that a visitor thinks that nothing comes
RETRY_AFTER = 5  # seconds
ALWAYS = frozenset({"health.healthz", "health.readyz", "metrics.metrics"})

stopping = (
    threading.Event()
)  # set when this process has been told to stop: open streams end, requests are finished
_queued = threading.local()


def note_waited(seconds: float) -> None:
    """How long the request that this thread is about to handle has waited for a thread."""
    _queued.seconds = seconds


def waited() -> float:
    """Seconds; 0 where the server does not say (the development server, tests)."""
    return float(getattr(_queued, "seconds", 0.0))


class Crowd:
    """The messages that one process is answering, and whether they are too many for drafts. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._answering = 0
        self._calm_from = clock()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """While one more message is being answered."""
        with self._guard:
            self._answering += 1
            if self._answering >= TOO_MANY or waited() > LONG_WAITED:
                self._calm_from = self._clock() + CALM_SECONDS
        try:
            yield
        finally:
            with self._guard:
                self._answering -= 1

    def too_many(self) -> bool:
        """Whether drafts are to be left out just now."""
        with self._guard:
            return self._answering >= TOO_MANY or self._clock() < self._calm_from


def init_app(app: Flask) -> None:
    @app.before_request
    def refuse_late() -> None:
        if waited() > MOST_WAITING and request.endpoint not in ALWAYS:
            from web.metrics import REFUSED

            REFUSED.inc()
            raise UnavailableError(
                "Too much is going on just now",
                code="overloaded",
                remedy="Try again in a few seconds",
                retry_after=RETRY_AFTER,
            )
