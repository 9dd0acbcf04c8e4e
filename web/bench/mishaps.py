"""What goes wrong besides kills, one after another. Each says whether the service came through: nobody was told yes for
what was not kept, and afterwards, or all along, messages are answered."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from web.bench.faulty_server import FaultyServer
from web.bench.insistence import Visitors
from web.bench.server import READY_SECONDS

LOCKED_SECONDS = 4.0
FULL_AT = 4096  # bytes of one file
SLOW_CLIENTS = 200
PROMPT_SECONDS = 10.0  # an answer while others dawdle; a busy machine takes seconds by itself
STREAM_SECONDS = 75.0  # an open stream ends within a minute (web/streaming.py)
RETRAINING_SECONDS = 30  # the budget of the models; fitting and measuring come on top
REFUND, PARCEL = "How long does a refund take?", "Where is my parcel?"

Mishap = Callable[[FaultyServer, Visitors], bool | None]  # None: it cannot be tried here


def locked_database(server: FaultyServer, visitors: Visitors) -> bool | None:
    """Another process holds the database for seconds: messages wait and are answered. (SQLite)"""
    if server.engines is not None:
        return None
    with visitors.writing():
        before = len(visitors.acknowledged)
        with contextlib.closing(sqlite3.connect(server.data / "frontdesk.db", timeout=30)) as other:
            other.isolation_level = None
            other.execute("BEGIN IMMEDIATE")
            time.sleep(LOCKED_SECONDS)
            other.execute("ROLLBACK")
        return visitors.one(REFUND, "locked") and len(visitors.acknowledged) > before


def full_disk(server: FaultyServer, visitors: Visitors) -> bool | None:
    """Nothing can be written for a while: no message is acknowledged that is not kept, and with room all goes on.
    (SQLite; PostgreSQL's disk is PostgreSQL's.)"""
    if server.engines is not None:
        return None
    public_id, before = next(iter(visitors.tokens)), visitors.given_up
    server.limit_files(FULL_AT)
    accepted = visitors.send(public_id, PARCEL, "full", patience=5.0)
    visitors.given_up = before
    server.limit_files(resource.RLIM_INFINITY)
    return not accepted and visitors.one(PARCEL, "room-again")


def restarts(server: FaultyServer, visitors: Visitors) -> bool | None:
    """All processes are replaced by new ones twice, as for an update: nobody is turned away."""
    with visitors.writing():
        failed = visitors.turned_away()
        replaced = server.renew() and server.renew()
        time.sleep(2)
        return replaced and visitors.turned_away() == failed


def slow_clients(server: FaultyServer, visitors: Visitors) -> bool | None:
    """Many send a request byte by byte, or ask and never read, or never close: the others are answered in time."""
    start = b"POST /api/v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with contextlib.ExitStack() as stack:

        def connect(content: bytes) -> socket.socket:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            client.sendall(content)
            return client

        slow = [connect(start) for _ in range(SLOW_CLIENTS)]
        slow += [connect(start + b"Content-Length: 60000\r\n\r\n{") for _ in range(SLOW_CLIENTS // 4)]
        for _ in range(SLOW_CLIENTS // 4):  # answered, and not closed by the client
            connect(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        slowest = 0.0
        for number in range(8):
            for client in slow:
                with contextlib.suppress(OSError):
                    client.sendall(b"X")
            begun = time.monotonic()
            if not visitors.one(REFUND, f"beside-slow-{number}", patience=PROMPT_SECONDS):
                return False
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.5)
    return slowest < PROMPT_SECONDS


def half_open_streams(server: FaultyServer, visitors: Visitors) -> bool | None:
    """Visitors wait for a person over open streams and vanish: some without a word, some with a reset. The others are
    answered meanwhile, and within a minute there is room for new streams."""
    started = visitors.insist("/api/v1/conversations", {})
    if started is None:
        return False
    path, token = f"/api/v1/conversations/{started['id']}", started["token"]
    visitors.insist(f"{path}/handover", {}, token=token)
    ask = f"GET {path}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    def opened() -> socket.socket | None:
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(ask)
        client.settimeout(10)
        status = client.recv(12)
        if status.endswith(b" 200"):
            return client
        client.close()
        return None

    held: list[socket.socket] = []
    while (client := opened()) is not None:
        held.append(client)
    for client in held[::2]:  # RST instead of FIN, as after a crash
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    meanwhile = visitors.one(REFUND, "beside-streams", patience=PROMPT_SECONDS)
    deadline = time.monotonic() + STREAM_SECONDS
    free: list[socket.socket] = []
    while len(free) < len(held) and time.monotonic() < deadline:
        if (client := opened()) is not None:
            free.append(client)
        else:
            time.sleep(1)
    for client in (*held[1::2], *free):
        client.close()
    return bool(held) and meanwhile and len(free) == len(held)


def clock_jumps(server: FaultyServer, visitors: Visitors) -> bool | None:
    """The wall clock jumps a day ahead and then two days back under load: messages go on being answered, in order.
    (Needs time-machine; the monotonic clock is left alone, as a real jump leaves it.)"""
    if find_spec("time_machine") is None:
        return None
    offset = server.data / "clock"
    offset.write_text("0", encoding="ascii")
    server.stop()
    with tempfile.TemporaryDirectory(prefix="frontdesk-clock-") as folder:
        (Path(folder) / "sitecustomize.py").write_text(_SHIFTED, encoding="utf-8")
        paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
        server.start(environment={"PYTHONPATH": os.pathsep.join(paths), "FRONTDESK_BENCH_CLOCK": str(offset)})
        with visitors.writing():
            answered = True
            for number, jump in enumerate((86_400, -86_400, 0)):
                time.sleep(2)
                offset.write_text(str(jump), encoding="ascii")
                time.sleep(2)
                answered = visitors.one(REFUND, f"jump-{number}") and answered
        moved = _moments(visitors)
        server.stop()
    server.start()
    return answered and moved and visitors.in_order()


# Python runs this first in each of the server's processes: their wall clock is as many seconds off as the file says.
_SHIFTED = """
import datetime, os, threading, time
import time_machine
def follow():
    shift, travelling = 0.0, None
    while True:
        try:
            wanted = float(open(os.environ["FRONTDESK_BENCH_CLOCK"]).read())
        except (OSError, ValueError):
            wanted = shift
        if wanted != shift:
            if travelling is not None:
                travelling.stop()
            shift, travelling = wanted, None
            if shift:  # nobody travels now, so the clock is right
                travelling = time_machine.travel(time.time() + shift, tick=True)
                travelling.start()
        time.sleep(0.1)
