"""Starting the service: the web server (gunicorn, threads) and one worker, as two processes under one supervisor.

The supervisor holds nothing but their process ids. A part that ends by itself is started again after a pause
that grows while it keeps ending; SIGTERM and SIGINT end both in order: no new requests, running ones answered,
the worker's job put back into the queue.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from chatbot.errors import UnavailableError
from chatbot.records import people
from chatbot.records.database import Database
from chatbot.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)

STOP_GRACE = 30.0  # seconds for requests in flight
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a part is started again
SETTLED_AFTER = 60.0  # a part that ran this long starts with the first pause again


class WebServer(BaseApplication):
    """gunicorn configured from our settings alone: no config file, no command line of its own."""

    def __init__(self, settings: Settings, *, load: Callable[[], Flask] | None = None) -> None:
        self.settings = settings
        self._load = load
        super().__init__()

    def load_config(self) -> None:
        chosen: dict[str, Any] = {
            "bind": [f"{_host_in_url(self.settings.host)}:{self.settings.port}"],
            "worker_class": "gthread",
            "workers": self.settings.web_processes,
            "threads": self.settings.web_threads,
            "timeout": 120,  # of the worker process's own heartbeat, not of a request
            "graceful_timeout": int(STOP_GRACE) - 5,
            "keepalive": 15,
            "preload_app": False,  # threads and model sessions do not survive a fork
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "frontdesk",
            "forwarded_allow_ips": "",  # ProxyFix in create_app decides whom to believe
            "limit_request_line": 4094,
            "limit_request_fields": 60,
        }
        for key, value in chosen.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def load(self) -> Flask:
        if self._load is not None:
            return self._load()
        from web import create_app

        return create_app(self.settings)


def _host_in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def check_port(settings: Settings) -> None:
    """Raises UnavailableError where the address cannot be listened on: better now than in a child's log."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise UnavailableError(
                f"Cannot listen on {_host_in_url(settings.host)}:{settings.port}: {error.strerror or error}",
                field="PORT",
                value=settings.port,
                remedy="Stop what listens there, or choose another port with --port",
            ) from error


def address(settings: Settings) -> str:
    """The address to open on this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://{_host_in_url(host)}:{settings.port}"


def serve_web(settings: Settings) -> None:
    """Run the web server in this process until it is told to stop."""
    check_port(settings)
    WebServer(settings).run()


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


def serve(settings: Settings) -> None:
    """Web server and worker together, until SIGTERM or SIGINT."""
    from web.worker import settings_environment

    check_port(settings)
    command = [sys.executable, "-m", "web.cli"]
    supervisor = Supervisor(
        {"web server": [*command, "serve", "--web-only"], "worker": [*command, "worker"]},
        environment=settings_environment(settings),
    )
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    supervisor.run()


def first_steps(database: Database, settings: Settings) -> list[str]:
    """What to tell whoever starts the server: where it is, and how the first admin gets in.

    While nobody can sign in, each start makes a new one-time link; the one before stops working.
    """
    lines = [f"Frontdesk is at {address(settings)}", f"Admin area at {address(settings)}/admin"]
    with database.write() as session:
        if not people.anybody(session):
            token = people.create_link(session, role="admin")
            lines.append(
                f"Make the first account (once, within 24 hours): {address(settings)}/admin/set-up/{token}"
            )
    return lines
