"""What the faults bench counts as lost, doubled or changed, on made answers of a server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from web.bench.insistence import Visitors
from web.bench.mishaps import _SHIFTED


def turns(*rows: tuple[int, str, str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "role": role,
            "text": text,
            "client_message_id" if role == "customer" else "reply_to": ref,
        }
        for number, role, text, ref in rows
    ]


@pytest.mark.parametrize(
    ("stored", "lost", "duplicated", "changed"),
    [
        (turns((1, "customer", "hi", "m"), (2, "bot", "hello", 1)), 0, 0, 0),
        (turns(), 1, 0, 0),
        (turns((1, "customer", "hi", "m")), 1, 0, 0),
        (turns((1, "customer", "hi", "m"), (2, "bot", "hello", 1), (3, "customer", "hi", "m")), 0, 1, 0),
        (turns((1, "customer", "hi", "m"), (2, "bot", "hello", 1), (3, "bot", "hello", 1)), 0, 1, 0),
        (turns((1, "customer", "hi", "m"), (2, "bot", "other", 1)), 0, 0, 1),
    ],
)
def test_what_was_acknowledged_is_held_against_what_is_there(
    stored: list[dict[str, Any]], lost: int, duplicated: int, changed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitors = Visitors("http://nowhere.example")
    visitors.tokens["c"] = "token"
    visitors.acknowledged["c", "m"] = {"reply": {"text": "hello"}}
    monkeypatch.setattr(visitors, "_ask", lambda path, token: {"turns": stored})
    counted = visitors.compare()
    assert (counted["lost"], counted["duplicated"], counted["changed"]) == (lost, duplicated, changed)


def test_a_server_that_never_answers_is_given_up_and_counted() -> None:
    visitors = Visitors("http://127.0.0.1:9")
    assert not visitors.one("hi", "m", patience=0.4)
    assert visitors.acknowledged == {} and visitors.failures.total() >= 1


def test_the_clock_of_a_process_follows_the_file(tmp_path: Path) -> None:
    """Else nothing is tried where a server's clock is to jump."""
    pytest.importorskip("time_machine")
    offset = tmp_path / "clock"
    offset.write_text("0")
    script = (
        _SHIFTED + "import pathlib, sys\nfor jump in ('86400', '-86400', '0'):\n"
        "    pathlib.Path(sys.argv[1]).write_text(jump)\n    time.sleep(1)\n"
        "    print(time.time(), datetime.datetime.now(datetime.UTC).timestamp())\n"
    )
    environment = os.environ | {"FRONTDESK_BENCH_CLOCK": str(offset)}
    begun = time.time()
    said = subprocess.run(
        [sys.executable, "-c", script, str(offset)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    days = [round((float(value) - begun) / 86400) for value in said.stdout.split()]
    assert days == [1, 1, -1, -1, 0, 0]