def begin():
    threading.Thread(target=follow, daemon=True).start()
begin()
os.register_at_fork(after_in_child=begin)
"""


def _moments(visitors: Visitors) -> bool:
    """Whether the jumps are to be seen in the stored times: else nothing was tried."""
    days = {turn["created_at"][:10] for turns in visitors.stored().values() for turn in turns}
    return len(days) >= 3


def retraining(server: FaultyServer, visitors: Visitors) -> bool | None:
    """A release is trained, measured and made live in the middle of traffic: nobody is turned away meanwhile."""
    _, before = server.told()
    with visitors.writing():
        failed = visitors.turned_away()
        outcome = server.data / "retrained.json"
        subprocess.run(
            [sys.executable, "-m", "web.cli", "retrain", "--seed", str(os.getpid()), "--json", str(outcome)],
            env=server.environment | {"FRONTDESK_TRAINING_BUDGET": str(RETRAINING_SECONDS)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        told: dict[str, Any] = json.loads(outcome.read_text("utf-8")) if outcome.is_file() else {}
        release_id = told.get("release_id")
        if not release_id:
            return False
        with contextlib.suppress(Exception):  # where the gate has let it through, it is live already
            server.command("releases", "promote", release_id, "--reason", "bench faults", quiet=True)
        deadline = time.monotonic() + READY_SECONDS
        while server.told()[1].get("release") != release_id and time.monotonic() < deadline:
            time.sleep(0.5)
        answered = visitors.one(REFUND, "retrained")
        swapped = server.told()[1].get("release") == release_id != before.get("release")
        return answered and swapped and visitors.turned_away() == failed


def damaged_bundle(server: FaultyServer, visitors: Visitors) -> bool | None:
    """A byte of the live release is wrong: it is not loaded, that is said, and the mended one is."""
    folder = server.data / "releases" / str(server.told()[1]["release"])
    server.stop()
    path = max(folder.rglob("*.onnx"), key=lambda one: one.stat().st_size)
    whole = path.read_bytes()
    path.unlink()  # it may be a link to a file that others share
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    server.start(wait=False)
    said = _says(server, "changed or damaged")
    path.write_bytes(whole)
    server.wait_until_ready()
    return said and visitors.one(REFUND, "mended")


def _says(server: FaultyServer, words: str, *, seconds: float = READY_SECONDS) -> bool:
    """Whether /readyz answers 503 with these words in the end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status, body = server.told()
        if status == 200:
            return False
        if words in json.dumps(body):
            return True
        time.sleep(0.2)
    return False


def damaged_index(server: FaultyServer, visitors: Visitors) -> bool | None:
    """Files of the index are cut short: it is made again from the database."""
    server.stop()
    damaged = 0
    for path in (server.data / "index").rglob("*"):
        if path.is_file() and path.name != "latest":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            damaged += 1
    server.start()
    return damaged > 0 and visitors.one(REFUND, "index")


ALL: tuple[Mishap, ...] = (
    locked_database,
    full_disk,
    restarts,
    slow_clients,
    half_open_streams,
    clock_jumps,
    retraining,
    damaged_bundle,
    damaged_index,
)
