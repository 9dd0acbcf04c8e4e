"""Turns are stored once and in order, also when several processes work on the same conversation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from chatbot.dialogue.trace import Choice, Classification, Message, PartTrace, Reply, ReplyPart, Trace
from chatbot.errors import InputError, NotFoundError
from chatbot.records import conversations
from chatbot.records.database import Database
from chatbot.records.earlier_turns import turns_before
from chatbot.records.idle import close_idle
from chatbot.records.tables import Conversation, Site, Turn

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def opened(records: Database) -> str:
    with records.write() as session:
        site = conversations.ensure_default_site(session)
        return conversations.start_conversation(
            session, site_id=site.id, token_hash="0" * 64, locale="en", now=NOON
        ).public_id


def answer(words: str, kind: str = "passage", topic: str | None = None) -> tuple[Reply, Trace]:
    part = ReplyPart(words, kind, 0.9)  # type: ignore[arg-type]
    decided = PartTrace(
        "q", "en", Classification((), 0.9), (), None, part.kind, "sure", "because", topic=topic
    )
    return Reply((part,)), Trace("r1", "approved_and_cited", {}, (decided,))


def say(records: Database, opened: str, words: str, message: str | None = None) -> conversations.Received:
    with records.write() as session:
        return conversations.receive_message(
            session, opened, text=words, lang="en", client_message_id=message
        )


def reply(records: Database, opened: str, to: int, words: str, kind: str = "passage") -> Turn | None:
    said, trace = answer(words, kind)
    with records.write() as session:
        return conversations.store_reply(session, opened, to=to, reply=said, trace=trace, lang="en")[0]


def at_once(count: int, work: Callable[[], None]) -> None:
    barrier = threading.Barrier(count)
    failures: list[BaseException] = []

    def run() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_default_site_is_made_once(records: Database) -> None:
    with records.write() as session:
        first = conversations.ensure_default_site(session, name="Shop").id
    with records.write() as session:
        assert conversations.ensure_default_site(session).id == first
        assert session.scalar(select(func.count(Site.id))) == 1


def test_without_a_key_the_site_is_the_first_also_where_there_are_several(
    records: Database, opened: str
) -> None:
    with records.write() as session:
        assert conversations.find_site(session, None).key == "default"
        session.add(Site(key="another", name="Another"))
        session.flush()
        assert conversations.find_site(session, None).key == "default"
        assert conversations.find_site(session, "another").name == "Another"
        with pytest.raises(NotFoundError):
            conversations.find_site(session, "third")


def test_without_a_first_site_only_the_only_one_may_be_left_unnamed(records: Database) -> None:
    with records.write() as session:
        with pytest.raises(NotFoundError):
            conversations.find_site(session, None)
        session.add(Site(key="second", name="Second"))
        session.flush()
        assert conversations.find_site(session, None).key == "second"
        session.add(Site(key="third", name="Third"))
        session.flush()
        with pytest.raises(InputError, match="Which site"):
            conversations.find_site(session, None)


def test_a_message_received_by_several_at_once_is_one_turn(records: Database, opened: str) -> None:
    received: list[conversations.Received] = []
    at_once(6, lambda: received.append(say(records, opened, "hello", "same")))
    assert len({one.turn.id for one in received}) == 1
    assert sorted(one.new for one in received) == [False] * 5 + [True]


def test_a_message_answered_by_several_at_once_has_one_answer(records: Database, opened: str) -> None:
    turn = say(records, opened, "hello").turn
    stored: list[Turn | None] = []
    at_once(6, lambda: stored.append(reply(records, opened, turn.id, f"by {threading.get_ident()}")))
    assert len({one.id for one in stored if one}) == 1
    with records.read() as session:
        assert session.scalar(select(func.count(Turn.id)).where(Turn.role == "bot")) == 1


def test_history_puts_a_late_reply_where_it_belongs(records: Database, opened: str) -> None:
    first = say(records, opened, "one").turn
    second = say(records, opened, "two").turn
    third = say(records, opened, "three").turn
    reply(records, opened, first.id, "to one")
    reply(records, opened, second.id, "to two")
    with records.read() as session:
        assert turns_before(session, third).history() == [
            Message("customer", "one"),
            Message("bot", "to one"),
            Message("customer", "two"),
            Message("bot", "to two"),
        ]
        assert turns_before(session, second).history() == [
            Message("customer", "one"),
            Message("bot", "to one"),
        ]


def test_history_tells_what_a_reply_answered(records: Database, opened: str) -> None:
    first = say(records, opened, "when is my money back").turn
    said, trace = answer("In three days.", topic="refund_time")
    with records.write() as session:
        conversations.store_reply(session, opened, to=first.id, reply=said, trace=trace, lang="en")
    second = say(records, opened, "and in a shop?").turn
    with records.read() as session:
        assert turns_before(session, second).history()[-1] == Message("bot", "In three days.", "refund_time")


def test_history_tells_what_a_question_back_was_about(records: Database, opened: str) -> None:
    first = say(records, opened, "how long is it").turn
    said, trace = answer("Did you mean one of these?", "choices")
    perhaps = (("refund_time", 0.4), ("article:shops", 0.3))
    trace = replace(trace, parts=(replace(trace.parts[0], perhaps=perhaps),))
    with records.write() as session:
        conversations.store_reply(session, opened, to=first.id, reply=said, trace=trace, lang="en")
    second = say(records, opened, "the money").turn
    with records.read() as session:
        last = turns_before(session, second).history()[-1]
    assert last == Message("bot", "Did you mean one of these?", None, perhaps)


def test_failures_are_counted_back_to_the_last_answer(records: Database, opened: str) -> None:
    for number, kind in enumerate(("unknown", "passage", "choices", "unknown")):
        reply(records, opened, say(records, opened, str(number)).turn.id, kind, kind)
    with records.read() as session:
        assert turns_before(session, say(records, opened, "now").turn).failures() == 2


def test_a_handover_keeps_its_first_reason_and_time(records: Database, opened: str) -> None:
    with records.write() as session:
        conversations.hand_over(session, opened, reason="visitor_asked", note="help", now=NOON)
    with records.write() as session:
        later = NOON + timedelta(hours=1)
        row = conversations.hand_over(session, opened, reason="other", note=None, now=later)
    assert (row.state, row.handover_reason, row.handover_note, row.handover_at) == (
        "waiting",
        "visitor_asked",
        "help",
        NOON,
    )


def test_idle_conversations_with_the_bot_are_closed_and_others_left(records: Database, opened: str) -> None:
    with records.write() as session:
        site = conversations.find_site(session, None)
        for state in ("waiting", "human", "bot"):
            row = conversations.start_conversation(
                session, site_id=site.id, token_hash="1" * 64, locale="en", now=NOON
            )
            row.state = state
            if state == "bot":
                row.last_activity_at = NOON + timedelta(hours=2)
    with records.write() as session:
        site = conversations.find_site(session, None)
        closed = close_idle(
            session, site_id=site.id, before=NOON + timedelta(hours=1), now=NOON + timedelta(hours=3)
        )
    assert len(closed) == 1
    with records.read() as session:
        states = session.scalars(select(Conversation.state).order_by(Conversation.id)).all()
        assert states == ["closed", "waiting", "human", "bot"]
        first = session.scalars(select(Conversation).order_by(Conversation.id)).first()
        assert first is not None
        assert first.closed_at == NOON + timedelta(hours=3)


def test_turns_come_in_pages(records: Database, opened: str) -> None:
    for number in range(5):
        say(records, opened, str(number))
    with records.read() as session:
        conversation = conversations.find_conversation(session, opened)
        page = conversations.turns_after(session, conversation.id, limit=3)
        rest = conversations.turns_after(session, conversation.id, after=page[-1].id)
        assert [turn.text for turn in page + rest] == list("01234")
        assert conversations.last_turn_id(session, conversation.id) == rest[-1].id


def test_a_tap_says_the_choices_title_in_the_titles_language_and_keeps_its_payload(
    records: Database, opened: str
) -> None:
    """The widget is English; the customer wrote Chinese and was offered a choice in Chinese."""
    asked = say(records, opened, "退款")
    choice = Choice("退款要多久？", "/intent refund_time")
    decided = PartTrace("退款", "zh", Classification((), 0.5), (), None, "choices", "perhaps", "")
    reply = Reply((ReplyPart("您是想问？", "choices", 0.4, choices=(choice,)),))
    with records.write() as session:
        conversations.store_reply(
            session, opened, to=asked.turn.id, reply=reply,
            trace=Trace("r1", "approved_and_cited", {}, (decided,)), lang="zh",
        )  # fmt: skip
    turn = say(records, opened, choice.payload).turn
    assert (turn.text, turn.lang, conversations.tapped(turn)) == (choice.title, "zh", choice.payload)
    assert conversations.tapped(say(records, opened, "/intent never_offered").turn) is None
