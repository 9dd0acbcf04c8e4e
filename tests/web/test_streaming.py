"""Texts in pieces, events in their form, and streams that end."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from chatbot.errors import UnavailableError
from chatbot.records.conversations import ensure_default_site, hand_over, start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Turn
from web.streaming import MOST_PIECES, StreamSlots, event, follow, pieces


@given(st.text(max_size=400))
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_pieces_are_words_or_chinese_characters_with_their_punctuation() -> None:
    assert list(pieces("Two days, at most.")) == ["Two ", "days, ", "at ", "most."]
    assert list(pieces("三天，最多")) == ["三", "天，", "最", "多"]


def test_a_long_text_is_no_flood_of_events() -> None:
    assert len(list(pieces("word " * 1000))) <= MOST_PIECES


def test_an_event_is_one_line_of_json_whatever_it_holds() -> None:
    written = event("delta", {"text": "a\nb\r\n\ndata: x\u2028"})
    assert written.startswith("event: delta\ndata: ")
    assert written.endswith("\n\n")
    assert written.count("\n") == 3
    assert json.loads(written.split("data: ", 1)[1]) == {"text": "a\nb\r\n\ndata: x\u2028"}


def test_streams_leave_threads_for_answers_and_give_theirs_back() -> None:
    slots = StreamSlots(1)
    with slots.reserved() as release:
        pass
    with pytest.raises(UnavailableError) as raised, slots.reserved():
        pass
    assert raised.value.retry_after
    release()
    release()  # twice is once
    with pytest.raises(RuntimeError), slots.reserved():
        raise RuntimeError
    with slots.reserved():
        pass


def test_following_ends_after_its_lifetime_with_heartbeats_before(database: Database) -> None:
    with database.write() as session:
        site = ensure_default_site(session)
        conversation = start_conversation(session, site_id=site.id, token_hash="x", locale="en")
        hand_over(session, conversation.public_id, reason="visitor_asked")
    clock = iter(range(0, 1000, 5))
    released: list[bool] = []
    seen = list(
        follow(
            database,
            conversation.id,
            after=0,
            origin="",
            release=lambda: released.append(True),
            clock=lambda: next(clock),
            sleep=lambda seconds: None,
        )
    )
    assert seen[0].startswith("event: state")
    assert any(chunk.startswith(":") for chunk in seen)
    assert seen[-1] == event("end", {"after": 0})
    assert released == [True]


def test_a_stream_of_an_erased_conversation_ends(database: Database) -> None:
    assert list(follow(database, 99, after=0, origin="", release=lambda: None)) == [
        event("end", {"after": 0})
    ]


def test_what_is_known_already_does_not_come_again(database: Database) -> None:
    with database.write() as session:
        site = ensure_default_site(session)
        conversation = start_conversation(session, site_id=site.id, token_hash="x", locale="en")
        session.add_all(Turn(conversation_id=conversation.id, role="agent", text=text) for text in "ab")
    with database.read() as session:
        first = session.scalars(select(Turn.id).order_by(Turn.id)).first()
        assert session.scalars(select(Conversation.state)).one() == "bot"
    seen = "".join(follow(database, conversation.id, after=first or 0, origin="", release=lambda: None))
    assert '"text":"b"' in seen
    assert '"text":"a"' not in seen
