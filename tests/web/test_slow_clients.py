"""Clients that dawdle, vanish or are being replaced under: a real server with two threads and no release."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.slow_clients import GATHERED, PatientSocket, missing

ROOT = Path(__file__).resolve().parent.parent.parent
START = b"POST /api/v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("received", "needed"),
    [
        (b"", 1),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", 1),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0),
        (START + b"Content-Length: 12\r\n\r\n{}", 10),
        (START + b"content-length:12\r\n\r\n" + b"x" * 12, 0),
        (START + b"Content-Length: 12\r\nExpect: 100-continue\r\n\r\n", 0),  # the client waits for our word
        (START + f"Content-Length: {GATHERED + 1}\r\n\r\n".encode(), 0),  # a thread reads it, at a least pace
        (START + b"Transfer-Encoding: chunked\r\n\r\n", 0),
        (b"x" * GATHERED, 0),  # no request; the parser says so
    ],
    ids=range(9),
)
def test_a_request_is_taken_up_when_it_is_whole(received: bytes, needed: int) -> None:
    assert missing(received) == needed


def test_a_body_that_drips_and_an_answer_nobody_takes_end_like_a_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.slow_clients.STALL_SECONDS", 0.1)
    ours, theirs = socket.socketpair()
    with PatientSocket(fileno=ours.detach()) as patient, theirs:
        patient.setblocking(True)
        with pytest.raises(ConnectionResetError):
            patient.recv(10)  # nothing comes
        theirs.sendall(b"x")
        time.sleep(0.3)
        with pytest.raises(ConnectionResetError):
            patient.recv(10)  # one byte in so long
        patient.setblocking(True)
        with pytest.raises(ConnectionResetError):
            patient.sendall(b"x" * 10_000_000)


# --- a server --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FRONTDESK_") or "TEST" in name
    }
    environment = kept | {
        "FRONTDESK_DATA": str(tmp_path_factory.mktemp("data")),
        "FRONTDESK_WEB_THREADS": "2",
        "FRONTDESK_CHAT_RATE": "100000 per minute",
        "FRONTDESK_LOG_LEVEL": "ERROR",
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "web.cli", "serve"], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not asked(port, "/healthz"):
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.05)
            yield process, port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def asked(port: int, path: str, *, seconds: float = 30) -> bool:
    with contextlib.suppress(urllib.error.HTTPError, OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds).close()
        return True
    return False


def connect(port: int, content: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(content)
    return client


def test_halves_of_requests_hold_no_thread_and_are_answered_once_they_are_whole(
    running: tuple[subprocess.Popen[bytes], int],
) -> None:
    _, port = running
    halves = [connect(port, START) for _ in range(20)]
    halves += [connect(port, START + b"Content-Length: 2\r\n\r\n{") for _ in range(20)]
    begun = time.monotonic()
    assert asked(port, "/healthz")
    assert time.monotonic() - begun < 10  # a thread that reads waits for twenty
    for half in halves[20:]:
        half.sendall(b"}")
    assert all(b" 201 " in half.recv(20) for half in halves[20:])
    for half in halves:
        half.close()


@pytest.mark.parametrize("half", [START, START + b"Content-Length: 9\r\n\r\n{", b"\x16\x03\x01\x02"])
def test_a_request_whose_sender_has_closed_before_its_end_is_not_waited_for(
    running: tuple[subprocess.Popen[bytes], int], half: bytes
) -> None:
    """It would keep the server's one loop busy for as long as halves are waited for (20 s)."""
    _, port = running
    with connect(port, half) as client:
        client.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        while client.recv(1000):
            pass
        assert time.monotonic() - begun < 10


def test_an_answered_client_that_does_not_close_holds_up_nobody(
    running: tuple[subprocess.Popen[bytes], int],
) -> None:
    """gunicorn alone waits for each of them two seconds in its one loop."""
    _, port = running
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    clients = [connect(port, ask) for _ in range(20)]
    assert all(client.recv(17).endswith(b" 200 OK\r\n") for client in clients)
    begun = time.monotonic()
    assert asked(port, "/healthz")
    assert time.monotonic() - begun < 10
    for client in clients:
        client.close()


def test_nobody_is_turned_away_while_the_processes_are_replaced(
    running: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = running
    parts = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    before = set(parts.read_text().split())
    refused, stop = [], threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            if not asked(port, "/healthz"):
                refused.append(time.monotonic())

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while before & set(parts.read_text().split()) or len(parts.read_text().split()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        stop.set()
        asking.join()
    assert refused == []
    assert asked(port, "/healthz")
