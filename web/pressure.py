"""What a full machine does: first it writes no drafts, then it says that it is full instead of letting everybody wait.

**Drafts are left out first** (``Crowd``). A draft costs several times what the rest of an answer costs, and where it is
left out the customer gets the approved answer or the passage that the policy would send without one. The sign of it is
how many messages this process is answering at once. That is what waiting is made of: each of them gets its share of one
interpreter, whatever the machine's cores, so four at once take four times as long. It needs no figure of how fast the
machine is, a single message never sets it off however slow the machine, and it is there before anybody has waited for a
thread. Once it was too many, drafts stay away until it was not for ``CALM_SECONDS``: the count falls as soon as drafts
are left out, so without that they would come back and go within the second, and every message would wait beside some.

**They take turns.** The models of at most ``AT_ONCE`` messages run at a time, in the order in which the messages came;
the others wait (chatbot/waiting_line.py). While an action asks another machine, its message makes room.

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
from chatbot.waiting_line import WaitingLine, whoever_waits_goes_first

# Messages whose answers are computed: one has the interpreter while the other's models run beside it.
AT_ONCE = 2
TOO_MANY = 4  # messages that one process answers at once: from here on it writes no drafts
LONG_WAITED = 0.25  # seconds in the queue that say the same, where fewer threads than that answer
CALM_SECONDS = 30.0  # for so long it must not have been too many before drafts are written again
MOST_WAITING = 4.0  # seconds in the queue; beyond that a visitor thinks that nothing comes
MOST_PATIENCE = 30.0  # seconds until a message that is stored is answered later instead
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
        self._line = WaitingLine(AT_ONCE)
        self._calm_from = clock()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """While one more message is being answered."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Inside ``joined``: while the models run for it. Raises UnavailableError where the turn never comes."""
        try:
            self._line.take(MOST_PATIENCE)
        except TimeoutError as error:
            raise UnavailableError(
                "Too much is going on just now",
                code="busy",
                remedy="Send the message again",
                retry_after=RETRY_AFTER,
            ) from error
        try:
            with whoever_waits_goes_first(self._aside):
                yield
        finally:
            self._line.pass_on()

    @contextmanager
    def _aside(self) -> Iterator[None]:
        self._line.pass_on()
        self._leave()
        try:
            yield
        finally:
            self._enter()
            self._line.take(None)

    def _enter(self) -> None:
        with self._guard:
            self._answering += 1
            if self._answering >= TOO_MANY or waited() > LONG_WAITED:
                self._calm_from = self._clock() + CALM_SECONDS

    def _leave(self) -> None:
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
