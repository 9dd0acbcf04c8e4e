"""The Chatwoot bridge: events in, answers out through its API, and a handover with a summary."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.errors import UnavailableError
from chatbot.outbound import Fetched
from chatbot.records import bridges, inbox
from chatbot.records.conversations import ensure_default_site
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Delivery, Turn, Visitor, utcnow
from chatbot.settings import Settings
from web.sending import send_due

ids = itertools.count(100)


@pytest.fixture
def bridge(database: Database) -> Callable[..., str]:
    def add(signing_secret: str = "") -> str:
        with database.write() as session:
            site = ensure_default_site(session)
            _, key = bridges.add_bridge(
                session,
                site_id=site.id,
                base_url="https://desk.example/",
                account_id=3,
                access_token="token-of-the-bot",
                signing_secret=signing_secret,
            )
        return f"/webhooks/chatwoot/{key}"

    return add


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Make an agent bot in Chatwoot&#39;s settings"),
        ("zh", "请先在 Chatwoot 的设置中添加客服机器人"),
    ],
)
def test_a_page_without_an_account_says_what_to_do_next(
    signed_in: Callable[..., FlaskClient], bridge: Callable[..., str], language: str, told: str
) -> None:
    admin = signed_in("admin")
    assert told in admin.get("/admin/inbox/chatwoot", headers={"Accept-Language": language}).text
    bridge()
    assert told not in admin.get("/admin/inbox/chatwoot", headers={"Accept-Language": language}).text


def message(text: str, *, conversation: int = 12, status: str = "pending", **more: Any) -> dict[str, Any]:
    return {
        "event": "message_created",
        "id": next(ids),
        "content": text,
        "message_type": "incoming",
        "sender": {"name": "Ana", "email": "ana@example.com"},
        "conversation": {"id": conversation, "status": status},
        **more,
    }


def sent(database: Database, settings: Settings) -> list[tuple[str, dict[str, Any]]]:
    """What goes to Chatwoot when the outbox is emptied: (path, body)."""
    out: list[tuple[str, dict[str, Any]]] = []

    def take(url: str, *, headers: dict[str, str], body: bytes, **options: Any) -> Fetched:
        assert headers["api_access_token"] == "token-of-the-bot"
        prefix = "https://desk.example/api/v1/accounts/3/conversations/"
        assert url.startswith(prefix)
        out.append((url.removeprefix(prefix), json.loads(body)))
        return Fetched(url, 200, {}, b"{}")

    while send_due(database, settings, now=utcnow, fetching=take):
        pass
    return out


def test_a_question_is_answered_with_its_source_and_twice_told_is_answered_once(
    client: FlaskClient, bridge: Any, database: Database, settings: Settings
) -> None:
    address = bridge()
    body = message("When does my refund arrive?")
    assert client.post(address, json=body).get_json() == {"done": True}
    client.post(address, json=body)
    [(path, answer)] = sent(database, settings)
    assert path == "12/messages"
    assert (answer["message_type"], answer["private"]) == ("outgoing", False)
    assert "3 working days" in answer["content"]
    assert "[Refunds](https://shop.example/help/refunds)" in answer["content"]
    with database.read() as session:
        assert session.scalars(select(Turn.role).order_by(Turn.id)).all() == ["customer", "bot"]
        visitor = session.scalars(select(Visitor)).one()
        assert (visitor.name, visitor.email) == ("Ana", "ana@example.com")


def test_choices_are_tapped_there_and_answered_here(
    client: FlaskClient, bridge: Any, database: Database, settings: Settings
) -> None:
    address = bridge()
    client.post(address, json=message("which one"))
    [(_, answer)] = sent(database, settings)
    assert answer["content_type"] == "input_select"
    items = answer["content_attributes"]["items"]
    assert items[0] == {"title": "Refund time", "value": "/intent refund_time"}
    picked = message("", message_type="template", content_attributes={"submitted_values": [items[0]]})
    client.post(address, json=picked | {"event": "message_updated"})
    assert len(sent(database, settings)) == 1
    with database.read() as session:
        said = session.scalars(select(Turn.text).where(Turn.role == "customer").order_by(Turn.id)).all()
        assert said == ["which one", "Refund time"]


def test_a_handover_opens_it_there_with_a_private_summary_and_the_bot_is_silent_until_it_gets_it_back(
    client: FlaskClient, bridge: Any, database: Database, settings: Settings
) -> None:
    address = bridge()
    client.post(address, json=message("When does my refund arrive?"))
    client.post(address, json=message("I want to talk to a person"))
    out = sent(database, settings)
    assert [path for path, _ in out] == ["12/messages", "12/messages", "12/messages", "12/toggle_status"]
    assert out[2][1]["private"] and out[2][1]["content"].startswith(
        "Wants: “When does my refund arrive?”\nTried:"
    )
    assert out[3][1] == {"status": "open"}
    with database.read() as session:
        assert inbox.queue(session, "waiting", person_id=0) == []  # it is answered there, not here
    assert client.post(address, json=message("hello?", status="open")).get_json() == {"done": False}
    assert sent(database, settings) == []
    client.post(address, json={"event": "conversation_status_changed", "id": 12, "status": "resolved"})
    with database.read() as session:
        assert session.scalars(select(Conversation.state)).one() == "closed"
    assert client.post(address, json=message("refund again?")).get_json() == {"done": True}
    assert len(sent(database, settings)) == 1


def test_what_is_not_the_customers_is_left_alone(
    client: FlaskClient, bridge: Any, database: Database
) -> None:
    address = bridge()
    for body in (
        message("from an agent", message_type="outgoing"),
        message("a note", private=True),
        message(""),
        message("x") | {"event": "webwidget_triggered"},
        {"event": "conversation_status_changed", "id": 99, "status": "open"},
    ):
        assert client.post(address, json=body).get_json() == {"done": False}
    with database.read() as session:
        assert session.scalars(select(Conversation)).all() == []
    assert client.post(address, json=message("x", conversation="../1")).status_code == 422  # type: ignore[arg-type]
    assert client.post(address, data=b"[]").status_code == 400


def test_without_a_release_the_customer_goes_to_a_person(
    client: FlaskClient, bridge: Any, database: Database, settings: Settings, assistant: Any
) -> None:
    def nothing(text: str) -> None:
        raise UnavailableError("No release is live yet")

    assistant.before_reply = nothing
    assert client.post(bridge(), json=message("refund?")).get_json() == {"done": True}
    assert [path for path, _ in sent(database, settings)] == ["12/messages", "12/toggle_status"]


def test_a_wrong_key_opens_nothing_and_a_signature_must_be_right_and_fresh(
    client: FlaskClient, bridge: Any, database: Database
) -> None:
    assert client.post("/webhooks/chatwoot/" + "x" * 43, json=message("x")).status_code == 404
    address = bridge("shared secret")
    body = json.dumps(message("refund?")).encode()

    def post(stamp: int | str, secret: str = "shared secret") -> int:
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Chatwoot-Timestamp": str(stamp), "X-Chatwoot-Signature": f"sha256={digest}"}
        return client.post(address, data=body, content_type="application/json", headers=headers).status_code

    now = int(time.time())
    assert post(now, "another") == 401
    assert post(now - 3600) == 401
    assert client.post(address, data=body, content_type="application/json").status_code == 401
    assert post("²") == post("9" * 5000) == post("-1") == 401  # what looks like a number and is none
    for number in ("²", "9" * 5000, 10**40, -1, True, None):
        told = message("refund?") | {"conversation": {"id": number}}
        content = json.dumps(told).encode()
        digest = hmac.new(b"shared secret", f"{now}.".encode() + content, hashlib.sha256).hexdigest()
        headers = {"X-Chatwoot-Timestamp": str(now), "X-Chatwoot-Signature": f"sha256={digest}"}
        answer = client.post(address, data=content, content_type="application/json", headers=headers)
        assert answer.status_code == 422, number
    assert post(now) == 200
    with database.write() as session:
        bridges.list_bridges(session)[0].active = False
    assert post(now) == 404


def test_answers_of_one_conversation_keep_their_order_when_one_fails(
    client: FlaskClient, bridge: Any, database: Database, settings: Settings
) -> None:
    address = bridge()
    client.post(address, json=message("first refund?"))
    client.post(address, json=message("second refund?"))
    client.post(address, json=message("another", conversation=13))
    tried: list[str] = []

    def fail(url: str, **options: Any) -> Fetched:
        tried.append(url.rpartition("/conversations/")[2])
        return Fetched(url, 503, {}, b"")

    send_due(database, settings, now=utcnow, fetching=fail)
    send_due(database, settings, now=utcnow, fetching=fail)
    assert sorted(tried) == ["12/messages", "13/messages"]  # the second of 12 waits for the first
    with database.read() as session:
        assert {row.state for row in session.scalars(select(Delivery))} == {"due"}
