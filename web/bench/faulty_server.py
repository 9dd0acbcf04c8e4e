"""A server of the demo bot that is there to be broken: its processes, and PostgreSQL and Redis of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chatbot.errors import UnavailableError
from web.bench.processes import tree
from web.bench.server import READY_SECONDS, Server, free_port

BACK_AFTER = 1.0  # seconds until a killed database or Redis is started again, as a service manager would


class FaultyServer(Server):
    """Its processes can be found, replaced and starved; with ``engines`` it stands on their PostgreSQL and Redis."""

    def __init__(self, data: Path, *, engines: Engines | None = None) -> None:
        super().__init__(data)
        self.engines = engines

    def make(self) -> None:
        """The demo bot in SQLite; moved into PostgreSQL where that is wanted. Raises UnavailableError."""
        super().make()
        if self.engines is not None:
            self.command("db", "move", self.engines.database_url)
            self.environment |= self.engines.environment

    def renew(self) -> bool:
        """Replace the processes (SIGHUP); whether others answer afterwards."""
        before = set(self.victims()["web"])
        if self.process is None:
            return False
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            now = set(self.victims()["web"])
            if now and not now & before:
                return self.ready()
            time.sleep(0.2)
        return False

    def limit_files(self, size: int) -> None:
        """From now on writing beyond ``size`` bytes of a file fails, as on a full disk (prlimit(2), RLIMIT_FSIZE;
        Python ignores the signal that comes with it, so that it is an error)."""
        for pid in tree(self.process.pid) if self.process else ():
            with contextlib.suppress(OSError):
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def victims(self) -> dict[str, list[int]]:
        """Process ids of the web server's and the worker's processes, and of PostgreSQL and Redis."""
        found: dict[str, list[int]] = {"web": [], "worker": []}
        for pid in tree(self.process.pid)[1:] if self.process else ():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"--web-only" in command:
                    found["web"].append(pid)
                elif b"worker" in command:
                    found["worker"].append(pid)
        if self.engines is not None:
            found |= self.engines.victims()
        return found


@contextlib.contextmanager
def running(
    data: Path, *, engines: bool = False, environment: Mapping[str, str] | None = None
) -> Iterator[FaultyServer]:
    """A server of the demo bot in ``data``, made, started and in the end stopped, with engines of its own if wanted."""
    with contextlib.ExitStack() as stack:
        own = Engines() if engines else None
        if own is not None:
            stack.callback(own.stop)
        server = FaultyServer(data, engines=own)
        server.make()
        stack.callback(server.stop)
        server.start(environment=environment)
        yield server


class Engines:
    """PostgreSQL and Redis for one run, in a temporary folder, started again when they are killed.

    Raises UnavailableError where the programs are not installed.
    """

    def __init__(self) -> None:
        self.postgres = _postgres_program("postgres")
        self.redis = shutil.which("redis-server") or ""
        if not self.redis:
            raise UnavailableError(
                "redis-server is not installed",
                remedy="Install it (Debian: redis-server), or leave out --engines",
            )
        self.folder = Path(tempfile.mkdtemp(prefix="frontdesk-engines-"))
        self.account = _unprivileged()
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.ports = {"postgresql": free_port(), "redis": free_port()}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._run(
            _postgres_program("initdb"),
            "--pgdata",
            "db",
            "--username",
            "frontdesk",
            "--auth",
            "trust",
            "-E",
            "UTF8",
        )
        for name in self.ports:
            self.start(name)
        self._wait_for_postgres()

    @property
    def database_url(self) -> str:
        return f"postgresql://frontdesk@127.0.0.1:{self.ports['postgresql']}/postgres"

    @property
    def environment(self) -> dict[str, str]:
        redis = f"redis://127.0.0.1:{self.ports['redis']}"
        return {
            "FRONTDESK_DATABASE_URL": self.database_url,
            "FRONTDESK_QUEUE_URL": f"{redis}/0",
            "FRONTDESK_LIMITS_URL": f"{redis}/1",
            "FRONTDESK_LIVE_URL": f"{redis}/0",
        }

    def start(self, name: str) -> None:
        port = str(self.ports[name])
        command = {
            "postgresql": [self.postgres, "-D", "db", "-p", port, "-h", "127.0.0.1", "-k", str(self.folder)],
            "redis": [self.redis, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        }[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **self._as_account()
            )

    def victims(self) -> dict[str, list[int]]:
        return {name: tree(process.pid) for name, process in self.processes.items()}

    def bring_back(self, name: str) -> None:
        """After a kill: reap what was killed and start it again, as a service manager does."""
        self.processes[name].wait()
        time.sleep(BACK_AFTER)
        self.start(name)

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGINT)
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_for_postgres(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        is_ready = _postgres_program("pg_isready")
        while subprocess.run(
            [is_ready, "-q", "-h", "127.0.0.1", "-p", str(self.ports["postgresql"])]
        ).returncode:
            if time.monotonic() > deadline or self.processes["postgresql"].poll() is not None:
                raise UnavailableError("PostgreSQL did not start", value=self.folder / "postgresql.log")
            time.sleep(0.1)

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, **self._as_account())
        if done.returncode:
            raise UnavailableError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-400:]}")

    def _as_account(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}


def _postgres_program(name: str) -> str:
    """Debian keeps a folder a version beside the path. Raises UnavailableError."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda one: int(one.parts[4]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if not found:
        raise UnavailableError(
            f"{name} is not installed",
            remedy="Install PostgreSQL (Debian: postgresql), or leave out --engines",
        )
    return found


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account to run it under, None where this process is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise UnavailableError("PostgreSQL does not run as root and there is no account for it", value="postgres")
