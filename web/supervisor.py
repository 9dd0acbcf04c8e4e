"""Keeping the parts of the service running: the web server and the worker, each in a process of its own.

This module imports web/logs.py and the standard library alone and is what ``frontdesk serve`` turns into
(``web.serve.serve``), so that watching two processes costs a few megabytes. A part that ends by itself is started
again after a pause that grows while it keeps ending; SIGTERM and SIGINT end both in order: no new requests, running
ones answered, the worker's job put back into the queue.

The listening socket is this process's own. SIGHUP replaces the parts by new ones (another version, other settings in
.env) without turning anybody away: the new web server takes connections once it can answer, and only then the old one
finishes what it has begun and ends. One that does not get ready is ended, and the old one goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from web import logs

log = logging.getLogger(__name__)

LISTEN_FD = "FRONTDESK_LISTEN_FD"  # number of the listening socket that a web server takes over
READY_FD = "FRONTDESK_READY_FD"  # where it says that it answers
DEMO_ORDERS = "FRONTDESK_DEMO_ORDERS"  # where the demo's order service listens, set by ``frontdesk demo``
STOP_GRACE = 30.0  # seconds for requests in flight
FIRST_SECONDS = 20.0  # that the first web server has the machine to itself, at most
READY_SECONDS = 120.0  # for a new web server that is to take an old one's place
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a part is started again
SETTLED_AFTER = 10.0  # a part that ran this long did start: it is brought back after the first pause


@dataclass
class Part:
    """One supervised process. ``overlaps``: its successor begins before it ends. ``waits``: it first begins when those
    that overlap are ready."""

    name: str
    command: Sequence[str]
    overlaps: bool = False
    waits: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    ended: list[int] = field(default_factory=list)


class Supervisor:
    """Keeps its parts running until ``stop()``; ``run()`` returns when all have ended.

    ``listening`` is the descriptor of the socket that the parts named in ``overlapping`` share; those named in
    ``waiting`` leave the machine to them until they are ready (or ``first_seconds`` have passed).
    """

    def __init__(
        self,
        parts: dict[str, Sequence[str]],
        *,
        overlapping: Sequence[str] = (),
        waiting: Sequence[str] = (),
        listening: int | None = None,
        environment: dict[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        ready_seconds: float = READY_SECONDS,
        first_seconds: float = FIRST_SECONDS,
    ) -> None:
        self.parts = [
            Part(name, command, overlaps=name in overlapping, waits=name in waiting)
            for name, command in parts.items()
        ]
        self.listening = listening
        self.environment = os.environ | (environment or {})
        self.clock = clock
        self.ready_seconds = ready_seconds
        self.first_seconds = first_seconds
        self._stopping = threading.Event()
        self._renewing = threading.Event()

    def stop(self, *_: object) -> None:
        self._stopping.set()

    def renew(self, *_: object) -> None:
        """Replace all parts by new processes, soon."""
        self._renewing.set()

    def run(self) -> None:
        try:
            self._begin()
            while not self._stopping.is_set():
                if self._renewing.is_set():
                    self._renewing.clear()
                    for part in self.parts:
                        self._renew(part)
                for part in self.parts:
                    self._tend(part)
                self._stopping.wait(0.2)
        finally:
            _end([part.process for part in self.parts if part.process is not None])

    def _begin(self) -> None:
        for part in self.parts:
            if not part.overlaps and not part.waits:
                self._tend(part)
        if not any(part.waits for part in self.parts):
            return
        for part in self.parts:
            if part.overlaps and not self._stopping.is_set():
                part.started = self.clock()
                part.process, _ = self._start_and_wait(part, seconds=self.first_seconds)

    def _start_and_wait(self, part: Part, *, seconds: float) -> tuple[subprocess.Popen[bytes], bool]:
        """A new process of the part, and whether it said in time that it is ready."""
        hear, tell = os.pipe()
        process = self._start(part, ready=tell)
        os.close(tell)
        ready = self._heard(hear, process, seconds=seconds)
        os.close(hear)
        return process, ready

    def _start(self, part: Part, *, ready: int | None = None) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches the supervisor alone, which ends the parts in order.
        environment, handed = dict(self.environment), []
        if part.overlaps and self.listening is not None:
            environment[LISTEN_FD] = str(self.listening)
            handed.append(self.listening)
        if ready is not None:
            environment[READY_FD] = str(ready)
            handed.append(ready)
        return subprocess.Popen(part.command, env=environment, start_new_session=True, pass_fds=handed)

    def _tend(self, part: Part) -> None:
        now = self.clock()
        if part.process is None:
            if now >= part.due:
                part.process = self._start(part)
                part.started = now
            return
        status = part.process.poll()
        if status is None:
            return
        part.pause = FIRST_PAUSE if now - part.started > SETTLED_AFTER else min(part.pause * 2, LONGEST_PAUSE)
        part.process, part.due = None, now + part.pause
        part.ended.append(status)
        log.error("the %s ended with status %s; starting it again in %.0f s", part.name, status, part.pause)

    def _renew(self, part: Part) -> None:
        old = part.process
        if old is None or self._stopping.is_set():
            return  # it is about to be started anyway
        if part.overlaps:
            new, ready = self._start_and_wait(part, seconds=self.ready_seconds)
            if not ready:
                log.error("the new %s did not get ready; the old one goes on", part.name)
                _end([new])
                return
            part.process, part.started = new, self.clock()
            _end([old])
        else:
            _end([old])
            part.process, part.started = self._start(part), self.clock()
        log.warning("the %s was replaced", part.name)

    def _heard(self, hear: int, process: subprocess.Popen[bytes], *, seconds: float) -> bool:
        """Whether the process said that it is ready, in time and before it ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None and not self._stopping.is_set():
            if select.select([hear], [], [], 0.2)[0]:
                return bool(os.read(hear, 16))
        return False


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    deadline = time.monotonic() + STOP_GRACE
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(deadline - time.monotonic(), 0.1))
            continue
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> None:
    command = [sys.executable, "-m", "web.cli"]
    held = os.environ.pop(LISTEN_FD, "")
    parts: dict[str, Sequence[str]] = {
        "web server": [*command, "serve", "--web-only"],
        "worker": [*command, "worker"],
    }
    if os.environ.get(DEMO_ORDERS) and os.environ.get(f"{DEMO_ORDERS}_SECRET"):
        parts["demo's order service"] = [sys.executable, "-m", "ingest.demo.orders"]
    supervisor = Supervisor(
        parts,
        overlapping=["web server"],
        waiting=["worker"],  # nobody looks at it: a job may begin a second later, a visitor's answer not
        listening=int(held) if held else None,
    )
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    signal.signal(signal.SIGHUP, supervisor.renew)
    supervisor.run()


if __name__ == "__main__":
    logs.configure("INFO", style=os.environ.get("FRONTDESK_LOG_FORMAT", "auto"))
    main()
