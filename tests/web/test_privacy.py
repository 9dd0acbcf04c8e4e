"""A customer's rights: found, handed out, erased in full; conversations forgotten by rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy import func, select

from chatbot.errors import InputError, NotFoundError
from chatbot.records import erasure
from chatbot.records.conversations import start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import (
    Article,
    ArticleQuestion,
    Attachment,
    AuditEntry,
    Conversation,
    Example,
    Feedback,
    Intent,
    KnowledgeChange,
    Release,
    Transcript,
    Turn,
    Visitor,
    utcnow,
)
from chatbot.settings import Settings
from ingest.finished import take_in_conversation
from web import privacy

MARK = "my parcel MARK-4711 was wet"


def person(database: Database, *, words: str = MARK, days_ago: int = 0, learned: bool = False) -> int:
    """A visitor with one conversation of two turns, a vote and a file; returns the visitor's id."""
    when = utcnow() - timedelta(days=days_ago)
    with database.write() as session:
        conversation = start_conversation(session, site_id=1, token_hash="x", locale="en", now=when)
        visitor = session.get_one(Visitor, conversation.visitor_id)
        visitor.email, visitor.name = f"anna{visitor.id}@example.com", "Anna Lee"
        asked = Turn(conversation_id=conversation.id, role="customer", text=words, created_at=when)
        session.add(asked)
        session.flush()
        told = Turn(
            conversation_id=conversation.id, role="bot", text="Sorry!", reply_to_id=asked.id, created_at=when
        )
        session.add(told)
        session.flush()
        session.add(Feedback(turn_id=told.id, vote="down", comment="no help"))
        session.add(
            Attachment(
                public_id=f"file{visitor.id}",
                conversation_id=conversation.id,
                turn_id=asked.id,
                name="photo.png",
                media_type="image/png",
                size=3,
            )
        )
        if learned:
            session.add(
                Example(
                    text="my parcel was wet",
                    lang="en",
                    source="live",
                    turn_id=asked.id,
                    content_hash="h",
                    group_key="g",
                )
            )
            session.add(
                Transcript(
                    conversation_id=conversation.id, content_hash="t", lang="en", split="train", turns=[]
                )
            )
        return visitor.id


@pytest.fixture
def site(app: Any) -> None:
    """The application has made the default site."""


def counts(database: Database) -> dict[str, int]:
    tables = (Visitor, Conversation, Turn, Feedback, Attachment, Example, Transcript)
    with database.read() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


@pytest.mark.usefixtures("site")
def test_a_person_is_found_by_address_name_conversation_or_words_and_nobody_else(database: Database) -> None:
    who, other = person(database), person(database, words="where is my refund")
    with database.read() as session:
        public_id = session.scalar(select(Conversation.public_id).where(Conversation.visitor_id == who))
        for text in (f"ANNA{who}@example", str(public_id), "MARK-4711"):
            assert [one.visitor_id for one in erasure.find_people(session, text)] == [who]
        assert {one.visitor_id for one in erasure.find_people(session, "anna lee")} == {who, other}
        assert erasure.find_people(session, "100% wet_") == []
        with pytest.raises(InputError, match="too short"):
            erasure.find_people(session, "ab")


@pytest.mark.usefixtures("site")
def test_an_export_holds_every_word_and_nothing_of_others(database: Database) -> None:
    who = person(database)
    person(database, words="SOMEBODY ELSE")
    with database.read() as session:
        told = erasure.export_person(session, who)
        with pytest.raises(NotFoundError):
            erasure.export_person(session, 999)
    text = json.dumps(told)
    assert MARK in text and "no help" in text and "photo.png" in text and f"anna{who}@example.com" in text
    assert "SOMEBODY ELSE" not in text


@pytest.mark.usefixtures("site")
def test_erasing_takes_everything_of_the_person_and_nothing_of_others(
    database: Database, settings: Settings
) -> None:
    who, other = person(database), person(database, words="where is my refund")
    file = settings.data / "attachments" / "fi" / f"file{who}"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"png")
    gone = privacy.erase(database, settings, who, person_id=None)
    assert (gone.conversations, gone.turns, gone.files) == (1, 2, (f"file{who}",))
    assert not file.exists()
    left = counts(database)
    assert left["visitors"] == left["conversations"] == left["feedback"] == 1 and left["turns"] == 2
    with database.read() as session:
        assert session.get(Visitor, other) is not None
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "person.erase")).one()
    assert "anna" not in json.dumps([entry.subject, entry.detail])
    raw = b"".join(path.read_bytes() for path in Path(settings.data).glob("erasures.jsonl"))
    assert b"anna" not in raw and b"MARK" not in raw


