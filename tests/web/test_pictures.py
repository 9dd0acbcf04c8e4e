"""Pictures of every page: a copy is photographed, never the installation, and every page of the menu is among them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from chatbot.errors import NotFoundError
from chatbot.records.conversations import ensure_default_site, start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import Article, Conversation, Visitor
from chatbot.settings import Settings
from web.admin.blueprint import MENU
from web.page_list import listed
from web.pictures import LOOKS, converse, copied, index

DOCS = Path(__file__).resolve().parents[2] / "docs" / "pages"


def test_a_copy_is_taken_and_the_original_stays_as_it_was(
    app: Flask, database: Database, settings: Settings, tmp_path: Path
) -> None:
    with database.write() as session:
        site = ensure_default_site(session)
        start_conversation(session, site_id=site.id, token_hash="x", locale="en")
    copy = copied(settings, tmp_path / "copy")
    other = Database(copy.database)
    with other.write() as session:
        assert session.query(Conversation).count() == session.query(Visitor).count() == 0
        session.add(Article(slug="a", lang="en", title="A", body="A.", content_hash="a"))
    with database.read() as session:
        assert session.query(Article).count() == 0
        assert session.query(Conversation).count() == 1
    other.dispose()
    with pytest.raises(NotFoundError):
        copied(settings.model_copy(update={"data": tmp_path / "nothing"}), tmp_path / "again")


def test_the_conversations_spread_over_a_month_and_every_page_is_listed(
    app: Flask, database: Database
) -> None:
    texts = [("en", f"where is my refund {number}") for number in range(12)]
    converse(app, database, texts, progress=lambda stage, share: None)
    with database.read() as session:
        days = {row.created_at.date() for row in session.query(Conversation)}
        assert session.query(Conversation).filter_by(state="waiting").count() == 1
        regulars = session.query(Visitor).filter(Visitor.identity.is_not(None)).all()
        assert [one.name for one in regulars] == ["Anna Lee"]
        own = session.query(Conversation).filter_by(visitor_id=regulars[0].id).all()
        assert len(own) == 5 and [row.state for row in own].count("waiting") == 1
    assert len(days) > 5
    pages = listed(app, database)
    names = [page.name for page in pages]
    assert len(set(names)) == len(names)
    assert len(names) >= len(MENU) + 9
    assert all(f"{name}.{look.name}.webp" in index(pages) for name in names for look in LOOKS)


def test_the_pictures_in_the_documentation_are_small_and_whole() -> None:
    pictures = list(DOCS.glob("*.webp"))
    named = (DOCS / "README.md").read_text("utf-8")
    assert all(path.name in named for path in pictures)
    assert named.count(".webp") == len(pictures)
    assert sum(path.stat().st_size for path in pictures) < 6 * 1024 * 1024
