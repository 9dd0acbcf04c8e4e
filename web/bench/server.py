"""``frontdesk serve`` on a demo bot, for the benchmarks that need a real server: made, started, stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from chatbot.errors import UnavailableError

READY_SECONDS = 400.0  # a busy machine takes its time; how long it took is reported
RAISED_RATE = "1000000 per minute"

demo_folder = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the demo bot, made where it is missing, written to and kept; else a temporary one.",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``frontdesk serve``, in a session of its own; what it says goes to ``log``."""

    def __init__(self, data: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.data = data.absolute()
        self.log = self.data / "bench.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = (
            os.environ
            | {
                "FRONTDESK_DATA": str(self.data),
                "FRONTDESK_DATABASE_URL": "",
                "FRONTDESK_CHAT_RATE": RAISED_RATE,
                "FRONTDESK_HOST": "127.0.0.1",
                "FRONTDESK_LOG_LEVEL": "ERROR",
                "PORT": str(self.port),
            }
            | dict(environment or {})
        )

    def make(self) -> None:
        """The demo bot, in SQLite. Raises UnavailableError."""
        self.command("demo", "--no-serve")

    def command(self, *arguments: str, quiet: bool = False) -> None:
        """A ``frontdesk`` command on this server's data. Raises UnavailableError where it fails."""
        made = subprocess.run(
            [sys.executable, "-m", "web.cli", *arguments],
            env=self.environment,
            check=False,
            stdout=subprocess.DEVNULL if quiet else None,
        )
        if made.returncode:
            raise UnavailableError(f"frontdesk {arguments[0]} failed", value=f"status {made.returncode}")

    def start(self, *arguments: str, wait: bool = True, environment: Mapping[str, str] | None = None) -> None:
        """``frontdesk serve`` with these arguments. Raises UnavailableError where it does not get ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web.cli", "serve", *arguments],
                env=self.environment | dict(environment or {}),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            self.wait_until_ready()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=60)
            self.process = None

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> float:
        """How long it took; raises UnavailableError."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if self.ready():
                return time.monotonic() - begun
            if not self.alive():
                raise UnavailableError("The server has ended", value=self.address, remedy=f"See {self.log}")
            time.sleep(0.1)
        raise UnavailableError("The server did not get ready", value=self.address)

    def ready(self) -> bool:
        return self.told()[0] == 200

    def told(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /readyz; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {"error": error.read().decode("utf-8", "replace")}
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}