@pytest.mark.usefixtures("site")
def test_releases_trained_since_are_marked_and_those_before_are_not(
    database: Database, settings: Settings
) -> None:
    with database.write() as session:
        session.add(Release(id="before", snapshot="s", created_at=utcnow() - timedelta(days=1)))
    who = person(database, learned=True)
    unlearned = person(database)
    with database.write() as session:
        session.add(Release(id="after", snapshot="s", created_at=utcnow() + timedelta(minutes=1)))
        article = Article(slug="wet", lang="en", title="Wet", body="", content_hash="h")
        session.add(article)
        session.flush()
        session.add(
            ArticleQuestion(
                article_id=article.id,
                text="my parcel was wet",
                lang="en",
                source="transcript",
                content_hash="q",
            )
        )
    (settings.data / "snapshots" / "f").mkdir(parents=True)
    (settings.data / "replays").mkdir()
    (settings.data / "replays" / "r1.json").write_text("{}", encoding="utf-8")
    assert privacy.erase(database, settings, unlearned).releases == ()
    assert (settings.data / "snapshots").exists()
    assert privacy.erase(database, settings, who).releases == ("after",)
    assert not (settings.data / "snapshots").exists()  # its frozen copies hold the example still
    assert not (settings.data / "replays" / "r1.json").exists()
    with database.read() as session:
        marks = {row.id: row.erased_people for row in session.scalars(select(Release))}
        assert marks == {"before": 0, "after": 1}
        assert session.scalar(select(func.count()).select_from(ArticleQuestion)) == 0
        assert session.scalars(select(KnowledgeChange.operation)).all() == ["delete"]
    assert counts(database)["examples"] == counts(database)["transcripts"] == 0


@pytest.mark.usefixtures("site")
def test_old_conversations_are_forgotten_by_the_sites_rule_or_the_installations(
    database: Database, settings: Settings, signed_in_admin: FlaskClient
) -> None:
    old, young = person(database, days_ago=40), person(database, days_ago=5)
    assert privacy.apply_retention(database, settings) == 0
    assert privacy.apply_retention(database, settings.model_copy(update={"retention_days": 50})) == 0
    for days in ("²", "9" * 5000, "-1"):
        assert signed_in_admin.post("/admin/privacy/retention", data={"days": days}).status_code == 422
    answer = signed_in_admin.post("/admin/privacy/retention", data={"days": "many"})
    assert answer.status_code == 422 and "many" in answer.text
    assert signed_in_admin.post("/admin/privacy/retention", data={"days": "30"}).status_code == 303
    assert privacy.apply_retention(database, settings.model_copy(update={"retention_days": 50})) == 1
    with database.read() as session:
        assert session.get(Visitor, old) is None and session.get(Visitor, young) is not None


@pytest.mark.usefixtures("site")
def test_the_company_s_own_order_numbers_are_replaced_once_they_are_named(
    database: Database, signed_in_admin: FlaskClient
) -> None:
    def imported(number: str) -> str:
        turns = [{"role": "customer", "text": f"Where is my parcel {number}?"}]
        take_in_conversation(database, {"id": number, "turns": turns})
        with database.read() as session:
            said: str = session.scalars(select(Example.text).order_by(Example.id.desc())).first() or ""
        return said

    assert "AB/123/45" in imported("AB/123/45")
    for wrong in ("[A-", r"(?:\d+)+", r"\d*"):
        answer = signed_in_admin.post("/admin/privacy/orders", data={"order_pattern": wrong})
        assert answer.status_code == 422 and f'value="{escape(wrong)}"' in answer.text
    right = r"[A-Z]{2}/\d{3}/\d{2}"
    saved = signed_in_admin.post("/admin/privacy/orders", data={"order_pattern": right})
    assert saved.status_code == 303
    assert escape(right) in signed_in_admin.get("/admin/privacy").text
    assert imported("CD/678/90") == "Where is my parcel [ORDER]?"


@pytest.fixture
def signed_in_admin(app: Flask, signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return signed_in("admin")


def test_the_page_finds_hands_out_and_erases(database: Database, signed_in_admin: FlaskClient) -> None:
    who = person(database)
    page = signed_in_admin.get("/admin/privacy?q=MARK-4711")
    assert f"anna{who}@example.com" in page.text
    found = signed_in_admin.get(
        "/admin/privacy?q=MARK-4711", headers={"Accept": "application/json"}
    ).get_json()
    assert [one["visitor_id"] for one in found["people"]] == [who]
    told = signed_in_admin.post(f"/admin/privacy/{who}/export")
    assert "attachment" in told.headers["Content-Disposition"] and MARK in told.text
    erased = signed_in_admin.post(f"/admin/privacy/{who}/erase", follow_redirects=True)
    assert "1 conversations" in erased.text
    assert "Nobody was found" in signed_in_admin.get("/admin/privacy?q=MARK-4711").text
    with database.read() as session:
        done = session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("person."))).all()
    assert {"person.export", "person.erase"} <= set(done)


def test_an_intent_that_loses_its_last_example_is_named(
    database: Database, signed_in_admin: FlaskClient
) -> None:
    who, words = person(database, learned=True), {"content_hash": "h2", "group_key": "g2"}
    with database.write() as session:
        alone, shared = Intent(name="wet_parcel"), Intent(name="refund")
        session.add_all([alone, shared])
        session.flush()
        example = session.scalars(select(Example)).one()
        example.intent_id, example.status = alone.id, "accepted"
        turn = {"turn_id": example.turn_id, "intent_id": shared.id, "source": "live", "lang": "en"}
        session.add(Example(text="refund it", status="accepted", **turn, **words))
        kept = {
            "intent_id": shared.id,
            "source": "import",
            "lang": "en",
            "content_hash": "h3",
            "group_key": "g3",
        }
        session.add(Example(text="my money back", status="accepted", **kept))
    page = signed_in_admin.post(f"/admin/privacy/{who}/erase", follow_redirects=True)
    assert "No example is left of wet_parcel:" in page.text
