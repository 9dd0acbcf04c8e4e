"""The chat API as CONTRACTS says, over HTTP: what a client may rely on."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from chatbot.dialogue.trace import Message
from chatbot.errors import UnavailableError
from chatbot.records.conversations import store_reply
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Feedback, Person, Site, Turn

SSE = "text/event-stream"


@dataclass
class Visitor:
    """A client with a conversation of its own."""

    client: FlaskClient
    id: str = ""
    token: str = ""
    started: dict[str, Any] = field(default_factory=dict)

    def start(self, **body: Any) -> Visitor:
        response = self.client.post("/api/v1/conversations", json=body)
        assert response.status_code == 201, response.get_data(as_text=True)
        self.started = response.get_json()
        self.id, self.token = self.started["id"], self.started["token"]
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.client.post(
            f"/api/v1/conversations/{self.id}{path}", json=body, headers={**self.headers, **headers}
        )

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/api/v1/conversations/{self.id}{path}", headers=self.headers)

    def say(self, text: str, message: str | None = None, **headers: str) -> TestResponse:
        return self.post("/messages", {"text": text, "client_message_id": message}, **headers)

    def turns(self, after: int = 0) -> list[dict[str, Any]]:
        return self.get(f"/messages?after={after}").get_json()["turns"]


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    return Visitor(client).start()


def events_of(response: TestResponse) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in response.get_data(as_text=True).strip().split("\n\n"):
        if block.startswith(":"):
            continue
        name, data = block.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


# --- a conversation begins -------------------------------------------------------------------------------


def test_a_conversation_starts_with_id_token_state_and_greeting(client: FlaskClient) -> None:
    started = Visitor(client).start(site="default", locale="zh-CN").started
    assert set(started) == {"id", "token", "state", "greeting"}
    assert started["state"] == "bot"
    assert started["greeting"] == "您好！有什么可以帮您？"
    assert len(started["token"]) >= 43  # 32 bytes


def test_the_token_is_stored_as_a_hash_only(client: FlaskClient, database: Database) -> None:
    visitor = Visitor(client).start()
    with database.read() as session:
        row = session.scalars(select(Conversation)).one()
    assert visitor.token not in (row.token_hash, row.public_id)
    assert len(row.token_hash) == 64


def test_the_site_must_be_named_where_there_are_several_and_the_first_is_gone(
    client: FlaskClient, database: Database
) -> None:
    with database.write() as session:
        session.add(Site(key="second", name="Second"))
    assert client.post("/api/v1/conversations", json={}).status_code == 201
    with database.write() as session:
        session.scalars(select(Site).where(Site.key == "default")).one().key = "third"
    response = client.post("/api/v1/conversations", json={})
    assert response.status_code == 422
    assert response.get_json()["error"]["field"] == "site"
    assert client.post("/api/v1/conversations", json={"site": "second"}).status_code == 201


def test_an_unknown_site_is_named_in_the_error(client: FlaskClient) -> None:
    response = client.post("/api/v1/conversations", json={"site": "nowhere"})
    assert response.status_code == 404
    assert response.get_json()["error"]["value"] == "nowhere"


# --- a message and its reply -----------------------------------------------------------------------------


def test_a_message_gets_its_reply_in_the_shape_of_the_contract(visitor: Visitor) -> None:
    response = visitor.say("When is my refund there?", "m1")
    assert response.status_code == 200
    answer = response.get_json()
    assert answer["state"] == "bot"
    reply = answer["reply"]
    assert set(reply) == {"parts", "text", "kind", "suggestions"}
    part = reply["parts"][0]
    assert set(part) == {"text", "kind", "confidence", "intent", "sources", "choices", "cards"}
    assert part["sources"][0].keys() == {"title", "url", "quote"}
    assert reply["kind"] == part["kind"] == "passage"
    assert "When is my refund there?" in reply["text"]


def test_both_turns_are_stored_and_the_bots_carries_its_whole_trace(
    visitor: Visitor, database: Database
) -> None:
    answer = visitor.say("refund?", "m1").get_json()
    with database.read() as session:
        customer, bot = session.scalars(select(Turn).order_by(Turn.id)).all()
    assert (customer.role, customer.text, customer.client_message_id) == ("customer", "refund?", "m1")
    assert (bot.id, bot.reply_to_id) == (answer["turn_id"], customer.id)
    assert bot.reply == answer["reply"]
    assert bot.trace is not None
    assert bot.trace["parts"][0]["classification"]["ranked"][0]["name"] == "refund_time"
    assert (bot.kind, bot.intent, bot.release_id) == ("passage", "refund_time", "r-test")


def test_the_customers_turn_is_committed_before_the_answer_is_computed(
    visitor: Visitor, database: Database, assistant: Any
) -> None:
    seen: list[str] = []

    def look(text: str) -> None:
        with database.read() as session:
            seen.extend(session.scalars(select(Turn.text)))

    assistant.before_reply = look
    visitor.say("is it stored?", "m1")
    assert seen == ["is it stored?"]


def test_the_assistant_reads_what_was_said_before_in_order(visitor: Visitor, assistant: Any) -> None:
    visitor.say("first")
    visitor.say("second")
    text, history, _ = assistant.calls[-1]
    assert text == "second"
    assert [message.role for message in history] == ["customer", "bot"]
    assert history[0] == Message("customer", "first")


def test_the_assistant_is_told_how_often_it_failed_in_a_row(visitor: Visitor, assistant: Any) -> None:
    for text in ("xyzzy", "xyzzy again", "refund", "xyzzy more", "refund"):
        visitor.say(text)
    assert [failures for _, _, failures in assistant.calls] == [0, 1, 2, 0, 1]


def test_the_same_client_message_id_returns_the_stored_reply_and_stores_nothing(
    visitor: Visitor, database: Database, assistant: Any
) -> None:
    first = visitor.say("refund?", "m1").get_json()
    again = visitor.say("refund?", "m1").get_json()
    assert again == first
    assert len(assistant.calls) == 1
    assert len(visitor.turns()) == 2


def test_concurrent_duplicates_are_stored_and_answered_once(app: Flask, assistant: Any) -> None:
    visitor = Visitor(app.test_client()).start()
    barrier = threading.Barrier(6)
    answers: list[dict[str, Any]] = []

    def send() -> None:
        mine = Visitor(app.test_client(), visitor.id, visitor.token)
        barrier.wait()
        answers.append(mine.say("refund?", "same").get_json())

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer["turn_id"] for answer in answers}) == 1
    assert [turn["role"] for turn in visitor.turns()] == ["customer", "bot"]


def test_a_reply_that_another_process_has_stored_meanwhile_is_the_one_that_is_sent(
    visitor: Visitor, database: Database, assistant: Any
) -> None:
    def overtake(text: str) -> None:
        assistant.before_reply = lambda text: None
        reply, trace = assistant.reply("overtaken", history=(), locale="en", options=_options())
        with database.write() as session:
            customer = session.scalars(select(Turn.id)).one()
            store_reply(session, visitor.id, to=customer, reply=reply, trace=trace, lang="en")

    assistant.before_reply = overtake
    answer = visitor.say("refund?", "m1").get_json()
    assert "overtaken" in answer["reply"]["text"]
    assert len(visitor.turns()) == 2


def test_messages_sent_at_once_are_each_answered_in_their_order(app: Flask, assistant: Any) -> None:
    visitor = Visitor(app.test_client()).start()
    first_is_in = threading.Event()

    def slow_first(text: str) -> None:
        if text == "one":
            first_is_in.set()
            threading.Event().wait(0.2)

    assistant.before_reply = slow_first
    thread = threading.Thread(target=lambda: Visitor(app.test_client(), visitor.id, visitor.token).say("one"))
    thread.start()
    assert first_is_in.wait(60)
    visitor.say("two")
    thread.join()
    assert [text for text, _, _ in assistant.calls] == ["one", "two"]
    history = assistant.calls[1][1]
    assert [message.role for message in history] == ["customer", "bot"]  # the late reply is in its place


def test_a_message_lost_to_a_failing_assistant_is_answered_when_it_is_sent_again(
    visitor: Visitor, assistant: Any
) -> None:
    def fail(text: str) -> None:
        raise RuntimeError("out of memory")

    assistant.before_reply = fail
    failed = visitor.say("refund?", "m1")
    assert failed.status_code == 500
    assert failed.get_json()["error"]["code"] == "internal_error"
    assert "memory" not in failed.get_data(as_text=True)
    assistant.before_reply = lambda text: None
    assert visitor.say("refund?", "m1").status_code == 200
    assert [turn["role"] for turn in visitor.turns()] == ["customer", "bot"]


def test_without_a_release_the_message_is_kept_and_the_client_told_when_to_come_back(
    visitor: Visitor, assistant: Any
) -> None:
    def none_live(text: str) -> None:
        raise UnavailableError("No release is live yet", retry_after=7)

    assistant.before_reply = none_live
    response = visitor.say("refund?", "m1")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "7"
    assert [turn["text"] for turn in visitor.turns()] == ["refund?"]


def test_a_tap_on_a_choice_shows_its_title_and_reaches_the_assistant_as_its_payload(
    visitor: Visitor, assistant: Any
) -> None:
    choice = visitor.say("which refund?").get_json()["reply"]["parts"][0]["choices"][0]
    visitor.say(choice["payload"], "tap")
    assert assistant.calls[-1][0] == "/intent refund_time"
    assert [turn["text"] for turn in visitor.turns() if turn["role"] == "customer"][-1] == "Refund time"
    assert all("reply" not in turn for turn in visitor.turns() if turn["role"] == "customer")


def test_a_payload_that_was_not_offered_is_an_ordinary_text(visitor: Visitor) -> None:
    visitor.say("/intent refund_time")
    assert visitor.turns()[0]["text"] == "/intent refund_time"


# --- streaming -------------------------------------------------------------------------------------------


def test_a_streamed_reply_is_status_then_deltas_then_the_stored_reply(visitor: Visitor) -> None:
    response = visitor.say("refund?", "m1", Accept=SSE)
    assert response.mimetype == SSE
    events = events_of(response)
    names = [name for name, _ in events]
    assert names[0] == "status"
    assert names[-1] == "reply"
    assert set(names[1:-1]) == {"delta"}
    text = "".join(data["text"] for name, data in events if name == "delta")
    assert text == events[-1][1]["reply"]["text"]
    assert events[-1][1] == visitor.say("refund?", "m1").get_json()


def test_the_reply_is_committed_before_its_first_word_leaves(visitor: Visitor, database: Database) -> None:
    response = visitor.client.post(
        f"/api/v1/conversations/{visitor.id}/messages",
        json={"text": "refund?"},
        headers={**visitor.headers, "Accept": SSE},
        buffered=False,
    )
    for chunk in response.response:  # type: ignore[union-attr]
        if "event: delta" in str(chunk):
            with database.read() as session:
                assert session.scalar(select(func.count(Turn.id)).where(Turn.role == "bot")) == 1
            break
    else:
        pytest.fail("no delta came")
    response.close()


def test_a_visitor_who_leaves_before_the_answer_finds_it_when_he_comes_back(visitor: Visitor) -> None:
    response = visitor.client.post(
        f"/api/v1/conversations/{visitor.id}/messages",
        json={"text": "refund?"},
        headers={**visitor.headers, "Accept": SSE},
        buffered=False,
    )
    next(iter(response.response))  # type: ignore[arg-type]
    response.close()
    assert [turn["role"] for turn in visitor.turns()] == ["customer", "bot"]


def test_a_failure_while_streaming_is_an_error_event(visitor: Visitor, assistant: Any) -> None:
    def fail(text: str) -> None:
        raise RuntimeError("secret detail")

    assistant.before_reply = fail
    name, data = events_of(visitor.say("refund?", "m1", Accept=SSE))[-1]
    assert name == "error"
    assert data["error"]["code"] == "internal_error"
    assert "secret" not in json.dumps(data)


# --- history and votes -----------------------------------------------------------------------------------


def test_turns_come_in_order_after_the_one_that_is_known(visitor: Visitor) -> None:
    visitor.say("one")
    visitor.say("two")
    ids = [turn["id"] for turn in visitor.turns()]
    assert ids == sorted(ids)
    assert len(ids) == 4
    assert [turn["id"] for turn in visitor.turns(after=ids[1])] == ids[2:]
    assert visitor.get(f"/messages?after={ids[-1]}").get_json() == {
        "state": "bot",
        "turns": [],
        "more": False,
    }


def test_an_agents_turn_shows_his_name_and_a_note_is_never_shown(
    visitor: Visitor, database: Database
) -> None:
    with database.write() as session:
        person = Person(email="mei@shop.example", name="Mei", password_hash="x", role="agent")
        session.add(person)
        session.flush()
        conversation = session.scalars(select(Conversation.id)).one()
        session.add(Turn(conversation_id=conversation, role="agent", text="Hello", person_id=person.id))
        session.add(Turn(conversation_id=conversation, role="note", text="difficult", person_id=person.id))
    turns = visitor.turns()
    assert [(turn["role"], turn["agent"], turn["text"]) for turn in turns] == [("agent", "Mei", "Hello")]


def test_a_second_vote_replaces_the_first_and_comes_back_with_the_turn(
    visitor: Visitor, database: Database
) -> None:
    turn = visitor.say("refund?").get_json()["turn_id"]
    assert visitor.post(f"/turns/{turn}/feedback", {"vote": "up"}).status_code == 200
    answer = visitor.post(f"/turns/{turn}/feedback", {"vote": "down", "comment": "too late"})
    assert answer.get_json() == {"turn_id": turn, "vote": "down"}
    assert visitor.turns()[-1]["vote"] == "down"
    with database.read() as session:
        stored = session.scalars(select(Feedback)).one()
    assert (stored.vote, stored.comment) == ("down", "too late")


def test_only_an_answer_of_this_conversation_can_be_voted_on(visitor: Visitor, client: FlaskClient) -> None:
    answer = visitor.say("refund?").get_json()
    assert visitor.post(f"/turns/{answer['message_id']}/feedback", {"vote": "up"}).status_code == 409
    other = Visitor(client).start()
    assert other.post(f"/turns/{answer['turn_id']}/feedback", {"vote": "up"}).status_code == 404
    assert visitor.post(f"/turns/{answer['turn_id']}/feedback", {"vote": "meh"}).status_code == 422


# --- a person --------------------------------------------------------------------------------------------


def test_after_a_handover_the_bot_is_silent_and_the_message_is_kept(
    visitor: Visitor, assistant: Any, database: Database
) -> None:
    visitor.say("refund?")
    assert visitor.post("/handover", {"reason": "It is complicated"}).get_json() == {"state": "waiting"}
    response = visitor.say("are you there?", "m2")
    assert response.status_code == 202
    assert response.get_json()["reply"] is None
    assert response.get_json()["state"] == "waiting"
    assert len(assistant.calls) == 1
    kept, told = visitor.turns()[-2:]
    assert (kept["text"], told["text"]) == (
        "are you there?",
        "Thank you, I have added this. A colleague reads it as soon as somebody is free.",
    )
    with database.read() as session:
        row = session.scalars(select(Conversation)).one()
    assert (row.handover_reason, row.handover_note) == ("visitor_asked", "It is complicated")
    assert row.handover_at is not None


def test_a_reply_of_kind_person_hands_over_with_the_rule_as_reason(
    visitor: Visitor, database: Database
) -> None:
    answer = visitor.say("a person please").get_json()
    assert (answer["reply"]["kind"], answer["state"]) == ("person", "waiting")
    with database.read() as session:
        assert session.scalars(select(Conversation.handover_reason)).one() == "asked_for_person"


def test_a_person_who_takes_over_while_the_bot_thinks_silences_it(
    visitor: Visitor, database: Database, assistant: Any
) -> None:
    def take_over(text: str) -> None:
        with database.write() as session:
            session.scalars(select(Conversation)).one().state = "human"

    assistant.before_reply = take_over
    response = visitor.say("refund?")
    assert response.status_code == 202
    assert (response.get_json()["state"], response.get_json()["reply"]) == ("human", None)
    assert [turn["role"] for turn in visitor.turns()] == ["customer"]


def test_who_does_not_want_to_wait_goes_back_to_the_bot_unless_a_person_has_it(
    visitor: Visitor, database: Database
) -> None:
    visitor.post("/handover")
    assert visitor.post("/resume").get_json() == {"state": "bot"}
    assert visitor.say("refund?").status_code == 200
    with database.write() as session:
        session.scalars(select(Conversation)).one().state = "human"
    assert visitor.post("/resume").status_code == 409
    assert visitor.post("/handover").get_json() == {"state": "human"}


def test_events_bring_an_agents_words_and_end_when_the_conversation_is_closed(
    visitor: Visitor, database: Database
) -> None:
    visitor.post("/handover")
    response = visitor.client.get(
        f"/api/v1/conversations/{visitor.id}/events", headers=visitor.headers, buffered=False
    )
    chunks = iter(response.response)  # type: ignore[arg-type]
    assert '"waiting"' in str(next(chunks))
    with database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        session.add(Turn(conversation_id=conversation.id, role="agent", text="Hello, Mei here"))
        conversation.state = "closed"
    rest = "".join(chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in chunks)
    assert "Hello, Mei here" in rest
    assert rest.rindex("event: end") > rest.index('"closed"') > rest.index("Mei here")


def test_events_end_at_once_while_the_bot_has_the_conversation(visitor: Visitor) -> None:
    visitor.say("refund?")
    names = [name for name, _ in events_of(visitor.get("/events?after=0"))]
    assert names == ["turn", "turn", "state", "end"]


def test_a_closed_conversation_keeps_its_mark_and_a_new_message_opens_it(
    visitor: Visitor, database: Database
) -> None:
    assert visitor.post("/close", {"csat": 4, "comment": "fine"}).get_json() == {"state": "closed"}
    with database.read() as session:
        row = session.scalars(select(Conversation)).one()
    assert (row.csat, row.csat_comment) == (4, "fine")
    assert row.closed_at is not None
    assert visitor.say("one more thing").get_json()["state"] == "bot"


# --- what is wrong is said -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "status", "field"),
    [
        (b"null", "application/json", 422, "body"),
        (b"[]", "application/json", 422, "body"),
        (b'"text"', "application/json", 422, "body"),
        (b"{", "application/json", 400, "body"),
        (b"\xff\xfe", "application/json", 400, "body"),
        (b"", "application/json", 422, "text"),
        (b"{}", "application/json", 422, "text"),
        (b'{"text": null}', "application/json", 422, "text"),
        (b'{"text": 5}', "application/json", 422, "text"),
        (b'{"text": ["a"]}', "application/json", 422, "text"),
        (b'{"text": "  \\n "}', "application/json", 422, "text"),
        (b'{"text": "\\u200b\\u0000"}', "application/json", 422, "text"),
        (b'{"text": "a", "client_message_id": ""}', "application/json", 422, "client_message_id"),
        (b'{"text": "a", "client_message_id": 1}', "application/json", 422, "client_message_id"),
        (json.dumps({"text": "x" * 5001}).encode(), "application/json", 422, "text"),
        (b'{"text": "a"}', "text/plain", 415, "Content-Type"),
        (b"text=a", "application/x-www-form-urlencoded", 415, "Content-Type"),
    ],
)
def test_bad_bodies_are_refused_by_name(
    visitor: Visitor, body: bytes, content_type: str, status: int, field: str
) -> None:
    response = visitor.client.post(
        f"/api/v1/conversations/{visitor.id}/messages",
        data=body,
        content_type=content_type,
        headers=visitor.headers,
    )
    assert response.status_code == status
    error = response.get_json()["error"]
    assert error["field"] == field
    assert error["message"]
    assert visitor.turns() == []


@pytest.mark.parametrize(
    "text", ["x" * 5000, "👋", "。", "\ud800", "a\x00b", "<b>hi</b>", "ＫＣ－２０４８１７ 在哪"]
)
def test_odd_texts_are_answered(visitor: Visitor, text: str) -> None:
    response = visitor.client.post(
        f"/api/v1/conversations/{visitor.id}/messages",
        data=json.dumps({"text": text}),
        content_type="application/json",
        headers=visitor.headers,
    )
    assert response.status_code == 200
    assert visitor.turns()[0]["text"] == text.replace("\x00", "").replace("\ud800", "\ufffd")


@pytest.mark.parametrize("turn", ["0", "99", str(2**63), "9" * 40])
def test_ids_that_do_not_exist_are_refused_without_a_crash(visitor: Visitor, turn: str) -> None:
    assert visitor.post(f"/turns/{turn}/feedback", {"vote": "up"}).status_code in (404, 422)
    assert visitor.get(f"/messages?after={turn}").status_code in (200, 422)


def test_the_api_describes_itself(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").get_json()["paths"]
    assert set(paths) >= {
        "/api/v1/conversations",
        "/api/v1/conversations/{conversation_id}/messages",
        "/api/v1/conversations/{conversation_id}/events",
        "/api/v1/conversations/{conversation_id}/turns/{turn_id}/feedback",
        "/api/v1/conversations/{conversation_id}/handover",
        "/api/v1/conversations/{conversation_id}/resume",
        "/api/v1/conversations/{conversation_id}/close",
    }
    send = paths["/api/v1/conversations/{conversation_id}/messages"]["post"]
    assert {"200", "202", "401", "422", "429"} <= set(send["responses"])


def _options() -> Any:
    from chatbot.dialogue.options import SiteOptions

    return SiteOptions()


def test_who_waits_is_acknowledged_once_and_may_take_it_back_in_words(visitor: Visitor) -> None:
    visitor.post("/handover", {})
    assert visitor.say("it is about my kettle").get_json()["state"] == "waiting"
    assert visitor.say("the red one").get_json()["state"] == "waiting"
    notices = [turn["text"] for turn in visitor.turns() if turn["role"] == "bot"]
    assert len(notices) == 1 and "I have added this" in notices[0]
    back = visitor.say("no wait, forget the person. how do I cancel an order").get_json()
    assert back["state"] == "bot" and back["reply"] is not None
    assert [turn["role"] for turn in visitor.turns()].count("bot") == 2
