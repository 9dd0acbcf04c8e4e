"""Cards end to end: written by an admin, answered by the API, read by those who cannot show them, exported."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records.api_keys import create_key
from chatbot.records.conversation_export import exported
from chatbot.records.conversation_search import Wanted
from chatbot.records.database import Database
from chatbot.records.tables import Answer, Intent, Person, Turn
from chatbot.settings import Settings
from web import create_app
from web.api.chatwoot import message_of
from web.serving import Serving

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\0\0\1" * 2 + b"\x08\2\0\0\0\x90wS\xde"
REFUND = {
    "title": "Your refund",
    "text": "49.00 to your card.",
    "image": "https://images.example.com/card.png",
    "alt": "A bank card",
    "links": [{"title": "How refunds work", "url": "/help/en/refunds"}],
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"image_hosts": "images.example.com"})


@pytest.fixture
def visitor(client: FlaskClient) -> tuple[str, dict[str, str]]:
    started = client.post("/api/v1/conversations", json={}).get_json()
    return f"/api/v1/conversations/{started['id']}", {"Authorization": f"Bearer {started['token']}"}


@pytest.fixture
def key(database: Database) -> dict[str, str]:
    with database.write() as session:
        person = Person(email="mei@shop.example", name="Mei", password_hash="x", role="agent")
        session.add(person)
        session.flush()
        _, text = create_key(
            session, name="desk", scopes=("conversations:write", "chat"), created_by_id=person.id
        )
    return {"Authorization": f"Bearer {text}"}


def test_an_answer_brings_its_cards_with_whole_addresses_also_when_it_is_read_again(
    client: FlaskClient, visitor: Any
) -> None:
    address, mine = visitor
    told = client.post(f"{address}/messages", json={"text": "cards?"}, headers=mine).get_json()
    cards = told["reply"]["parts"][0]["cards"]
    assert [card["title"] for card in cards] == ["Express", "Standard", "Collect"]
    assert cards[0]["image"] == "http://localhost/favicon.ico"
    assert [link["url"] for link in cards[0]["links"]] == [
        "https://shop.example/express",
        "http://localhost/help/en/express",
    ]
    again = client.get(f"{address}/messages", headers=mine).get_json()["turns"][-1]
    assert again["reply"]["parts"][0]["cards"] == cards
    plain = client.post(f"{address}/messages", json={"text": "refund?"}, headers=mine).get_json()
    assert plain["reply"]["parts"][0]["cards"] == []


def test_an_answer_from_before_there_were_cards_is_still_read(
    client: FlaskClient, visitor: Any, database: Database
) -> None:
    address, mine = visitor
    client.post(f"{address}/messages", json={"text": "refund?"}, headers=mine)
    with database.write() as session:
        turn = session.scalars(select(Turn).where(Turn.role == "bot")).one()
        reply = json.loads(json.dumps(turn.reply))
        del reply["parts"][0]["cards"]
        turn.reply = reply
    (_, turn_json) = client.get(f"{address}/messages", headers=mine).get_json()["turns"]
    assert turn_json["reply"]["parts"][0]["cards"] == []


def test_a_colleague_sends_cards_over_the_api_and_the_visitor_gets_them(
    client: FlaskClient, visitor: Any, key: dict[str, str]
) -> None:
    address, mine = visitor
    replies = address.replace("/conversations/", "/inbox/conversations/") + "/replies"
    body = {"text": "Here it is.", "message_id": "r-1", "cards": [REFUND]}
    assert client.post(replies, json=body, headers=key).status_code == 201
    turn = client.get(f"{address}/messages", headers=mine).get_json()["turns"][-1]
    assert turn["cards"] == [
        REFUND | {"links": [{"title": "How refunds work", "url": "http://localhost/help/en/refunds"}]}
    ]
    for wrong, field in (
        ({"image": "https://elsewhere.example/a.png"}, "image"),
        ({"alt": ""}, "alt"),
        ({"links": [{"title": "Go", "url": "http://shop.example"}]}, "url"),
        ({"title": " "}, "title"),
    ):
        refused = client.post(
            replies, json=body | {"message_id": "r-2", "cards": [REFUND | wrong]}, headers=key
        )
        assert refused.status_code == 422, wrong
        assert refused.get_json()["error"]["field"] == field
        assert refused.get_json()["error"]["remedy"]


def test_windows_that_know_no_cards_get_words(client: FlaskClient, key: dict[str, str]) -> None:
    (rasa,) = client.post(
        "/webhooks/rest/webhook", json={"sender": "v", "message": "cards?"}, headers=key
    ).get_json()
    assert rasa["text"].startswith("Three ways.\n\n**Express**\nWith you tomorrow.\n[Book it](https://shop")
    assert "**Standard**" in rasa["text"]
    assert [card["title"] for card in rasa["custom"]["cards"]] == ["Express", "Standard", "Collect"]
    deep = client.post(
        "/webhooks/deep-chat",
        json={"messages": [{"role": "user", "text": "cards?"}], "sender": "d"},
        headers=key,
    ).get_json()
    assert "[Our help](http://localhost/help/en/express)" in deep["text"]
    part = {"text": "Hello.", "choices": [], "sources": [], "cards": [REFUND]}
    assert message_of(part)["content"] == (
        "Hello.\n\n**Your refund**\n49.00 to your card.\n[How refunds work](/help/en/refunds)"
    )


def test_the_export_holds_them_redacted(
    client: FlaskClient, visitor: Any, key: Any, database: Database
) -> None:
    address, _ = visitor
    replies = address.replace("/conversations/", "/inbox/conversations/") + "/replies"
    card = REFUND | {"text": "Sent to ana@example.com", "links": []}
    client.post(replies, json={"text": "Here.", "message_id": "r", "cards": [card]}, headers=key)
    (one,) = exported(database, Wanted())
    assert one["turns"][0]["cards"][0]["title"] == "Your refund"
    assert "ana@example.com" not in json.dumps(one["turns"])


def test_the_pages_with_cards_let_in_pictures_of_the_allowed_hosts_alone(client: FlaskClient) -> None:
    for address in ("/chat", "/widget/frame"):
        policy = client.get(address).headers["Content-Security-Policy"]
        assert "img-src 'self' data: blob: https://images.example.com;" in policy
    assert "images.example.com" not in client.get("/").headers["Content-Security-Policy"]


def test_a_host_that_is_none_stops_the_start(
    settings: Settings, database: Database, serving: Serving
) -> None:
    with pytest.raises(Exception, match="Not a host"):
        create_app(
            settings.model_copy(update={"image_hosts": "https://x.example"}),
            database=database,
            serving=serving,
        )


# --- the admin's side ------------------------------------------------------------------------------------


def test_an_admin_writes_cards_under_an_answer_and_changes_them(
    app: Flask, signed_in: Callable[..., FlaskClient], database: Database
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    editor = signed_in("editor")
    with database.write() as session:
        session.add(Intent(id=1, name="delivery", titles={"en": "Delivery"}))
    written = "Express\nTomorrow.\n[Book <it>](https://shop.example/express)"
    form = {"lang": "en", "text": "One way.", "cards": written, "approve": "yes"}
    assert editor.post("/admin/intents/1/answers", data=form).status_code == 303
    with database.read() as session:
        answer = session.scalars(select(Answer)).one()
    assert answer.cards is not None and answer.cards[0]["links"][0]["title"] == "Book <it>"
    page = editor.get("/admin/intents/1").get_data(as_text=True)
    assert "Book &lt;it&gt;" in page and "<it>" not in page
    change = editor.get(f"/admin/intents/1?change={answer.id}").get_data(as_text=True)
    assert "Express\nTomorrow.\n[Book &lt;it&gt;](https://shop.example/express)</textarea>" in change
    refused = editor.post(
        "/admin/intents/1/answers", data=form | {"cards": "A\n![b](https://x.example/b.png)"}
    )
    assert refused.status_code == 422
    kept = refused.get_data(as_text=True)
    assert "Pictures from this host are not shown" in kept
    assert "![b](https://x.example/b.png)</textarea>" in kept and "One way.</textarea>" in kept
    with database.read() as session:
        assert len(session.scalars(select(Answer)).all()) == 1


def test_an_admins_own_pictures_come_along_and_are_served_to_everybody(
    app: Flask, client: FlaskClient, signed_in: Callable[..., FlaskClient], database: Database
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    editor = signed_in("editor")
    with database.write() as session:
        session.add(Intent(id=1, name="delivery", titles={"en": "Delivery"}))

    def write(content: bytes, name: str, cards: str) -> Any:
        form = {"lang": "en", "text": "One way.", "approve": "yes", "cards": cards}
        files = {"pictures": (io.BytesIO(content), name)}
        return editor.post("/admin/intents/1/answers", data=form | files, content_type="multipart/form-data")

    cards = "Express\n![A bicycle](my express.png)\n---\nWalk\n![Shoes](/favicon.ico)"
    assert write(PNG, "my express.png", cards).status_code == 303
    with database.read() as session:
        answer = session.scalars(select(Answer)).one()
    assert answer.cards is not None
    address = answer.cards[0]["image"]
    assert address.startswith("/pictures/") and address.endswith(".png")
    assert answer.cards[1]["image"] == "/favicon.ico"
    got = client.get(address)
    assert (got.data, got.mimetype) == (PNG, "image/png")
    assert "immutable" in got.headers["Cache-Control"]
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]

    for content, name, said in (
        (PNG, "other.png", "Not an address"),  # the card names another file
        (b"%PDF-1.7", "my express.png", "no picture for a card"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "my express.png", "not accepted"),
        (PNG[:16] + b"\0\1\0\0" * 2 + PNG[24:], "my express.png", "too large"),
    ):
        refused = write(content, name, cards)
        assert refused.status_code in (413, 422), name
        assert said in refused.text and "my express.png" in refused.text
    for wrong in ("x.png", "..%2f..%2fsecret.key", "0" * 32 + ".svg", "0" * 32 + ".png"):
        assert client.get(f"/pictures/{wrong}").status_code == 404


def test_an_agent_takes_an_approved_answers_cards_over(
    app: Flask, client: FlaskClient, visitor: Any, signed_in: Callable[..., FlaskClient], database: Database
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    address, mine = visitor
    client.post(f"{address}/messages", json={"text": "cards?"}, headers=mine)
    client.post(f"{address}/handover", json={}, headers=mine)
    agent = signed_in("agent", "Mei")
    draft = agent.get("/admin/inbox/conversations/1/suggestion").get_json()["drafts"][0]
    assert [card["title"] for card in draft["cards"]] == ["Express", "Standard", "Collect"]
    body = {"text": draft["text"], "cards": draft["cards"], "client_message_id": "a"}
    shown = agent.post("/admin/inbox/conversations/1/reply", json=body).get_json()
    assert shown["turns"][-1]["cards"] == draft["cards"]
    said = client.get(f"{address}/messages", headers=mine).get_json()["turns"][-1]
    assert [card["title"] for card in said["cards"]] == ["Express", "Standard", "Collect"]
    assert agent.get("/admin/conversations/1").get_data(as_text=True).count('class="card-said"') == 6
    for wrong in ("x", [1], [{"title": "A", "image": "https://elsewhere.example/a.png", "alt": "a"}]):
        refused = agent.post(
            "/admin/inbox/conversations/1/reply", json=body | {"cards": wrong, "client_message_id": "b"}
        )
        assert refused.status_code == 422
