"""gunicorn's thread worker, with two things noted: how long a request waited for a thread, and that it is to stop."""

from __future__ import annotations

import logging
import time
from types import FrameType
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from web import pressure


class Worker(ThreadWorker):
    def enqueue_req(self, conn: TConn) -> None:
        conn.queued_at = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        pressure.note_waited(time.monotonic() - conn.queued_at)
        return super().handle(conn)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: answers under way are finished, streams that only wait for news end now and connect elsewhere."""
        pressure.stopping.set()
        super().handle_exit(sig, frame)


class Log(Logger):
    """gunicorn's own messages go where all others go, in the same form."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.WARNING
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        self.error_log.setLevel(self.loglevel)
        self.access_log.setLevel(logging.CRITICAL)  # web/observing.py writes the access lines
