"""One holder at a time, queues in the order of waiting, and nothing that leaks to the visitor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records import canned_replies, deliveries, inbox, people, presence
from chatbot.records.conversations import (
    ensure_default_site,
    hand_over,
    receive_message,
    return_to_bot,
    start_conversation,
    turns_after,
    visitor_seen,
)
from chatbot.records.database import Database
from chatbot.records.earlier_turns import turns_before
from chatbot.records.idle import close_idle
from chatbot.records.tables import AuditEntry, Conversation, Delivery, Person, Turn, Visitor, Webhook

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def person(name: str, role: str = "agent") -> Person:
    return Person(email=f"{name.lower()}@example.com", name=name, password_hash="x", role=role)


@pytest.fixture
def team(records: Database) -> dict[str, Person]:
    with records.write() as session:
        found = {name: person(name) for name in ("Mei", "Tom")} | {"Vi": person("Vi", "viewer")}
        session.add_all(found.values())
    return found


Waiting = Callable[..., int]


@pytest.fixture
def waiting(records: Database) -> Waiting:
    """Make a conversation that waits for a person; returns its id."""

    def make(said: str = "Where is my order?", *, at: datetime = NOON, email: str | None = None) -> int:
        with records.write() as session:
            site = ensure_default_site(session)
            conversation = start_conversation(
                session, site_id=site.id, token_hash="0" * 64, locale="en", now=at
            )
            session.get_one(Visitor, conversation.visitor_id).email = email
            receive_message(
                session, conversation.public_id, text=said, lang="en", client_message_id=None, now=at
            )
            hand_over(session, conversation.public_id, reason="visitor_asked", now=at)
            return conversation.id

    return make


def answer(records: Database, conversation_id: int, who: Person, said: str, *, at: datetime = NOON) -> Turn:
    with records.write() as session:
        return inbox.reply(
            session,
            conversation_id,
            who,
            text=said,
            client_message_id=said,
            lang="en",
            origin="https://help.example",
            now=at,
        )


def test_of_two_agents_who_reach_at_once_one_gets_it_and_the_other_is_told_who(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    for _ in range(3):
        conversation_id = waiting()
        start = threading.Barrier(2)
        got: list[str] = []
        refused: list[ConflictError] = []

        def reach(
            who: Person,
            conversation_id: int = conversation_id,
            start: threading.Barrier = start,
            got: list[str] = got,
            refused: list[ConflictError] = refused,
        ) -> None:
            start.wait()
            try:
                with records.write() as session:
                    inbox.take(session, conversation_id, who)
                got.append(who.name)
            except ConflictError as taken:
                refused.append(taken)

        threads = [threading.Thread(target=reach, args=(team[name],)) for name in ("Mei", "Tom")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1
        assert [one.value for one in refused] == got
        with records.read() as session:
            row = session.get_one(Conversation, conversation_id)
            assert (row.state, row.agent_id) == ("human", team[got[0]].id)


def test_nobody_but_the_holder_answers_and_the_same_answer_is_stored_once(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    conversation_id = waiting()
    first = answer(records, conversation_id, team["Mei"], "Hello!")  # answering takes it
    assert answer(records, conversation_id, team["Mei"], "Hello!").id == first.id
    with pytest.raises(ConflictError, match="Mei has this conversation"):
        answer(records, conversation_id, team["Tom"], "Hi!")
    with records.write() as session, pytest.raises(ConflictError):
        inbox.close(session, conversation_id, team["Tom"], outcome="solved")
    with records.read() as session:
        said = [turn.text for turn in turns_after(session, conversation_id)]
        assert said == ["Where is my order?", "Hello!"]


def test_the_queue_shows_who_has_waited_longest_first_with_what_they_said(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    late, early = waiting("Second", at=NOON + MINUTE), waiting("First", at=NOON)
    taken = waiting("Third")
    with records.write() as session:
        inbox.take(session, taken, team["Mei"])
        lines = inbox.queue(session, "waiting", person_id=team["Mei"].id)
        assert [(line.id, line.said, line.owed) for line in lines] == [
            (early, ("First",), True),
            (late, ("Second",), True),
        ]
        assert [line.id for line in inbox.queue(session, "mine", person_id=team["Mei"].id)] == [taken]
        assert inbox.queue(session, "mine", person_id=team["Tom"].id) == []
        assert [line.agent for line in inbox.queue(session, "open", person_id=team["Tom"].id)] == ["Mei"]
        assert inbox.counts(session, person_id=team["Mei"].id) == {"waiting": 2, "mine": 1, "open": 1}


def test_a_danger_to_life_waits_as_the_first(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    early, late = waiting("First", at=NOON), waiting("The machine is smoking", at=NOON + MINUTE)
    with records.write() as session:
        session.get_one(Conversation, late).handover_reason = "danger"
        lines = inbox.queue(session, "waiting", person_id=team["Mei"].id)
        assert [line.id for line in lines] == [late, early]


def test_passing_on_fails_where_it_has_changed_hands_meanwhile(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    conversation_id = waiting()
    mei, tom, vi = team["Mei"], team["Tom"], team["Vi"]
    with records.write() as session:
        inbox.take(session, conversation_id, mei)
    with records.write() as session:
        inbox.assign(session, conversation_id, mei, to=tom, holder=mei.id, note="He knows the carrier")
    with records.write() as session, pytest.raises(ConflictError, match="Tom has"):
        inbox.assign(session, conversation_id, mei, to=mei, holder=mei.id)
    with records.write() as session, pytest.raises(InputError, match="cannot answer"):
        inbox.assign(session, conversation_id, tom, to=vi, holder=tom.id)
    with records.write() as session:
        back = inbox.put_back(session, conversation_id, tom, to="queue", note="Nobody picks up")
        assert (back.state, back.handover_reason, back.agent_id) == ("waiting", "transferred", None)
    with records.read() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions == ["conversation.take", "conversation.assign", "conversation.put_back"]


def test_notes_are_for_colleagues_alone(records: Database, team: dict[str, Person], waiting: Waiting) -> None:
    conversation_id = waiting()
    with records.write() as session:
        session.add(Webhook(url="https://x.example", secret="s", events=list(deliveries.EVENTS)))
        inbox.add_note(session, conversation_id, team["Tom"], "A difficult customer")
    with records.write() as session:
        public_id = session.get_one(Conversation, conversation_id).public_id
        received = receive_message(
            session, public_id, text="Hello?", lang="en", client_message_id=None, now=NOON + MINUTE
        )
        assert "difficult" not in str(turns_after(session, conversation_id))
        assert "difficult" not in str(turns_before(session, received.turn).turns)
        assert "difficult" not in str(session.scalars(select(Delivery.payload)).all())


def test_closing_needs_an_outcome_and_taking_opens_again(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    conversation_id = waiting()
    with records.write() as session, pytest.raises(InputError, match="outcome"):
        inbox.close(session, conversation_id, team["Mei"], outcome="great")
    with records.write() as session:
        inbox.close(session, conversation_id, team["Mei"], outcome="solved", now=NOON)
        [line] = inbox.queue(session, "closed", person_id=team["Mei"].id)
        assert (line.outcome, line.agent) == ("solved", "Mei")
    with records.write() as session:
        again = inbox.take(session, conversation_id, team["Tom"])
        assert (again.state, again.outcome, again.closed_at) == ("human", None, None)
    with records.write() as session, pytest.raises(NotFoundError):
        inbox.take(session, 999_999, team["Tom"])


def test_idle_conversations_close_unless_the_visitor_is_owed_an_answer(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    owed, answered, queued = waiting(), waiting(), waiting()
    with records.write() as session:
        inbox.take(session, owed, team["Mei"], now=NOON)
    answer(records, answered, team["Mei"], "Done.")
    with records.write() as session:
        site = ensure_default_site(session)
        assert close_idle(session, site_id=site.id, before=NOON) == []
        closed = close_idle(session, site_id=site.id, before=NOON + MINUTE, now=NOON + MINUTE)
        assert closed == [answered]
        assert session.get_one(Conversation, answered).outcome == "no_answer"
        assert session.get_one(Conversation, queued).state == "waiting"


def test_a_reply_is_mailed_only_where_an_address_is_known_and_several_make_one_mail(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    without, known = waiting(), waiting(email="ana@example.com")
    answer(records, without, team["Mei"], "Hello")
    answer(records, known, team["Mei"], "One")
    answer(records, known, team["Mei"], "Two")
    with records.write() as session:
        [mail] = session.scalars(select(Delivery)).all()
        assert (mail.kind, mail.conversation_id) == ("email", known)
        assert deliveries.due(session, now=NOON) == []  # he may still be looking on
        assert deliveries.due(session, now=NOON + deliveries.EMAIL_AFTER) == [mail.id]
        visitor_seen(session, known, now=NOON + MINUTE)
        assert session.get_one(Conversation, known).visitor_id


def test_presence_fades_and_the_load_is_counted(
    records: Database, team: dict[str, Person], waiting: Waiting
) -> None:
    conversation_id = waiting()
    with records.write() as session:
        inbox.take(session, conversation_id, team["Tom"])
        presence.beat(session, team["Tom"].id, looks_at=conversation_id, now=NOON)
        presence.set_away(session, team["Tom"].id, True)
        tom, mei = presence.colleagues(session, now=NOON + MINUTE / 2)
        assert (tom.name, tom.here, tom.away, tom.looks_at, tom.load) == (
            "Tom",
            True,
            True,
            conversation_id,
            1,
        )
        assert (mei.name, mei.here) == ("Mei", False)
        assert not any(one.here for one in presence.colleagues(session, now=NOON + MINUTE))


def test_canned_replies_are_filled_in_and_kept_apart_by_shortcut(records: Database) -> None:
    with records.write() as session:
        row = canned_replies.save_canned(
            session,
            shortcut="/Thanks",
            texts={"en": "Thank you, {customer}! {agent}", "zh": "谢谢{customer}！"},
            person_id=None,
        )
        assert row.shortcut == "thanks"
        assert canned_replies.text_for(row, "zh", customer="小李", agent="Mei") == "谢谢小李！"
        assert canned_replies.text_for(row, "fr", customer="Ana", agent="Mei") == "Thank you, Ana! Mei"
    for wrong, error in (
        ({"shortcut": "a b", "texts": {"en": "x"}}, InputError),
        ({"shortcut": "ok", "texts": {"en": " "}}, InputError),
        ({"shortcut": "ok", "texts": {"en": "Dear {name}"}}, InputError),
        ({"shortcut": "thanks", "texts": {"en": "x"}}, ConflictError),
    ):
        with records.write() as session, pytest.raises(error) as raised:
            canned_replies.save_canned(session, person_id=None, **wrong)  # type: ignore[arg-type]
        assert raised.value.remedy


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello {customer}, {agent} here", "Hello, ann here"),
        ("Hello, {customer}!", "Hello!"),
        ("Hello {customer}", "Hello"),
        ("Sorry, {customer}, we are late.", "Sorry, we are late."),
        ("{customer}, we are on it.", "We are on it."),
        ("Thank you. {customer}, we are on it.", "Thank you. We are on it."),
        ("Good day {customer}\nHow can I help?", "Good day\nHow can I help?"),
        ("Thank you ({customer}) for writing", "Thank you for writing"),
        ("您好，{customer}！我是{agent}。", "您好！我是ann。"),
        ("您好 {customer} ，请稍等。", "您好，请稍等。"),
        ("{customer}，您好！", "您好！"),
        ("{customer}您好！", "您好！"),
        ("谢谢（{customer}）。", "谢谢。"),
    ],
)
def test_a_canned_reply_to_a_nameless_visitor_leaves_no_hole(text: str, told: str) -> None:
    row = canned_replies.CannedReply(shortcut="hi", texts={"en": text})
    assert canned_replies.text_for(row, "en", customer=" ", agent="ann") == told
    named = canned_replies.text_for(row, "en", customer="Ana", agent="ann")
    assert named == text.replace("{customer}", "Ana").replace("{agent}", "ann")


def test_going_back_to_the_bot_leaves_the_queue(records: Database, waiting: Waiting) -> None:
    conversation_id = waiting()
    with records.write() as session:
        return_to_bot(session, session.get_one(Conversation, conversation_id).public_id)
        assert inbox.queue(session, "waiting", person_id=0) == []


def test_roles_below_agent_are_no_colleagues(records: Database, team: dict[str, Person]) -> None:
    with records.read() as session:
        assert {one.name for one in presence.colleagues(session)} == {"Mei", "Tom"}
    assert people.at_least("editor", "agent")
