"""What a full machine does: it says so at once instead of letting everybody wait.

gunicorn's threads take requests from a queue without an end. web/gunicorn_worker.py notes how long each has waited
there; one that waited longer than ``MOST_WAITING`` is answered 503 with Retry-After before any work is done on it, so
that a queue that has grown too long is gone within moments and those who come later are answered in time. Nothing is
stored of a refused message: the widget sends it again by itself.
"""

from __future__ import annotations

import threading

from flask import Flask, request

from chatbot.errors import UnavailableError

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
