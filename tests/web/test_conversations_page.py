"""Finding conversations by what was asked, when and where, and taking them away as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records import conversation_export
from chatbot.records.database import Database
from chatbot.records.tables import AuditEntry, Conversation, utcnow


@pytest.fixture
def admin(app: Flask, signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return signed_in("admin")


@pytest.fixture
def three(client: FlaskClient, database: Database) -> None:
    """A refund in English, one asked about a month ago by =jane, and something unknown in Chinese."""
    for locale, text in (
        ("en", "where is my refund"),
        ("en", "=1+1 refund, I am jane@example.com"),
        ("zh", "xyzzy 你好吗"),
    ):
        started = client.post("/api/v1/conversations", json={"locale": locale}).get_json()
        headers = {"Authorization": f"Bearer {started['token']}"}
        client.post(f"/api/v1/conversations/{started['id']}/messages", json={"text": text}, headers=headers)
    with database.write() as session:
        session.get_one(Conversation, 2).created_at = utcnow() - timedelta(days=30)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3]),
        ("q=jane", [2]),
        ("topic=refund_time", [1, 2]),
        ("topic=other", []),
        ("lang=zh", [3]),
        ("only=unknown", [3]),
        ("site=default&topic=refund_time", [1, 2]),
        ("site=elsewhere", []),
        (f"since={(utcnow() - timedelta(days=2)):%Y-%m-%d}", [1, 3]),
        (f"until={(utcnow() - timedelta(days=2)):%Y-%m-%d}&q=refund", [2]),
        ("since=2026-01-01&until=2026-01-02", []),
    ],
)
def test_the_list_and_the_export_hold_what_the_filters_say(
    admin: FlaskClient, three: None, query: str, found: list[int], database: Database
) -> None:
    page = admin.get(f"/admin/conversations?{query}").get_data(as_text=True)
    assert [one for one in (1, 2, 3) if f'href="/admin/conversations/{one}"' in page] == found
    lines = admin.post(f"/admin/conversations/export?{query}", data={"format": "jsonl"}).text.splitlines()
    with database.read() as session:
        ids = dict(session.execute(select(Conversation.public_id, Conversation.id)).all())
    assert [ids[json.loads(line)["id"]] for line in lines] == found


def test_a_day_that_is_none_is_said(admin: FlaskClient) -> None:
    assert admin.get("/admin/conversations?since=tomorrow").status_code == 422


def test_an_export_is_whole_redacted_and_written_down(
    admin: FlaskClient, three: None, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_export, "BATCH", 2)  # several batches
    answer = admin.post("/admin/conversations/export", data={"format": "jsonl"})
    told: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert [len(one["turns"]) for one in told] == [2, 2, 2]
    assert "jane@example.com" not in answer.text
    asked, replied = told[1]["turns"]
    assert "[EMAIL]" in asked["text"]
    assert replied["trace"]["parts"][0]["reason"] == "written by the test"
    assert replied["intent"] == "refund_time"
    table = admin.post("/admin/conversations/export", data={"format": "csv"}).get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(table.lstrip("\ufeff"))))
    assert len(rows) == 6
    assert rows[2]["text"].startswith("'=1+1")  # no formula for a spreadsheet
    assert admin.post("/admin/conversations/export", data={"format": "xml"}).status_code == 422
    with database.read() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert actions.count("conversations.export") == 2
