"""What is known of a visitor, page by page, and nothing of others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from chatbot.errors import NotFoundError
from chatbot.records.conversations import start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import Attachment, Conversation, Feedback, Turn, Visitor, utcnow
from chatbot.records.visitor_history import (
    MOST_PAGES,
    earlier_talks,
    files_in,
    files_of,
    read_visitor,
    talks_of,
)


@pytest.fixture
def site(app: Flask) -> None:
    """The application has made the default site."""


def visitor_with(database: Database, talks: int, *, page: str = "https://shop.example/help/{at}") -> int:
    """A visitor with so many conversations, each of one message, one answer, a note and one file."""
    with database.write() as session:
        who = None
        for at in range(talks):
            begun = utcnow() - timedelta(days=talks - at)
            one = start_conversation(
                session, site_id=1, token_hash="x", locale="en", page=page.format(at=at), now=begun
            )
            if who is not None:
                session.delete(session.get_one(Visitor, one.visitor_id))
                one.visitor_id = who
            who = one.visitor_id
            lang = "zh" if at % 3 == 0 else "en"
            asked = Turn(conversation_id=one.id, role="customer", text=f"question {at} of {who}", lang=lang)
            session.add_all([asked, Turn(conversation_id=one.id, role="bot", text="Soon.")])
            session.add(Turn(conversation_id=one.id, role="note", text="for colleagues"))
            session.flush()
            session.add(
                Attachment(
                    public_id=f"f{who}-{at}",
                    conversation_id=one.id,
                    turn_id=asked.id,
                    name=f"photo {at}.png",
                    media_type="image/png",
                    size=3,
                )
            )
            session.add(
                Attachment(
                    public_id=f"u{who}-{at}",
                    conversation_id=one.id,
                    name="never sent",
                    media_type="x",
                    size=1,
                )
            )
        assert who is not None
        return who


@pytest.mark.usefixtures("site")
def test_every_conversation_of_a_visitor_is_on_some_page_once_and_none_of_another(database: Database) -> None:
    who, other = visitor_with(database, 7), visitor_with(database, 2)
    with database.read() as session:
        seen, before, sizes = [], None, []
        while True:
            page = talks_of(session, who, before=before, limit=3)
            seen += [talk.first_text for talk in page.talks]
            sizes.append(len(page.talks))
            if (before := page.older) is None:
                break
        assert sizes == [3, 3, 1]
        assert seen == [f"question {at} of {who}" for at in reversed(range(7))]
        assert [talk.turns for talk in talks_of(session, other).talks] == [2, 2]  # a note is no message
        exact = talks_of(session, other, limit=2)
        assert len(exact.talks) == 2 and exact.older is None


@pytest.mark.usefixtures("site")
def test_languages_pages_and_files_are_counted(database: Database) -> None:
    who = visitor_with(database, MOST_PAGES + 2)
    visitor_with(database, 1)
    with database.write() as session:
        newest = (
            session.query(Conversation).filter_by(visitor_id=who).order_by(Conversation.id.desc()).first()
        )
        assert newest is not None
        newest.page = "https://shop.example/help/0"
        more = [Turn(conversation_id=newest.id, role="customer", text="ok", lang="zh") for _ in range(5)]
        session.add_all(more)  # a conversation is counted once, by what it began in
    with database.read() as session:
        view = read_visitor(session, who)
        assert view.conversations == MOST_PAGES + 2
        assert view.languages == (("en", 8), ("zh", 4))
        assert sum(number for _, number in view.languages) == view.conversations
        assert view.pages.most[0] == ("https://shop.example/help/0", 2)
        assert (len(view.pages.most), view.pages.others) == (MOST_PAGES, 1)
        first = files_of(session, who, limit=10)
        rest = files_of(session, who, before=first.older, limit=10)
        assert len(first.files) == 10 and len(rest.files) == 2 and rest.older is None
        assert {file.name for file in rest.files} == {"photo 0.png", "photo 1.png"}
        ids = [talk.id for talk in talks_of(session, who, limit=2).talks]
        assert {one: len(files) for one, files in files_in(session, ids).items()} == dict.fromkeys(ids, 1)


@pytest.mark.usefixtures("site")
def test_beside_a_conversation_stand_the_three_before_it_with_what_came_of_them(database: Database) -> None:
    who = visitor_with(database, 6)
    with database.write() as session:
        rows = session.query(Conversation).filter_by(visitor_id=who).order_by(Conversation.id).all()
        rows[3].state, rows[3].outcome, rows[3].csat = "closed", "solved", 5
        bot = session.query(Turn).filter_by(conversation_id=rows[2].id, role="bot").one()
        session.add(Feedback(turn_id=bot.id, vote="down"))
        session.flush()
        earlier = earlier_talks(session, rows[4])
        assert [talk.id for talk in earlier] == [rows[3].id, rows[2].id, rows[1].id]
        assert (earlier[0].outcome, earlier[0].csat, earlier[0].disliked) == ("solved", 5, False)
        assert earlier[1].disliked and not earlier[2].disliked
        assert earlier_talks(session, rows[0]) == []


@pytest.mark.usefixtures("site")
def test_who_is_not_there_any_more_is_not_found(database: Database) -> None:
    with database.read() as session, pytest.raises(NotFoundError, match="no such visitor") as refused:
        read_visitor(session, 99)
    assert refused.value.remedy == "It may have been erased"
