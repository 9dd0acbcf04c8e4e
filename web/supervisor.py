"""Keeping the parts of the service running: the web server and the worker, each in a process of its own.

This module imports web/logs.py and the standard library alone and is what ``frontdesk serve`` turns into
(``web.serve.serve``), so that watching two processes costs a few megabytes. A part that ends by itself is started
again after a pause that grows while it keeps ending; SIGTERM and SIGINT end both in order: no new requests, running
ones answered, the worker's job put back into the queue.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from web import logs

log = logging.getLogger(__name__)

STOP_GRACE = 30.0  # seconds for requests in flight
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a part is started again
SETTLED_AFTER = 10.0  # a part that ran this long did start: it is brought back after the first pause


@dataclass
class Part:
    """One supervised process."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    ended: list[int] = field(default_factory=list)


class Supervisor:
    """Keeps its parts running until ``stop()``; ``run()`` returns when all have ended."""

    def __init__(
        self,
        parts: dict[str, Sequence[str]],
        *,
        environment: dict[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.parts = [Part(name, command) for name, command in parts.items()]
        self.environment = os.environ | (environment or {})
        self.clock = clock
        self._stopping = threading.Event()

    def stop(self, *_: object) -> None:
        self._stopping.set()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                for part in self.parts:
                    self._tend(part)
                self._stopping.wait(0.2)
        finally:
            self._end_all()

    def _tend(self, part: Part) -> None:
        now = self.clock()
        if part.process is None:
            if now >= part.due:
                # A session of its own: Ctrl-C reaches the supervisor alone, which ends the parts in order.
                part.process = subprocess.Popen(part.command, env=self.environment, start_new_session=True)
                part.started = now
            return
        status = part.process.poll()
        if status is None:
            return
        part.pause = FIRST_PAUSE if now - part.started > SETTLED_AFTER else min(part.pause * 2, LONGEST_PAUSE)
        part.process, part.due = None, now + part.pause
        part.ended.append(status)
        log.error("the %s ended with status %s; starting it again in %.0f s", part.name, status, part.pause)

    def _end_all(self) -> None:
        running = [part.process for part in self.parts if part.process is not None]
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
    supervisor = Supervisor({"web server": [*command, "serve", "--web-only"], "worker": [*command, "worker"]})
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    supervisor.run()


if __name__ == "__main__":
    logs.configure("INFO", style=os.environ.get("FRONTDESK_LOG_FORMAT", "auto"))
    main()
