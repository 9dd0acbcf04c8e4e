"""The benchmarks' server: one that ends is noticed at once, with its reason in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.errors import UnavailableError
from web.bench.server import Server


def test_a_server_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with pytest.raises(UnavailableError, match="has ended"):
        server.start("--no-such-option")
    assert "--no-such-option" in server.log.read_text()
    assert not server.alive() and server.told() == (0, {})


def test_a_command_that_fails_says_its_status(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="releases failed") as failed:
        Server(tmp_path).command("releases", "show", "r-none", quiet=True)
    assert failed.value.value == "status 2"
