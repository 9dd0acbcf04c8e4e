"""``bench faults``: what becomes of acknowledged messages when processes are killed and things break under load.

Visitors write all the time and send a message again, with the same id, until the server acknowledges it. Meanwhile the
web server or the worker is killed (SIGKILL) at random moments; afterwards, one after the other, the database is locked
for seconds, the disk is full (a limit on the size of files), the live bundle is damaged and the index is damaged. At
the end every acknowledged message must be there once, with the one answer that was told.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from chatbot.errors import UnavailableError
from web.bench.chat import RAISED_RATE, free_port, percentiles, questions
from web.bench.processes import tree

READY_SECONDS = 400.0  # a busy machine takes its time; how long it took is reported
PATIENCE = 90.0  # seconds in which a message must be acknowledged at last
LOCKED_SECONDS = 4.0
FULL_AT = 4096  # bytes of one file
WRITERS = 4

Progress = Callable[[str, float], None]


@click.command("faults")
@click.option("--kills", type=click.IntRange(min=0), default=20, show_default=True, help="Processes to kill.")
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=120, show_default=True, help="For the kills."
)
@click.option("--seed", default=13, show_default=True, help="The same moments and victims.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the demo bot, made where it is missing and kept; else a temporary one.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures."
)
def command(kills: int, seconds: float, seed: int, data: Path | None, json_file: Path | None) -> None:
    """Kill processes and break things under load; count what was lost and doubled."""
    from web.terminal import TerminalProgress, out

    with tempfile.TemporaryDirectory(prefix="frontdesk-faults-") as temporary, TerminalProgress() as progress:
        figures = run(data or Path(temporary), kills=kills, seconds=seconds, seed=seed, progress=progress)
    if json_file:
        json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    console = out()
    for name, value in figures.items():
        console.print(f"{name.replace('_', ' '):24} {value}")
    if figures["lost"] or figures["duplicated"] or figures["changed"] or not all(figures["faults"].values()):
        raise SystemExit(1)


def run(
    data: Path, *, kills: int, seconds: float, seed: int = 13, progress: Progress = lambda stage, share: None
) -> dict[str, Any]:
    """→ the figures of MEASURES, times in ms; ``faults``: whether each broken thing was survived."""
    rng = random.Random(seed)
    server = Server(data)
    visitors = Visitors(server.address)
    server.make()
    try:
        server.start()
        with visitors.writing():
            recovered = _kill(server, rng, kills=kills, seconds=seconds, progress=progress)
            progress("locked database", 0.0)
            faults = {"locked_database": _lock(server, visitors)}
        for name, fault in (
            ("full_disk", _full_disk),
            ("damaged_bundle", _damaged_bundle),
            ("damaged_index", _damaged_index),
        ):
            progress(name.replace("_", " "), 0.0)
            faults[name] = fault(server, visitors)
        counted = visitors.compare()
    finally:
        server.stop()
    return {
        "kills": kills,
        "seconds": seconds,
        "acknowledged": len(visitors.acknowledged),
        "tries": visitors.tries,
        **counted,
        "recovered_seconds": {
            "p50": _seconds(percentiles(recovered)["p50"]),
            "max": round(max(recovered), 2) if recovered else None,
        },
        "unanswered_tries": dict(visitors.failures),
        "faults": faults,
    }


def _seconds(milliseconds: float | None) -> float | None:
    return round(milliseconds / 1000, 2) if milliseconds is not None else None


# --- the server ------------------------------------------------------------------------------------------


class Server:
    """``frontdesk serve`` on a demo bot, in a session of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = os.environ | {
            "FRONTDESK_DATA": str(self.data),
            "FRONTDESK_DATABASE_URL": "",
            "FRONTDESK_CHAT_RATE": RAISED_RATE,
            "FRONTDESK_HOST": "127.0.0.1",
            "FRONTDESK_LOG_LEVEL": "ERROR",
            "PORT": str(self.port),
        }

    def make(self) -> None:
        made = subprocess.run(
            [sys.executable, "-m", "web.cli", "demo", "--no-serve"], env=self.environment, check=False
        )
        if made.returncode:
            raise UnavailableError("The demo bot could not be made", value=f"status {made.returncode}")

    def start(self, *, wait: bool = True) -> None:
        with (self.data / "faults.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web.cli", "serve"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            self.wait_until_ready()

    def limit_files(self, size: int) -> None:
        """From now on writing beyond ``size`` bytes of a file fails, as on a full disk (prlimit(2), RLIMIT_FSIZE;
        Python ignores the signal that comes with it, so that it is an error)."""
        for pid in tree(self.process.pid) if self.process else ():
            with contextlib.suppress(OSError):
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=60)
            self.process = None

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> float:
        """How long it took; raises UnavailableError."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if self.ready():
                return time.monotonic() - begun
            time.sleep(0.1)
        raise UnavailableError("The server did not get ready", value=self.address)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, http.client.HTTPException):
            return False

    def victims(self) -> dict[str, list[int]]:
        """Process ids of the web server's and the worker's processes."""
        found: dict[str, list[int]] = {"web": [], "worker": []}
        for pid in tree(self.process.pid)[1:] if self.process else ():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"--web-only" in command:
                    found["web"].append(pid)
                elif b"worker" in command:
                    found["worker"].append(pid)
        return found


# --- visitors --------------------------------------------------------------------------------------------


@dataclass
class Visitors:
    """They write until told to stop, and remember what the server acknowledged."""

    address: str
    acknowledged: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    tries: int = 0
    given_up: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def writing(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._write, args=(number, stop), daemon=True)
            for number in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=PATIENCE + 30)

    def _write(self, number: int, stop: threading.Event) -> None:
        texts = questions()
        sent = 0
        conversation = None
        while not stop.is_set():
            if conversation is None or sent % 10 == 0:
                conversation = self._insist("/api/v1/conversations", {})
                if conversation is None:
                    continue
                with self._guard:
                    self.tokens[conversation["id"]] = conversation["token"]
            self.send(conversation["id"], texts[(number + sent * WRITERS) % len(texts)], f"w{number}-{sent}")
            sent += 1
            stop.wait(0.2)

    def one(self, text: str, message_id: str, *, patience: float = PATIENCE) -> bool:
        """A conversation with one message; whether it was acknowledged."""
        conversation = self._insist("/api/v1/conversations", {}, patience=patience)
        if conversation is None:
            return False
        with self._guard:
            self.tokens[conversation["id"]] = conversation["token"]
        return self.send(conversation["id"], text, message_id, patience=patience)

    def send(self, public_id: str, text: str, message_id: str, *, patience: float = PATIENCE) -> bool:
        answer = self._insist(
            f"/api/v1/conversations/{public_id}/messages",
            {"text": text, "client_message_id": message_id},
            token=self.tokens[public_id],
            patience=patience,
        )
        with self._guard:
            if answer is None:
                self.given_up += 1
                return False
            self.acknowledged[public_id, message_id] = answer
        return True

    def _insist(
        self, path: str, body: dict[str, Any], *, token: str = "", patience: float = PATIENCE
    ) -> dict[str, Any] | None:
        """The same request until it is answered with success; None after ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self._guard:
                self.tries += 1
            try:
                return self._ask(path, body, token=token)
            except urllib.error.HTTPError as error:
                problem = f"status {error.code}"
                error.close()
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = type(getattr(error, "reason", error)).__name__
            with self._guard:
                self.failures[problem] += 1
            time.sleep(0.3)
        return None

    def _ask(self, path: str, body: dict[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        request = urllib.request.Request(
            self.address + path, data=json.dumps(body).encode() if body is not None else None, headers=headers
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told

    def compare(self) -> dict[str, int]:
        """What was acknowledged against what is there now."""
        stored: dict[str, list[dict[str, Any]]] = {}
        for public_id in {public_id for public_id, _ in self.acknowledged}:
            path = f"/api/v1/conversations/{public_id}/messages"
            stored[public_id] = self._ask(path, token=self.tokens[public_id])["turns"]
        lost = duplicated = changed = 0
        for (public_id, message_id), answer in self.acknowledged.items():
            turns = stored[public_id]
            asked = [turn for turn in turns if turn.get("client_message_id") == message_id]
            if not asked:
                lost += 1
                continue
            replies = [
                turn for turn in turns if turn.get("reply_to") == asked[0]["id"] and turn["role"] == "bot"
            ]
            told = answer["reply"]
            duplicated += len(asked) > 1 or len(replies) > 1
            if told is not None:
                lost += not replies
                changed += bool(replies) and replies[0]["text"] != told["text"]
        return {"lost": lost, "duplicated": duplicated, "changed": changed, "given_up": self.given_up}


# --- what goes wrong -------------------------------------------------------------------------------------


def _kill(
    server: Server, rng: random.Random, *, kills: int, seconds: float, progress: Progress
) -> list[float]:
    """Seconds until ready again, for each killed web server."""
    recovered: list[float] = []
    moments = sorted(rng.uniform(0, seconds) for _ in range(kills))
    begun = time.monotonic()
    for number, moment in enumerate(moments):
        time.sleep(max(begun + moment - time.monotonic(), 0))
        victims = server.victims()
        kind = rng.choice([kind for kind, pids in victims.items() if pids] or ["none"])
        for pid in victims.get(kind, ()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if kind == "web":
            time.sleep(0.2)
            recovered.append(0.2 + server.wait_until_ready())
        progress("kills", (number + 1) / max(kills, 1))
    return recovered


def _lock(server: Server, visitors: Visitors) -> bool:
    """Another process holds the database for seconds: messages wait and are answered."""
    before = len(visitors.acknowledged)
    with contextlib.closing(sqlite3.connect(server.data / "frontdesk.db", timeout=30)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        time.sleep(LOCKED_SECONDS)
        other.execute("ROLLBACK")
    return visitors.one("How long does a refund take?", "locked") and len(visitors.acknowledged) > before


def _full_disk(server: Server, visitors: Visitors) -> bool:
    """Nothing can be written for a while: no message is acknowledged that is not kept, and with room all goes on."""
    public_id, before = next(iter(visitors.tokens)), visitors.given_up
    server.limit_files(FULL_AT)
    accepted = visitors.send(public_id, "Where is my parcel?", "full", patience=5.0)
    visitors.given_up = before
    server.limit_files(resource.RLIM_INFINITY)
    return not accepted and visitors.one("Where is my parcel?", "room-again")


def _damaged_bundle(server: Server, visitors: Visitors) -> bool:
    """A byte of the live release is wrong: it is not loaded, that is said, and the mended one is."""
    server.stop()
    path = max((server.data / "releases").rglob("*.onnx"), key=lambda one: one.stat().st_size)
    whole = path.read_bytes()
    path.unlink()  # it may be a link to a file that others share
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    server.start(wait=False)
    said = _says(server, "changed or damaged")
    path.write_bytes(whole)
    server.wait_until_ready()
    return said and visitors.one("How long does a refund take?", "mended")


def _says(server: Server, words: str, *, seconds: float = READY_SECONDS) -> bool:
    """Whether /readyz answers 503 with these words in the end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{server.address}/readyz", timeout=5).close()
            return False
        except urllib.error.HTTPError as error:
            if words in error.read().decode():
                return True
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.2)
    return False


def _damaged_index(server: Server, visitors: Visitors) -> bool:
    """Files of the index are cut short: it is made again from the database."""
    server.stop()
    damaged = 0
    for path in (server.data / "index").rglob("*"):
        if path.is_file() and path.name != "latest":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            damaged += 1
    server.start()
    return damaged > 0 and visitors.one("How long does a refund take?", "index")
