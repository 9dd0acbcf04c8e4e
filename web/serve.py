"""Starting the service: the web server (gunicorn, threads) alone, or with one worker under web/supervisor.py."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from gunicorn.app.base import BaseApplication

from chatbot.errors import UnavailableError
from chatbot.records import people
from chatbot.records.database import Database
from chatbot.settings import Settings
from web.secrets import check_metrics_token
from web.supervisor import LISTEN_FD

if TYPE_CHECKING:
    from flask import Flask

STOP_GRACE = 30.0  # seconds for requests in flight; web.supervisor waits as long
CONNECTIONS = 2000  # of one web process at a time, most of them idle
HEAPS = 2  # of malloc, in one web process
_M_ARENA_MAX = -8  # malloc.h
BACKLOG = 2048  # connections that wait to be accepted; the kernel's own limit is net.core.somaxconn


class WebServer(BaseApplication):
    """gunicorn configured from our settings alone: no config file, no command line of its own."""

    def __init__(self, settings: Settings, *, load: Callable[[], Flask] | None = None) -> None:
        self.settings = settings
        self._load = load
        super().__init__()

    def load_config(self) -> None:
        chosen: dict[str, Any] = {
            "bind": [_bind(self.settings)],
            "worker_class": "web.gunicorn_worker.Worker",
            "logger_class": "web.gunicorn_worker.Log",
            "child_exit": _forget_metrics,
            "workers": self.settings.web_processes,
            "threads": self.settings.web_threads,
            "worker_connections": CONNECTIONS,
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
        if self.settings.web_processes > 1 and self.settings.inference_threads == 1 and self._load is None:
            # A model session with threads of its own would not survive the fork.
            chosen["when_ready"] = self._load_before_fork
        for key, value in chosen.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def _load_before_fork(self, arbiter: object) -> None:
        from web.serving import (
            load_before_fork,  # with it come the models' libraries: not for `frontdesk serve`
        )

        load_before_fork(self.settings)

    def load(self) -> Flask:
        """The application. Its models are read from disk by a thread while this one still imports the pages."""
        if self._load is not None:
            return self._load()
        from chatbot.records import schema
        from web import create_app
        from web.serving import Serving, import_models

        database = Database(self.settings.database)
        serving = Serving(database, self.settings)
        if schema.is_current(database):  # else create_app brings it up to date first
            import_models()
            serving.start()
        return create_app(self.settings, database=database, serving=serving)


def _host_in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bind(settings: Settings) -> str:
    """What to listen on: the supervisor's socket, or one of our own."""
    if held := os.environ.get(LISTEN_FD, ""):
        return f"fd://{held}"
    return f"{_host_in_url(settings.host)}:{settings.port}"


def _listen(settings: Settings) -> socket.socket:
    """The listening socket that the supervisor holds: it outlives every web server process, so that nobody is turned
    away while one is replaced or brought back."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((settings.host, settings.port))
    listening.listen(BACKLOG)
    listening.set_inheritable(True)
    return listening


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
    if LISTEN_FD not in os.environ:
        check_port(settings)
    check_metrics_token(settings.metrics_token)
    _allow_connections()
    share_heaps()
    if settings.web_processes > 1:
        _share_metrics(settings)
    WebServer(settings).run()


def _allow_connections() -> None:
    """As many open files as the system lets us have: 1,024 is the usual soft limit, and each visitor is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, 4 * CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def share_heaps() -> None:
    """Few heaps for all threads, before there are any. glibc gives each thread one of its own (up to eight a core), and
    each keeps what its largest request took; the interpreter lets one thread allocate at a time anyway."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS)


def _share_metrics(settings: Settings) -> None:
    """Several web processes count in files of one folder (prometheus_client reads the variable when imported)."""
    folder = settings.data / "metrics"
    shutil.rmtree(folder, ignore_errors=True)  # of the run before: its counts are not of these processes
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder.absolute())


def _forget_metrics(server: object, worker: Any) -> None:
    """A web process has ended: its gauges are no longer true, its counters are."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def serve(settings: Settings) -> NoReturn:
    """Web server and worker together, until SIGTERM or SIGINT: this process becomes their supervisor."""
    check_port(settings)
    held = {LISTEN_FD: str(_listen(settings).detach())}
    sys.stdout.flush()
    os.execve(
        sys.executable,
        [sys.executable, "-m", "web.supervisor"],
        os.environ | settings.as_environment() | held,
    )


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
