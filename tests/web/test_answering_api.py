"""Another helpdesk answers visitors over the API as an agent does in the inbox, under the same rules."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records.api_keys import create_key
from chatbot.records.database import Database
from chatbot.records.tables import Attachment, Conversation, Person, Site, Turn

Call = Callable[..., Any]


@pytest.fixture
def people(database: Database) -> dict[str, int]:
    with database.write() as session:
        rows = [
            Person(email=f"{name}@shop.example", name=name.title(), password_hash="x", role=role)
            for name, role in (("mei", "agent"), ("tom", "agent"), ("ana", "viewer"))
        ]
        session.add_all(rows)
        session.flush()
        return {row.name: row.id for row in rows}


@pytest.fixture
def visitor(client: FlaskClient) -> Any:
    """(the conversation's id, how to read it as its visitor)"""
    started = client.post("/api/v1/conversations", json={}).get_json()
    bearer = {"Authorization": f"Bearer {started['token']}"}
    address = f"/api/v1/conversations/{started['id']}"
    client.post(f"{address}/messages", json={"text": "refund?"}, headers=bearer)
    client.post(f"{address}/handover", json={}, headers=bearer)
    return started["id"], lambda: client.get(f"{address}/messages", headers=bearer).get_json()


@pytest.fixture
def call(client: FlaskClient, database: Database, people: dict[str, int], visitor: Any) -> Call:
    def make(*scopes: str, of: int | None) -> dict[str, str]:
        with database.write() as session:
            _, text = create_key(session, name="desk", scopes=scopes, created_by_id=of)
        return {"Authorization": f"Bearer {text}"}

    key = make("conversations:write", of=people["Mei"])
    others = {
        "read": make("conversations:read", of=people["Mei"]),
        "nobody": make("conversations:write", of=None),
    }

    def send(what: str, *, by: str = "", **body: Any) -> Any:
        headers = others.get(by, key)
        return client.post(f"/api/v1/inbox/conversations/{visitor[0]}/{what}", json=body, headers=headers)

    send.key = key  # type: ignore[attr-defined]
    return send


def test_a_reply_takes_the_conversation_and_reaches_the_visitor_once(
    call: Call, visitor: Any, database: Database
) -> None:
    first = call("replies", text="I have looked it up.", message_id="r-1")
    again = call("replies", text="I have looked it up.", message_id="r-1")
    assert (first.status_code, first.json["state"]) == (201, "human")
    assert again.json["turn_id"] == first.json["turn_id"]
    told = visitor[1]()
    assert [(turn["role"], turn.get("agent")) for turn in told["turns"]][-1] == ("agent", "Mei")
    assert told["state"] == "human"
    with database.read() as session:
        assert session.scalars(select(Turn.text).where(Turn.role == "agent")).all() == [
            "I have looked it up."
        ]


def test_a_colleague_is_named_by_e_mail_and_only_one_has_it(call: Call) -> None:
    assert call("take", agent="Tom@shop.example ").json == {"state": "human"}
    refused = call("replies", text="Me too", message_id="r-2")
    assert refused.status_code == 409 and "Tom" in str(refused.json)
    assert call("put-back", agent="tom@shop.example", to="queue", note="knows more").json == {
        "state": "waiting"
    }
    assert call("replies", text="Now me", message_id="r-3").status_code == 201


def test_notes_stay_among_colleagues_and_a_closed_one_has_its_outcome(
    call: Call, visitor: Any, database: Database
) -> None:
    assert call("notes", text="rang him up").status_code == 201
    assert "rang him up" not in str(visitor[1]())
    assert call("close", outcome="lost").status_code == 422
    assert call("close", outcome="solved").json == {"state": "closed"}
    with database.read() as session:
        assert session.scalars(select(Conversation.outcome)).one() == "solved"


def test_back_with_the_bot_the_bot_answers(call: Call, visitor: Any) -> None:
    call("take")
    assert call("put-back", to="bot").json == {"state": "bot"}
    assert visitor[1]()["state"] == "bot"


@pytest.mark.parametrize("agent", ["ana@shop.example", "nobody@shop.example"])
def test_who_may_not_answer_customers_does_not_here_either(call: Call, visitor: Any, agent: str) -> None:
    refused = call("replies", text="Hi", message_id="r", agent=agent)
    assert (refused.status_code, refused.json["error"]["field"], refused.json["error"]["value"]) == (
        422,
        "agent",
        agent,
    )
    assert [turn["role"] for turn in visitor[1]()["turns"]] == ["customer", "bot"]


def test_a_key_for_reading_answers_nobody_and_one_that_nobody_made_must_name_somebody(call: Call) -> None:
    assert call("take", by="read").status_code == 403
    refused = call("take", by="nobody")
    assert refused.status_code == 422 and refused.json["error"]["message"] == "Say who answers"
    assert call("take", by="nobody", agent="mei@shop.example").status_code == 200


def upload(client: FlaskClient, call: Call, visitor: Any, content: bytes, name: str) -> Any:
    headers = call.key  # type: ignore[attr-defined]
    data = {"file": (io.BytesIO(content), name), "client_file_id": "f-1"}
    return client.post(f"/api/v1/inbox/conversations/{visitor[0]}/files", data=data, headers=headers)


PDF = b"%PDF-1.7 an invoice"


def test_a_file_goes_with_a_reply_and_the_visitor_may_download_it(
    client: FlaskClient, call: Call, visitor: Any, database: Database
) -> None:
    first, again = (upload(client, call, visitor, PDF, "invoice.exe") for _ in range(2))
    assert first.status_code == 201
    assert first.json == {
        "id": again.json["id"],
        "name": "invoice.pdf",
        "type": "application/pdf",
        "bytes": len(PDF),
    }
    sent = call("replies", message_id="r-1", files=[first.json["id"]])  # without words
    assert sent.status_code == 201
    last = visitor[1]()["turns"][-1]
    assert (last["role"], last["files"]) == ("agent", [first.json])
    assert call("replies", message_id="r-2", text="And again", files=[first.json["id"]]).status_code == 409
    assert call("replies", message_id="r-3").status_code == 422  # neither words nor files
    assert call("replies", message_id="r-4", files=["x"] * 6).status_code == 422
    unknown = call("replies", message_id="r-5", text="Look", files=["nowhere"])
    assert (unknown.status_code, unknown.json["error"]["value"]) == (404, "nowhere")


def test_a_file_of_a_colleague_is_checked_as_the_inbox_checks_it(
    client: FlaskClient, call: Call, visitor: Any, database: Database
) -> None:
    assert upload(client, call, visitor, b"MZ\0\1", "invoice.pdf").json["error"]["code"] == "file_type"
    assert upload(client, call, visitor, b"", "empty.txt").json["error"]["code"] == "empty"
    huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + 2 * (100_000).to_bytes(4, "big") + b"\x08\x02\0\0\0"
    large = upload(client, call, visitor, huge, "large.png")
    assert (large.status_code, large.json["error"]["code"]) == (413, "too_large")
    with database.write() as session:
        session.scalars(select(Site)).one().options = {"widget": {"attachment_mb": 0}}
    assert upload(client, call, visitor, PDF, "invoice.pdf").json["error"]["code"] == "no_files"
    path = f"/api/v1/inbox/conversations/{visitor[0]}/files"
    data = {"file": (io.BytesIO(PDF), "invoice.pdf")}
    assert client.post(path, data=data).status_code == 401
    with database.write() as session:
        _, text = create_key(session, name="reads", scopes=["conversations:read"])
    data = {"file": (io.BytesIO(PDF), "invoice.pdf")}
    assert client.post(path, data=data, headers={"Authorization": f"Bearer {text}"}).status_code == 403
    nowhere = "/api/v1/inbox/conversations/nowhere/files"
    data = {"file": (io.BytesIO(PDF), "invoice.pdf")}
    assert client.post(nowhere, data=data, headers=call.key).status_code == 404  # type: ignore[attr-defined]
    with database.read() as session:
        assert session.scalars(select(Attachment)).all() == []


def test_a_file_that_a_visitor_sent_is_no_colleagues(client: FlaskClient, call: Call, visitor: Any) -> None:
    started = client.post("/api/v1/conversations", json={}).get_json()
    bearer = {"Authorization": f"Bearer {started['token']}"}
    data = {"file": (io.BytesIO(PDF), "mine.pdf")}
    theirs = client.post(f"/api/v1/conversations/{started['id']}/files", data=data, headers=bearer).get_json()
    assert call("replies", message_id="r-1", text="Look", files=[theirs["id"]]).status_code == 404
