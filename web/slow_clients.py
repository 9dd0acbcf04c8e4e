"""Clients that dawdle must not hold a thread: a request is gathered in the kernel before a thread takes it up.

A thread worker reads a request with blocking calls. Somebody who sends one byte a second ("slowloris", R. Hansen
2009), or a phone on a bad line, would keep a thread for as long as he likes, and sixteen of them the whole process.
So web/gunicorn_worker.py looks at what has come without taking it (``MSG_PEEK``) and lets the kernel say when enough is
there (``SO_RCVLOWAT``, socket(7)). A body beyond ``GATHERED`` bytes (an upload) is read by a thread after all, with
a deadline and a least pace; an answer that is not taken within ``STALL_SECONDS`` ends its connection.
"""

from __future__ import annotations

import errno
import re
import select
import socket
import time
from typing import Any

GATHERED = 64 * 1024  # bytes of a body that are waited for before a thread takes the request up
GATHER_SECONDS = 20.0  # for the head and a body of that size
STALL_SECONDS = 20.0  # one read or write of a thread
LEAST_PACE = 4096  # bytes a second of a larger body, after STALL_SECONDS
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_ENDED = getattr(select, "POLLRDHUP", 0)  # Linux; elsewhere the deadline ends such a connection
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)


def missing(received: bytes) -> int:
    """How many bytes must come at least before the request that begins with ``received`` can be taken up."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return 0 if len(received) >= GATHERED else 1
    head = received[: end + 2]
    length = _LENGTH.search(head)
    if length is None or int(length[1]) > GATHERED or _EXPECT.search(head):
        return 0
    return max(0, end + 4 + int(length[1]) - len(received))


def sends_no_more(client: socket.socket) -> bool:
    """Whether the client has closed its side: what has come is all there will be (``POLLRDHUP``, poll(2))."""
    if not _ENDED:
        return False
    look = select.poll()
    look.register(client, _ENDED)
    return bool(look.poll(0))


class PatientSocket(socket.socket):
    """A connection whose blocking reads and writes end: what stalls or drips looks like a reset connection."""

    _begun = 0.0
    _read = 0

    def setblocking(self, flag: bool) -> None:
        """Blocking means: for at most STALL_SECONDS. Also the beginning of a request: its pace is counted anew."""
        self.settimeout(STALL_SECONDS if flag else 0.0)
        self._begun, self._read = time.monotonic(), 0

    def recv(self, *args: Any) -> bytes:
        try:
            data = super().recv(*args)
        except TimeoutError as error:
            raise _gone() from error
        self._read += len(data)
        spent = time.monotonic() - self._begun - STALL_SECONDS
        if spent > 0 and self._read < spent * LEAST_PACE:
            raise _gone()
        return data

    def sendall(self, *args: Any) -> None:
        try:
            super().sendall(*args)
        except TimeoutError as error:
            raise _gone() from error

    def send(self, *args: Any) -> int:
        try:
            return super().send(*args)
        except TimeoutError as error:
            raise _gone() from error


def _gone() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the client is too slow")
