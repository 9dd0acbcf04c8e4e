"""What the database says at the moment of a reply."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chatbot.dialogue.lookup import DatabaseLookup
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import KnownIntent
from chatbot.records.database import Database
from chatbot.records.tables import Action, Answer, Article, Intent, Passage, utcnow

NOW = utcnow()
DAY = timedelta(days=1)


@pytest.fixture
def lookup(database: Database) -> DatabaseLookup:
    return DatabaseLookup(database)


def add(database: Database, *rows: object) -> None:
    with database.write() as session:
        for row in rows:
            session.add(row)
            session.flush()


def answer(intent: int, text: str, *, approved: datetime | None = NOW, **changes: object) -> Answer:
    kept = {"lang": "en", "status": "approved", "approved_at": approved} | changes
    return Answer(intent_id=intent, text=text, **kept)


def test_an_intent_has_its_title_its_article_and_the_answer_that_was_approved_last(
    lookup: DatabaseLookup, database: Database
) -> None:
    add(
        database,
        Intent(id=1, name="refund_time", titles={"en": "Refund", "zh": "退款"}, article_slug="refunds"),
        answer(1, "new", approved=NOW),
        answer(1, "old", approved=NOW - DAY),
        answer(1, "not yet", approved=NOW + DAY, valid_from=NOW + DAY),
        answer(1, "no longer", approved=NOW + DAY, valid_until=NOW - DAY),
        answer(1, "a draft", approved=NOW + DAY, status="draft"),
        answer(1, "中文", lang="zh"),
    )
    assert lookup.intents(["refund_time"], "en") == {
        "refund_time": KnownIntent("refund_time", "Refund", "refunds", "new")
    }
    assert lookup.intents(["refund_time"], "zh")["refund_time"] == KnownIntent(
        "refund_time", "退款", "refunds", "中文"
    )
    assert lookup.intents(["refund_time"], "de")["refund_time"].approved is None
    assert lookup.intents([], "en") == {}


def test_what_is_retired_is_left_out_and_an_action_counts_while_it_is_switched_on(
    lookup: DatabaseLookup, database: Database
) -> None:
    add(
        database,
        Intent(id=1, name="order_status", titles={}),
        Intent(id=2, name="new_one", titles={}, status="provisional"),
        Intent(id=3, name="gone", titles={}, status="retired"),
        Action(
            name="a",
            intent_id=1,
            url="https://shop.example",
            enabled=True,
            slots=[],
            templates={},
            proof=[],
            secret="s",
        ),
        Action(
            name="b",
            intent_id=2,
            url="https://shop.example",
            enabled=False,
            slots=[],
            templates={},
            proof=[],
            secret="s",
        ),
    )
    found = lookup.intents(["order_status", "new_one", "gone", "unheard of"], "en")
    assert {name: (one.title, one.acts) for name, one in found.items()} == {
        "order_status": ("Order status", True),
        "new_one": ("New one", False),
    }


def test_an_article_is_known_by_its_label_while_it_may_be_shown_and_has_its_passages_in_order(
    lookup: DatabaseLookup, database: Database
) -> None:
    add(
        database,
        Article(
            id=1,
            slug="refunds",
            title="Refunds",
            lang="en",
            status="live",
            url="https://x.example",
            body="",
            content_hash="h",
        ),
        Article(id=2, slug="hidden", title="Hidden", lang="en", status="draft", body="", content_hash="h"),
        Article(
            id=3,
            slug="over",
            title="Over",
            lang="en",
            status="live",
            valid_until=NOW - DAY,
            body="",
            content_hash="h",
        ),
        Passage(
            id=1, article_id=1, position=2, text="second", title_path="R › 2", lang="en", content_hash="2"
        ),
        Passage(
            id=2, article_id=1, position=1, text="first", title_path="R › 1", lang="en", content_hash="1"
        ),
        Passage(
            id=3,
            article_id=1,
            position=3,
            text="off",
            title_path="",
            lang="en",
            content_hash="3",
            enabled=False,
        ),
        Passage(
            id=4,
            article_id=1,
            position=4,
            text="due",
            title_path="",
            lang="en",
            content_hash="4",
            valid_from=NOW + DAY,
        ),
        Passage(id=5, article_id=3, position=1, text="over", title_path="", lang="en", content_hash="5"),
    )
    known = lookup.intents(["article:refunds", "article:hidden", "article:over"], "en")
    assert known == {"article:refunds": KnownIntent("article:refunds", "Refunds", "refunds", None)}
    first, second = lookup.passages("refunds", "en")
    assert first == Hit(
        2, 1, "refunds", "Refunds", "R › 1", "https://x.example", "first", "en", 0.0, 0.0, 0.0
    )
    assert second.text == "second"
    assert lookup.passages("refunds", "zh") == lookup.passages("over", "en") == []
