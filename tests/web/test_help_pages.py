"""The help pages: what is live, by section, and what to ask first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from chatbot.records.database import Database
from chatbot.records.tables import Article, Example, Intent, utcnow
from web.widget.help import section_title, sections, starters


def add(database: Database, slug: str, *, lang: str = "en", examples: int = 0, **values: object) -> None:
    with database.write() as session:
        title = str(values.pop("title", f"About {slug}"))
        session.add(
            Article(slug=slug, lang=lang, title=title, body="Text.", content_hash=slug + lang, **values)
        )
        if examples:
            intent = Intent(name=slug, article_slug=slug)
            session.add(intent)
            session.flush()
            session.add_all(
                Example(
                    text=f"{slug} {number}",
                    lang=lang,
                    intent_id=intent.id,
                    source="import",
                    content_hash="x",
                    group_key="x",
                )
                for number in range(examples)
            )


def test_only_live_articles_of_the_language_are_listed_by_section(
    client: FlaskClient, database: Database
) -> None:
    now = utcnow()
    add(database, "b", section="Returns")
    add(database, "a", section="Orders")
    add(database, "c", section="Returns")
    add(database, "draft", section="Returns", status="draft")
    add(database, "over", section="Returns", valid_until=now - timedelta(days=1))
    add(database, "soon", section="Returns", valid_from=now + timedelta(days=1))
    add(database, "b", lang="zh", section="退货")
    with database.read() as session:
        listed = [(title, [row.slug for row in rows]) for title, rows in sections(session, "en")]
    assert listed == [("Returns", ["b", "c"]), ("Orders", ["a"])]
    page = client.get("/?locale=zh").get_data(as_text=True)
    assert "退货" in page
    assert "/help/en/" not in page


@pytest.mark.parametrize("slug", ["draft", "none"])
def test_an_article_that_is_not_live_has_no_page(client: FlaskClient, database: Database, slug: str) -> None:
    add(database, "draft", status="draft")
    assert client.get(f"/help/en/{slug}").status_code == 404


def test_an_article_is_a_page_with_its_section_and_the_widget(
    client: FlaskClient, database: Database
) -> None:
    add(database, "refunds", title="When is my <refund> there?", section="shops-workshops")
    page = client.get("/help/en/refunds").get_data(as_text=True)
    assert "<h1>When is my &lt;refund&gt; there?</h1>" in page
    assert "Shops workshops" in page
    assert '/widget.js" data-site="default" data-locale="en"' in page


def test_an_empty_chat_offers_what_customers_ask_most(client: FlaskClient, database: Database) -> None:
    for slug, examples in (("rare", 1), ("often", 5), ("sometimes", 3), ("never", 0), ("twice", 2)):
        add(database, slug, examples=examples)
    with database.read() as session:
        assert starters(session, "en") == ["About often", "About sometimes", "About twice"]
        assert starters(session, "zh") == []


def test_what_is_asked_most_is_counted_once_until_something_changes(database: Database) -> None:
    counted: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "count(" in statement:
            counted.append(statement)

    def first() -> list[str]:
        with database.read() as session:
            return starters(session, "en")

    add(database, "often", examples=3)
    add(database, "sometimes", examples=1)
    event.listen(database.engine, "before_cursor_execute", note)
    for _ in range(3):
        assert first() == ["About often", "About sometimes"]
    assert len(counted) == 1
    add(database, "now", examples=5)
    assert first() == ["About now", "About often", "About sometimes"]
    assert len(counted) == 2
    with database.write() as session:
        session.query(Article).filter_by(slug="now").one().status = "draft"
    assert first() == ["About often", "About sometimes"]  # at once, whatever is kept
    assert len(counted) == 2


def test_without_examples_the_first_articles_are_offered(database: Database) -> None:
    for slug in "abcd":
        add(database, slug)
    with database.read() as session:
        assert starters(session, "en") == ["About a", "About b", "About c"]


def test_before_any_article_the_page_says_how_to_load_some(client: FlaskClient) -> None:
    assert "frontdesk ingest articles" in client.get("/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("shops-workshops", "Shops workshops"), ("Orders & more", "Orders & more"), ("退货", "退货"), ("", "")],
)
def test_a_section_that_is_a_slug_is_shown_as_words(given: str, shown: str) -> None:
    assert section_title(given) == shown
