"""One HTTP/1.1 request as bytes, well formed or not, and whatever comes back."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any

SECONDS = 30.0  # a request that takes longer counts as unanswered
STREAM_SECONDS = 1.0  # of an event stream that goes on; what came until then counts
MOST = 4_000_000  # bytes of a body


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` 0: no HTTP came back (the connection was closed), which is all that garbage deserves."""

    status: int
    head: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def request_bytes(
    method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
) -> bytes:
    """``body``: bytes as they are, anything else as JSON. Header values may hold anything latin-1 can."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Host": "shop.example", "Connection": "close"} | (headers or {})
    if content and not any(name.lower() == "content-type" for name in named):
        named["Content-Type"] = "application/json"
    if (content or method in ("POST", "PUT", "PATCH")) and "Content-Length" not in named:
        named["Content-Length"] = str(len(content))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + content


def ask(address: tuple[str, int], request: bytes, *, any_answer: bool = False) -> Answer | None:
    """Send and read the answer; None where nothing came in time. ``any_answer``: an HTTP answer is not expected."""
    try:
        with socket.create_connection(address, timeout=SECONDS) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
            if any_answer:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            method = request.split(b" ", 1)[0].decode("latin-1")
            response = HTTPResponse(connection, method=method)
            try:
                response.begin()
            except (HTTPException, ConnectionError, ValueError):
                return Answer(0)
            headers = {name.lower(): value for name, value in response.getheaders()}
            if headers.get("content-type", "").startswith("text/event-stream"):
                connection.settimeout(STREAM_SECONDS)
            body = b""
            with contextlib.suppress(TimeoutError, HTTPException, ConnectionError, ValueError):
                while len(body) < MOST and (piece := response.read1(65536)):
                    body += piece
            head = "\n".join(f"{name}: {value}" for name, value in headers.items()).encode("utf-8", "replace")
            return Answer(response.status, head, body, headers)
    except OSError:
        return None
