"""What the faults bench counts as lost, doubled or changed, on made answers of a server."""

from __future__ import annotations

from typing import Any

import pytest

from web.bench.insistence import Visitors


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
