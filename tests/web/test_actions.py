"""Actions through the whole application: the demo's order service, the chat API, the admin page, programs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.bound_actions import GUESSES, DatabaseActions
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.dialogue.weighing import KnownIntent
from chatbot.records.api_keys import create_key
from chatbot.records.database import Database
from chatbot.records.tables import Action, ActionCall, AuditEntry, Conversation, Intent, Turn
from chatbot.settings import Settings
from ingest.demo.orders import create_app, day_in_words
from web.demo import offer_orders

TODAY = date(2026, 11, 28)
NAMES = ("order_status", "change_delivery_address")


class Classifier:
    def classify(self, text: str, **_: Any) -> Classification:
        for word, name in (
            ("address", NAMES[1]),
            ("order", NAMES[0]),
            ("订单", NAMES[0]),
            ("refund", "refund_time"),
        ):
            if word in text.lower().replace("[order", ""):  # a number of one says nothing of what is wanted
                return Classification((IntentGuess(name, 0.95),), 0.98)
        return Classification((IntentGuess(NAMES[0], 0.1),), 0.05)


class Search:
    def search(self, query: str, **_: Any) -> list[Any]:
        return []

    def encode(self, texts: Sequence[str], **_: Any) -> Any:
        return np.stack([self.question(text[:199]) for text in texts])

    def question(self, text: str, **_: Any) -> Any:
        """A direction of its own for each text of another length."""
        return np.eye(200, dtype=np.float32)[len(text)]

    def refresh(self) -> None: ...

    def __len__(self) -> int:
        return 0


class Lookup:
    def intents(self, names: Any, lang: str) -> dict[str, KnownIntent]:
        known = {name: KnownIntent(name, name.title(), None, None, acts=True) for name in NAMES}
        known["refund_time"] = KnownIntent("refund_time", "Refunds", None, "Within 3 days.")
        return {name: known[name] for name in names if name in known}

    def passages(self, slug: str, lang: str) -> list[Any]:
        return []


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None: ...


@pytest.fixture
def bound(settings: Settings, database: Database) -> Settings:
    """Both intents with the demo's actions, all of them switched on; the settings with the service's address."""
    with database.write() as session:
        session.add_all(Intent(name=name, titles={"en": name}) for name in (*NAMES, "refund_time"))
    found = offer_orders(database, settings)
    with database.write() as session:
        for row in session.scalars(select(Action)):
            row.enabled = True
    return settings.model_copy(update={"demo_orders": found["FRONTDESK_DEMO_ORDERS"]})


@pytest.fixture
def orders(bound: Settings, database: Database) -> Iterator[Flask]:
    with database.read() as session:
        secret = session.scalars(select(Action.secret)).first()
    app = create_app(secret=str(secret), today=TODAY)
    port = int(bound.demo_orders.rpartition(":")[2])
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def assistant(bound: Settings, database: Database) -> Assistant:
    return Assistant(
        release_id="r-test", languages=("en", "zh"), classifier=Classifier(), search=Search(), writer=None,
        lookup=Lookup(), actions=DatabaseActions(database, bound),
    )  # fmt: skip


class Visitor:
    def __init__(self, client: FlaskClient) -> None:
        made = client.post("/api/v1/conversations", json={}).json
        assert made is not None
        self.client, self.id, self.token = client, made["id"], made["token"]

    def say(self, text: str, message: str | None = None) -> dict[str, Any]:
        answer = self.client.post(
            f"/api/v1/conversations/{self.id}/messages",
            json={"text": text, "client_message_id": message},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.json is not None and answer.status_code in (200, 202), answer.text
        return dict(answer.json["reply"] or {})


@pytest.fixture
def visitor(orders: Flask, client: FlaskClient) -> Visitor:
    return Visitor(client)


def test_where_is_my_order_in_two_languages(visitor: Visitor, database: Database) -> None:
    reply = visitor.say("Where is my order KC-204817?")
    assert reply["kind"] == "approved"
    assert reply["text"] == (
        "Your order KC-204817 is out for delivery: Heron Parcel should bring it today, Saturday 28 November."
    )
    assert visitor.say("我的订单KC-204818到哪了？")["text"] == (
        "您的订单 KC-204818 正在打包，预计 Heron Parcel 在11月30日（周一）送达。"
    )
    with database.read() as session:
        traces = json.dumps([turn.trace for turn in session.scalars(select(Turn).where(Turn.role == "bot"))])
        calls = session.scalars(select(ActionCall)).all()
    assert "2048" not in traces and '"outcome": "done"' in traces
    assert [call.outcome for call in calls] == ["done", "done"]
    assert day_in_words(TODAY, "zh") == "11月28日（周六）"


def test_a_bare_number_is_answered_in_the_language_of_the_conversation(visitor: Visitor) -> None:
    visitor.say("我的订单到哪了？")
    assert visitor.say("KC-204822")["text"].startswith("您的订单 KC-204822")


@pytest.mark.parametrize(
    ("text", "lang"), [("KC-204817", "en"), ("my order: KC-204817", "en"), ("订单号 KC-204817", "zh")]
)
def test_a_number_and_nothing_else_gets_what_there_is_to_tell_of_the_order(
    visitor: Visitor, text: str, lang: str
) -> None:
    told = "is out for delivery" if lang == "en" else "正在派送"
    opened = visitor.say(text)
    assert (opened["kind"], told in opened["text"]) == ("approved", True)
    assert phrase("order_else", lang) not in opened["text"]
    visitor.say("when do I get a refund?")
    assert visitor.say(text)["text"].endswith(
        phrase("order_else", lang)
    )  # it may have been meant for the refund


def test_where_no_action_only_tells_it_is_asked_what_is_wanted_of_the_order(
    visitor: Visitor, database: Database
) -> None:
    with database.write() as session:
        for row in session.scalars(select(Action).where(Action.name == "order_status")):
            row.enabled = False
    asked = visitor.say("KC-204822")
    assert (asked["text"], asked["kind"]) == (phrase("about_order", "en"), "choices")
    assert [one["title"] for one in asked["parts"][0]["choices"]] == [
        "Change_Delivery_Address",
        "Talk to a person",
    ]
    assert "new address" in visitor.say("/intent change_delivery_address")["text"]
    with database.write() as session:
        for row in session.scalars(select(Action)):
            row.enabled = False
    assert [one["title"] for one in Visitor(visitor.client).say("订单 KC-204822")["parts"][0]["choices"]] == [
        "转人工客服"
    ]


def test_a_number_is_the_answer_to_what_an_action_asks_and_interrupts_none(visitor: Visitor) -> None:
    visitor.say("change the address")
    assert "new address" in visitor.say("KC-204822")["text"]
    assert visitor.say("KC-204817")["text"].startswith(phrase("action_noted", "en"))
    visitor.say("when do I get a refund?")
    both = visitor.say("KC-204817")
    assert "out for delivery" in both["parts"][0]["text"]
    assert both["parts"][1]["text"].startswith(phrase("action_next", "en"))


def test_of_several_orders_each_is_told_and_what_is_not_found_is_named(
    visitor: Visitor, database: Database
) -> None:
    both = visitor.say("where are KC-204817 and KC-204830?")
    assert [part["text"].split(" is ")[0].split(" was ")[0] for part in both["parts"]] == [
        "Your order KC-204817", "Your order KC-204830"
    ]  # fmt: skip
    found = visitor.say("订单 KC-999999 和 KC-204841")
    assert [part["kind"] for part in found["parts"]] == ["ask", "approved"]
    assert found["parts"][0]["text"] == "KC-999999：" + phrase("action_not_found", "zh")
    assert "KC-204863" in visitor.say("KC-204863")["text"]  # the one that was mistyped, once more
    with database.read() as session:
        assert len(session.scalars(select(ActionCall)).all()) == 5


def test_of_many_orders_the_first_three_are_told_and_the_others_named(visitor: Visitor) -> None:
    many = visitor.say("where is my order? KC-204817, KC-204818, KC-204822, KC-204830 and KC-204841")
    assert len(many["parts"]) == 3
    assert many["text"].endswith(phrase("action_more", "en").format(orders="KC-204830, KC-204841"))


def test_details_are_asked_for_and_remembered_over_another_question(visitor: Visitor) -> None:
    assert visitor.say("where is my order")["kind"] == "ask"
    assert visitor.say("when do I get a refund?")["text"].startswith("Within 3 days.")
    assert "KC-204830" in visitor.say("KC-204830")["text"]
    assert visitor.say("where is my order")["kind"] == "approved"  # the number is known by now


def test_what_is_proposed_is_kept_with_the_turn_and_understood_when_tapped(
    visitor: Visitor, assistant: Assistant, database: Database
) -> None:
    class Next:
        def suggest(self, events: Any, *, k: int = 3, least: float = 0.0) -> list[tuple[str, float]]:
            return [("refund_time", 0.4)]

    assistant._next = Next()
    assert visitor.say("where is my order KC-204817?")["suggestions"] == ["Refunds"]
    tapped = visitor.say("Refunds")
    assert (tapped["text"], tapped["parts"][0]["confidence"]) == ("Within 3 days.", 1.0)
    assert tapped["suggestions"] == []  # what was asked is not proposed again


def test_the_same_message_again_does_nothing_twice(visitor: Visitor, database: Database) -> None:
    first = visitor.say("where is my order KC-204841", "m1")
    assert visitor.say("where is my order KC-204841", "m1") == first
    with database.read() as session:
        assert len(session.scalars(select(ActionCall)).all()) == 1


def test_a_change_needs_proof_and_confirmation_and_is_audited(visitor: Visitor, database: Database) -> None:
    assert visitor.say("change the address of KC-204822")["kind"] == "ask"
    assert "e-mail" in visitor.say("Kade 5, 3011 AB Rotterdam")["text"]
    assert visitor.say("wei@example.com")["text"] == (
        "Shall I send order KC-204822 to Kade 5, 3011 AB Rotterdam? Yes or no."
    )
    assert visitor.say("yes")["text"] == "Done: order KC-204822 goes to Kade 5, 3011 AB Rotterdam."
    with database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "action.done")).one()
        call = session.scalars(select(ActionCall)).one()
    assert entry.detail["details"] == ["address", "order", "sure"]
    assert "Kade" not in json.dumps(entry.detail) + call.subject + call.detail


@pytest.mark.parametrize(
    ("order", "email", "why"),
    [("KC-204818", "jonas@example.com", "is being packed already"),
     ("KC-204830", "anna@example.com", "is on its way already"),
     ("KC-204841", "paul@example.com", "has been delivered"),
     ("KC-204863", "sara@example.com", "was cancelled")],
)  # fmt: skip
def test_the_demo_changes_an_address_as_its_article_says_and_no_later(
    visitor: Visitor, order: str, email: str, why: str
) -> None:
    for text in (f"change the address of {order}", "Kade 5, 3011 AB Rotterdam", email):
        visitor.say(text)
    assert visitor.say("yes")["text"].startswith(f"Order {order} {why}, so ")


def test_what_is_to_be_changed_can_be_corrected_and_what_was_asked_in_between_is_no_correction(
    visitor: Visitor,
) -> None:
    visitor.say("change the address of KC-204822")
    assert visitor.say("when do I get a refund?")["text"].startswith("Within 3 days.\n\nBack to")
    assert visitor.say("hello?")["kind"] != "ask"
    assert visitor.say("change the address")["kind"] == "ask"
    visitor.say("Kade 5, Rotterdam")
    assert "Kade 5" in visitor.say("wei@example.com")["text"]
    assert visitor.say("no, to Coolsingel 5, Rotterdam")["text"] == (
        "Shall I send order KC-204822 to Coolsingel 5, Rotterdam? Yes or no."
    )
    assert visitor.say("my refund has not come")["text"] == (
        "As said: Within 3 days.\n\nBack to your other request: "
        "Shall I send order KC-204822 to Coolsingel 5, Rotterdam? Yes or no."
    )
    assert visitor.say("yes")["text"] == "Done: order KC-204822 goes to Coolsingel 5, Rotterdam."


@pytest.mark.parametrize("order", ["KC-204822", ""])
def test_what_a_question_in_between_waits_for_is_said_again_and_then_understood(
    visitor: Visitor, order: str
) -> None:
    visitor.say(f"change the address {order}")
    if not order:
        visitor.say("KC-204822")
    for text in ("when do I get a refund?", "and when does the refund come?"):
        assert visitor.say(text)["text"].endswith(
            phrase("action_back", "en") + "What is the new address, with street, number, postcode and town?"
        )
    assert "e-mail" in visitor.say("Veerkade 18, 3016 DE Rotterdam")["text"]
    visitor.say("my refund is late")
    assert visitor.say("wei@example.com")["text"] == (
        "Shall I send order KC-204822 to Veerkade 18, 3016 DE Rotterdam? Yes or no."
    )
    assert visitor.say("yes")["text"] == "Done: order KC-204822 goes to Veerkade 18, 3016 DE Rotterdam."


def test_an_address_with_full_width_signs_is_confirmed_once_and_kept_as_written(visitor: Visitor) -> None:
    visitor.say("请帮我修改收货地址，address of KC-204822, wei@example.com")
    question = visitor.say("伦敦，贝克街２２１号，NW1 6XE")["text"]
    assert question == "要把订单 KC-204822 改送到 伦敦，贝克街221号，NW1 6XE 吗？请回答“是”或“否”。"
    assert visitor.say("是")["text"] == "已修改：订单 KC-204822 将送到 伦敦，贝克街221号，NW1 6XE。"


def test_a_yes_behind_a_correction_that_was_not_understood_changes_nothing(
    visitor: Visitor, database: Database
) -> None:
    to_be_confirmed(visitor)
    assert visitor.say("hmm, wrong one")["text"].startswith(phrase("action_instead", "en"))
    assert visitor.say("yes")["kind"] != "approved"
    with database.read() as session:
        assert session.scalars(select(ActionCall)).all() == []
    assert visitor.say("Coolsingel 7, Rotterdam")["text"].startswith("Shall I send order KC-204822 to Cool")


def test_an_address_in_the_request_itself_is_not_asked_for_again(visitor: Visitor) -> None:
    asked = visitor.say("change the address of KC-204822 to Evil Street 1, 1000 AA Amsterdam")["text"]
    assert asked == phrase("ask_proof_email_or_postcode", "en")
    assert visitor.say("wei@example.com")["text"] == (
        "Shall I send order KC-204822 to Evil Street 1, 1000 AA Amsterdam? Yes or no."
    )
    assert visitor.say("wait, make it number 7")["text"] == (
        "Shall I send order KC-204822 to Evil Street 7, 1000 AA Amsterdam? Yes or no."
    )


def to_be_confirmed(visitor: Visitor) -> None:
    for text in ("change the address of KC-204822", "Kade 5, Rotterdam"):
        visitor.say(text)
    assert visitor.say("wei@example.com")["text"] == (
        "Shall I send order KC-204822 to Kade 5, Rotterdam? Yes or no."
    )


def states(database: Database) -> list[list[tuple[str, str, list[str]]]]:
    """Of each reply the actions: name, state, and what waits behind it."""
    with database.read() as session:
        replies = session.scalars(
            select(Turn).where(Turn.role == "bot", Turn.trace.is_not(None)).order_by(Turn.id)
        )
        return [
            [
                (one["name"], one["state"], [wish["name"] for wish in one["waiting"]])
                for part in turn.trace["parts"]
                if (one := part["action"])
            ]
            for turn in replies
        ]


DELIVERED = (
    "Your order KC-204817 is out for delivery: Heron Parcel should bring it today, Saturday 28 November."
)
MOVED = "Done: order KC-204822 goes to Kade 5, Rotterdam."


def test_of_two_requests_each_has_its_own_order(visitor: Visitor) -> None:
    both = visitor.say("Where is my order KC-204817 and change the address of KC-204822")
    assert [part["kind"] for part in both["parts"]] == ["approved", "ask"]
    assert both["parts"][0]["text"] == DELIVERED
    visitor.say("Kade 5, Rotterdam")
    assert "KC-204822" in visitor.say("wei@example.com")["text"]
    assert visitor.say("yes")["text"] == MOVED


def test_a_second_request_waits_until_the_first_is_done_and_is_then_taken_up(
    visitor: Visitor, database: Database
) -> None:
    both = visitor.say("Change the address of KC-204822 and where is my order KC-204817?")
    assert [part["kind"] for part in both["parts"]] == ["ask", "ask"]
    assert both["parts"][1]["text"] == phrase("action_waits", "en")
    visitor.say("Kade 5, Rotterdam")
    visitor.say("when do I get a refund?")
    visitor.say("wei@example.com")
    done = visitor.say("yes")
    assert [part["text"] for part in done["parts"]] == [MOVED, phrase("action_next", "en") + DELIVERED]
    change, status = NAMES[1], NAMES[0]
    kept = states(database)
    assert kept[:3] == [
        [(change, "asking", [status])], [(change, "asking", [status])], [(change, "paused", [status])],
    ]  # fmt: skip
    assert [(name, state) for name, state, _ in kept[-1]] == [(change, "done"), (status, "done")]
    assert visitor.say("yes")["kind"] != "approved"


def test_what_is_dropped_lets_the_next_one_begin(visitor: Visitor) -> None:
    visitor.say("Change the address of KC-204822. Also, where is my order?")
    after = visitor.say("never mind")
    assert [part["kind"] for part in after["parts"]] == ["ask", "approved"]
    assert "KC-204822" in after["parts"][1]["text"]  # the one order that was named in the message


def test_a_hand_over_tells_what_else_was_asked(visitor: Visitor) -> None:
    visitor.say("Please change the address and where is my order?")
    kinds = [visitor.say(text)["kind"] for text in ("hm", "the blue one")]
    last = visitor.say("whatever you say")
    assert (kinds, last["kind"]) == (["ask", "ask"], "person")
    assert last["text"].endswith(phrase("action_person_others", "en") + "“where is my order?”")


def test_a_yes_holds_for_the_order_that_was_asked_about_whatever_was_said_in_between(
    visitor: Visitor, database: Database
) -> None:
    to_be_confirmed(visitor)
    assert visitor.say("is the refund for KC-204830 there?")["text"].startswith("Within 3 days.")
    assert visitor.say("yes")["text"] == MOVED
    with database.read() as session:
        assert [call.outcome for call in session.scalars(select(ActionCall))] == ["done"]


def test_what_interrupts_a_confirmation_goes_first_and_the_question_comes_again(visitor: Visitor) -> None:
    to_be_confirmed(visitor)
    between = visitor.say("Where is my order KC-204817?")
    assert [part["text"] for part in between["parts"]] == [
        DELIVERED,
        phrase("action_next", "en") + "Shall I send order KC-204822 to Kade 5, Rotterdam? Yes or no.",
    ]
    assert visitor.say("yes")["text"] == MOVED


@pytest.mark.parametrize("pause", [[], ["when do I get a refund?"]])
def test_another_order_named_to_the_question_is_asked_about_anew(
    visitor: Visitor, database: Database, pause: list[str]
) -> None:
    to_be_confirmed(visitor)
    for text in pause:
        visitor.say(text)
    again = visitor.say("no wait, the address of KC-204830")
    assert again["text"] == "Shall I send order KC-204830 to Kade 5, Rotterdam? Yes or no."
    assert visitor.say("yes")["kind"] == "ask"  # it is not the one of wei@example.com
    with database.read() as session:
        assert [call.outcome for call in session.scalars(select(ActionCall))] == ["refused"]


def test_a_question_about_another_order_after_a_refused_proof_is_answered(visitor: Visitor) -> None:
    for text in ("change the address of KC-204822", "Kade 5", "mila@example.com"):
        visitor.say(text)
    assert visitor.say("yes")["kind"] == "ask"
    assert visitor.say("Where is my order KC-204830?")["kind"] == "approved"


def test_guessing_proofs_ends_with_a_person_and_closes_the_order_to_everybody(
    visitor: Visitor, client: FlaskClient, database: Database
) -> None:
    def guess(one: Visitor, emails: list[str]) -> list[str]:
        one.say("change the address of KC-204822")
        one.say("Kade 5")
        kinds = []
        for email in emails:
            reply = one.say(email)
            kinds.append(
                one.say("yes")["kind"] if "Yes or no" in reply.get("text", "") else reply.get("kind", "")
            )
        return kinds

    assert guess(visitor, ["a@example.com", "b@example.com", "c@example.com"])[-1] == "person"
    guess(Visitor(client), ["d@example.com", "e@example.com"])
    with database.read() as session:
        assert len(session.scalars(select(ActionCall)).all()) == GUESSES
    assert guess(Visitor(client), ["wei@example.com"])[-1] == "ask"  # right, and still closed
    with database.read() as session:
        last = session.scalars(select(ActionCall).order_by(ActionCall.id.desc())).first()
    assert last is not None and last.outcome == "refused" and last.attempts == 0


def test_a_service_that_is_down_leads_to_a_person_after_three_tries(
    client: FlaskClient, database: Database
) -> None:
    visitor = Visitor(client)
    kinds = [visitor.say("where is my order KC-204817?")["kind"] for _ in range(3)]
    assert kinds == ["unknown", "unknown", "person"]
    with database.read() as session:
        assert {call.attempts for call in session.scalars(select(ActionCall))} == {2}
        assert session.scalars(select(Conversation.state)).one() == "waiting"


def _breaks(orders: Flask, times: int) -> None:
    """The service is down for so many requests."""
    left = iter(range(times))
    orders.before_request_funcs[None].insert(
        0, lambda: ("down", 503) if next(left, None) is not None else None
    )


@pytest.mark.parametrize(
    ("asked", "again", "wanted"),
    [
        ("where is my order KC-204817?", "ok, try again please", "out for delivery"),
        ("订单 KC-204817 到哪了", "再试一次吧", "正在派送"),
    ],
)
def test_what_failed_is_tried_again_where_the_customer_writes_so(
    visitor: Visitor, orders: Flask, asked: str, again: str, wanted: str
) -> None:
    _breaks(orders, 2)  # one request and its second try
    assert visitor.say(asked)["kind"] == "unknown"
    assert wanted in visitor.say(again)["text"]
    assert wanted not in visitor.say(again).get("text", "")  # nothing has failed any more


def test_a_change_that_failed_keeps_its_details_and_is_confirmed_anew(
    visitor: Visitor, orders: Flask, database: Database
) -> None:
    _breaks(orders, 2)
    visitor.say("change the address of KC-204822")
    visitor.say("Kade 5, 3011 AB Rotterdam")
    visitor.say("wei@example.com")
    failed = visitor.say("yes")["parts"][0]
    question = "Shall I send order KC-204822 to Kade 5, 3011 AB Rotterdam? Yes or no."
    assert visitor.say(failed["choices"][0]["payload"])["text"] == question
    assert visitor.say("yes")["text"] == "Done: order KC-204822 goes to Kade 5, 3011 AB Rotterdam."
    with database.read() as session:
        assert [call.outcome for call in session.scalars(select(ActionCall))] == ["failed", "done"]


def test_the_demo_leaves_an_action_alone_that_was_given_another_address_or_name(
    bound: Settings, database: Database
) -> None:
    with database.write() as session:
        first, second = (session.scalars(select(Action).where(Action.name == name)).one() for name in NAMES)
        first.url, first.secret = "https://www.example.com/orders", "fda_own"
        second.name = "move_parcel"
    found = offer_orders(database, bound)
    with database.read() as session:
        kept = {row.name: (row.url, row.secret) for row in session.scalars(select(Action))}
    assert kept[NAMES[0]] == ("https://www.example.com/orders", "fda_own")
    assert set(kept) >= {NAMES[0], "move_parcel"} and NAMES[1] not in kept
    assert "fda_own" not in found.values()


# --- the pages and the API -----------------------------------------------------------------------------------


@pytest.fixture
def admin(signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    return signed_in("admin")


def post(client: FlaskClient, path: str, **form: Any) -> Any:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/account").text)
    assert token
    return client.post(path, data={"csrf_token": token[1]} | form)


FORM = {
    "name": "refund", "intent": "refund_time", "url": "https://93.184.215.14/refund", "seconds": "3", "enabled": "yes",
    "slot0_name": "order", "slot0_kind": "order", "slot0_ask_en": "Which order?",
    "proof": "answer", "accepts": ["email"], "path_email": "buyer.email", "template_en": "Refund of {amount}.",
}  # fmt: skip

CHANGE = {"changes": "yes", "slot1_name": "sure", "slot1_kind": "confirm", "slot1_ask_en": "Sure?"}


def test_an_admin_makes_an_action_and_its_secret_is_shown_once(
    admin: FlaskClient, database: Database
) -> None:
    made = post(admin, "/admin/actions/new", **FORM)
    assert made.status_code == 200
    with database.read() as session:
        row = session.scalars(select(Action).where(Action.name == "refund")).one()
    assert row.secret in made.text and row.approved_by_id is not None
    page = admin.get(f"/admin/actions/{row.id}")
    assert row.secret not in page.text and "buyer.email" in page.text
    assert row.secret not in admin.get("/admin/audit").text
    assert "refund" in admin.get("/admin/actions").text
    assert (
        post(admin, f"/admin/actions/{row.id}", **FORM | {"template_en": "{amount} back."}).status_code == 303
    )
    assert row.secret not in post(admin, f"/admin/actions/{row.id}/secret").text
    assert post(admin, f"/admin/actions/{row.id}/delete").status_code == 303
    assert admin.get(f"/admin/actions/{row.id}").status_code == 404


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"url": "http://127.0.0.1:9/x"}, "private network"),
        ({"url": "file:///etc/passwd"}, "http and https"),
        ({"template_en": "{amount"}, "no partner"),
        ({"template_en": ""}, "no words"),
        ({"path_email": ""}, "Where in the answer"),
        ({"changes": "yes"}, "must ask first"),
        (CHANGE, "needs a proof that the service checks"),
        (CHANGE | {"proof": "none"}, "needs a proof that the service checks"),
        ({"slot0_kind": "pattern", "slot0_pattern": "(a+)+"}, "repeats"),
        ({"seconds": "60"}, "time limit"),
        ({"intent": "order_status"}, "Another action"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_the_form_keeps_what_was_written(
    orders: Flask, admin: FlaskClient, change: dict[str, Any], value: str
) -> None:
    answer = post(admin, "/admin/actions/new", **FORM | change)
    assert answer.status_code in (409, 422)
    assert value in answer.text and 'value="Which order?"' in answer.text


def test_a_change_that_is_refused_stays_on_the_page_of_its_action(
    orders: Flask, admin: FlaskClient, database: Database
) -> None:
    post(admin, "/admin/actions/new", **FORM)
    with database.read() as session:
        row = session.scalars(select(Action).where(Action.name == "refund")).one()
    for change in (
        {"url": "file:///etc/passwd"},
        {"intent": "order_status"},
        {"slot0_name": "", "slot6_name": "Order!"},
    ):
        answer = post(admin, f"/admin/actions/{row.id}", **FORM | change)
        assert answer.status_code in (409, 422)
        assert f'action="/admin/actions/{row.id}"' in answer.text and 'role="alert"' in answer.text
    assert 'value="Order!"' in answer.text
    assert post(admin, "/admin/actions/99", **FORM).status_code == 404


def test_programs_make_change_and_delete_actions(client: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.add(Intent(name="refund_late", titles={"en": "x"}))
        _, key = create_key(session, name="ci", scopes=["actions"])
        _, other = create_key(session, name="ci", scopes=["knowledge:read"])
    body = {
        "intent": "refund_late", "url": "https://93.184.215.14/r", "templates": {"en": "{amount}"},
        "slots": [{"name": "order", "kind": "order"}],
    }  # fmt: skip
    send = {"headers": {"Authorization": f"Bearer {key}"}}
    made = client.put("/api/v1/actions/refund", json=body, **send)
    assert made.status_code == 201 and made.json is not None and made.json["secret"].startswith("fda_")
    again = client.put("/api/v1/actions/refund", json=body | {"enabled": False}, **send)
    assert again.status_code == 200 and again.json is not None and "secret" not in again.json
    listed = client.get("/api/v1/actions", **send).json
    assert listed is not None and [
        row["enabled"] for row in listed["actions"] if row["name"] == "refund"
    ] == [False]
    assert client.get("/api/v1/actions", headers={"Authorization": f"Bearer {other}"}).status_code == 403
    bad = client.put("/api/v1/actions/refund", json=body | {"url": "http://10.0.0.1/"}, **send)
    assert bad.status_code == 422
    assert client.delete("/api/v1/actions/refund", **send).status_code == 204
    assert client.delete("/api/v1/actions/refund", **send).status_code == 404


def test_the_order_service_answers_nobody_who_does_not_sign(orders: Flask) -> None:
    assert (
        orders.test_client().post("/orders/status", json={"slots": {"order": "KC204817"}}).status_code == 401
    )


def test_the_demo_carrier_brings_nothing_on_a_sunday() -> None:
    from datetime import date, timedelta

    from ingest.demo.orders import ORDERS, _carried

    monday = date(2026, 11, 30)
    for today in (monday + timedelta(days=passed) for passed in range(7)):
        moved = [
            _carried(today, days) for order in ORDERS for days in (order.dispatched, order.delivered) if days
        ]
        assert all(day.weekday() != 6 for day in moved)
