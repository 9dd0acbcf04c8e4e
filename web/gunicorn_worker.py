"""gunicorn's thread worker, with what a public chat needs besides: it takes up whole requests only
(web/slow_clients.py), notes how long each waited for a thread, accepts nobody before it can answer, and says when it
is to stop.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import socket
import sys
import time
from concurrent.futures import Future
from functools import partial
from types import FrameType
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from web import pressure
from web.context import parts_of
from web.slow_clients import GATHER_SECONDS, GATHERED, PatientSocket, missing, sends_no_more
from web.supervisor import READY_FD

log = logging.getLogger(__name__)


SETTLE_SECONDS = 60.0  # for loading the release; afterwards requests are taken and told what is wrong
LINGER_SECONDS = 2.0  # for the client to close its connection first
CROWDED = 0.9  # share of the connections from which on the slowest give way to newcomers


class Worker(ThreadWorker):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: dict[TConn, float] = {}  # until when: not whole yet, or to be closed by the client
        self._stopped_at: float | None = None

    def run(self) -> None:
        """Whoever connects meanwhile waits in the listening socket's queue, which outlives this process."""
        settled = parts_of(self.wsgi).serving.settled
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.alive and time.monotonic() < deadline and not settled.wait(0.2):
            self.notify()
        if (announce := os.environ.pop(READY_FD, "")) and self.alive:
            with contextlib.suppress(OSError):
                os.write(int(announce), b"ready\n")
        super().run()
        if "onnxruntime" in sys.modules and self.cfg.workers > 1:
            # It may have been loaded before the fork (web/serving.py), and its clean-up at the end waits for threads
            # that stayed in the parent. Everything of ours is done.
            self.tmp.close()
            logging.shutdown()
            os._exit(0)

    # --- whole requests only -----------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        if self._held and self.nr_conns >= CROWDED * self.worker_connections:
            self._drop(next(iter(self._held)))
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            log.error("no file descriptor is left for a new connection; raise the limit (ulimit -n)")
            if self._held:
                self._drop(next(iter(self._held)))

    def enqueue_req(self, conn: TConn) -> None:
        """A connection is new, or something has come on it."""
        if conn.parser is not None and conn.parser.unreader.buf.getvalue():  # a request has been read ahead
            self._hand_over(conn)
            return
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket(fileno=conn.sock.detach())
            conn.sock.setblocking(False)
        self._look(conn)

    def _look(self, conn: TConn) -> None:
        try:
            received = conn.sock.recv(2 * GATHERED, socket.MSG_PEEK)
            needed = missing(received) if received else 0  # nothing: the client has closed
        except BlockingIOError:
            received, needed = b"", 1
        except OSError:
            received, needed = b"", 0
        if needed and sends_no_more(conn.sock):
            needed = 0  # it will never be whole, and epoll would report the end of it again and again
        try:
            # 1 again at the end: a blocking read waits for as many as this says
            conn.sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(received) + needed if needed else 1
            )
        except OSError:
            needed = 0
        if not needed:
            self._held.pop(conn, None)
            self._hand_over(conn)
            return
        self._held.setdefault(conn, time.monotonic() + GATHER_SECONDS)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))

    def _more(self, conn: TConn, client: socket.socket) -> None:
        self.poller.unregister(client)
        self._look(conn)

    def _hand_over(self, conn: TConn) -> None:
        conn.data_ready = True
        conn.queued_at = time.monotonic()
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """gunicorn waits for the client to close first (RFC 9112, section 9.6) in its one loop, up to two seconds in
        which nobody is served; here such a connection waits beside the others."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
            return
        self._held[conn] = time.monotonic() + LINGER_SECONDS
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError):
            self._drop(conn)

    def _drain(self, conn: TConn, client: socket.socket) -> None:
        try:
            if client.recv(GATHERED):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(conn)

    def _drop(self, conn: TConn) -> None:
        del self._held[conn]
        with contextlib.suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Called every second, and until the end of a stop."""
        super().murder_pending()
        now = time.monotonic()
        if not self.alive and self._stopped_at is None:
            self._stopped_at = now
        for conn, until in list(self._held.items()):
            if self._stopped_at is not None:
                until = min(until, self._stopped_at + STOP_KEEPALIVE_LINGER)
            if until <= now:
                self._drop(conn)

    # --- under pressure, and at the end ------------------------------------------------------------------

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
