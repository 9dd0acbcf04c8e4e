"""The page of one answer: which words decided, what another release would say, and what the question teaches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.dialogue.provisional import NearIntent
from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference.attribution import WordWeight, weigh_words
from chatbot.learning.replay import replay_turn
from chatbot.records.database import Database
from chatbot.records.intents import put_intent
from chatbot.records.tables import Example, Job, Release, Turn
from chatbot.settings import Settings


class SeesRefunds:
    """0.9 with the word "refund", 0.3 without it; "order" speaks against it."""

    def classify(self, text: str, **_: Any) -> Classification:
        sure = (0.9 if "refund" in text else 0.3) - (0.1 if "order" in text else 0.0)
        return Classification((IntentGuess("refund_time", sure), IntentGuess("track", 1 - sure)), 1.0)

    def classify_without(
        self, text: str, without: Sequence[str], **_: Any
    ) -> tuple[Classification, list[Classification]]:
        return self.classify(text), [self.classify(one) for one in without]


@pytest.fixture
def editor(app: Flask, database: Database, signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    with database.write() as session:
        put_intent(session, "refund_time", titles={"en": "Refund time"})
    return signed_in("editor", "Mei")


@pytest.fixture
def answer(client: FlaskClient, assistant: Any) -> int:
    """The bot's turn."""
    assistant.classifier = SeesRefunds()
    started = client.post("/api/v1/conversations", json={}).get_json()
    said = client.post(
        f"/api/v1/conversations/{started['id']}/messages",
        json={"text": "<b>my</b> refund for an order?"},
        headers={"Authorization": f"Bearer {started['token']}"},
    ).get_json()
    return int(said["turn_id"])


class ClaimsRefunds:
    """A provisional intent that goes by the word "order"."""

    def near(self, text: str, *, lang: str) -> list[NearIntent]:
        return [NearIntent("gift_card", 0.7, (("order a gift card", 0.8),))]

    def weigh(self, text: str, intent: str, *, lang: str) -> tuple[WordWeight, ...]:
        return weigh_words(text, lambda texts: [0.7 * ("order" in one) for one in texts], pieces=9)


def test_the_words_that_decided_for_a_provisional_intent_are_marked_by_themselves(
    editor: FlaskClient, answer: int, assistant: Any
) -> None:
    assistant.provisional = ClaimsRefunds()
    piece = editor.get(f"/admin/turns/{answer}/words").get_data(as_text=True)
    own, release = piece.split("The words that decided for “Refund time”")
    assert "The words that decided for “gift_card”" in own
    assert re.search(r'<mark class="for5" title="\+70 %">order\?</mark>', own) and "<mark" in release
    assert "&lt;b&gt;my&lt;/b&gt;" in own  # nothing of it is lost, and nothing is markup
    told = editor.get(f"/admin/turns/{answer}/words", headers={"Accept": "application/json"}).get_json()
    words = {word["text"]: word["weight"] for word in told["parts"][0]["provisional"]["words"]}
    assert words["order?"] == pytest.approx(0.7) and words["refund"] == 0


def test_the_words_that_decided_are_marked_by_what_they_did(editor: FlaskClient, answer: int) -> None:
    page = editor.get(f"/admin/turns/{answer}").get_data(as_text=True)
    assert "The words that decided for “Refund time”" in page
    assert re.search(r'<mark class="for5" title="\+60 %">refund</mark>', page)
    assert re.search(r'<mark class="against1" title="-10 %">order\?</mark>', page)
    assert "&lt;b&gt;my&lt;/b&gt;" in page
    told = editor.get(f"/admin/turns/{answer}/words", headers={"Accept": "application/json"}).get_json()
    weights = {word["text"]: word["weight"] for word in told["parts"][0]["explanation"]["words"]}
    assert weights["refund"] == pytest.approx(0.6)
    assert told["release"] == "r-test"
    piece = editor.get(f"/admin/turns/{answer}/words").get_data(as_text=True)
    assert "<mark" in piece and "<html" not in piece


def test_a_customers_turn_has_no_page_of_its_own(
    editor: FlaskClient, answer: int, database: Database
) -> None:
    with database.read() as session:
        asked = session.get_one(Turn, answer).reply_to_id
    assert editor.get(f"/admin/turns/{asked}").status_code == 404
    assert editor.get("/admin/turns/99999/words").status_code == 404


def test_a_question_marked_as_meaning_something_else_is_an_example_until_it_is_taken_back(
    editor: FlaskClient, answer: int, database: Database
) -> None:
    with database.read() as session:
        asked = session.get_one(Turn, answer).reply_to_id
        conversation = session.get_one(Turn, answer).conversation_id
    form = {"turns": str(asked), "action": "label", "intent": "order_status", "back": str(answer)}
    done = editor.post("/admin/review", data=form)
    assert done.headers["Location"].endswith(f"/admin/turns/{answer}")
    with database.read() as session:
        example = session.scalars(select(Example).where(Example.turn_id == asked)).one()
        assert (example.status, example.source, example.intent_id is None) == ("accepted", "live", False)
    for path in (f"/admin/turns/{answer}", f"/admin/conversations/{conversation}"):
        page = editor.get(path).get_data(as_text=True)
        assert "order_status" in page and "Mei" in page
    assert editor.post(f"/admin/turns/{answer}/reopen").status_code == 303
    assert editor.post(f"/admin/turns/{answer}/reopen").status_code == 404
    with database.read() as session:
        example = session.scalars(select(Example).where(Example.turn_id == asked)).one()
        assert (example.status, example.intent_id, example.labelled_by_id) == ("unreviewed", None, None)


def test_another_release_is_asked_the_same_and_both_answers_stand_side_by_side(
    editor: FlaskClient, answer: int, database: Database, settings: Settings, assistant: Any
) -> None:
    with database.write() as session:
        session.add(Release(id="r9", snapshot="s"))
        asked = session.get_one(Turn, answer).reply_to_id
    assert editor.post(f"/admin/turns/{answer}/replay", data={"release": "r9"}).status_code == 303
    with database.read() as session:
        job = session.scalars(select(Job).where(Job.kind == "replay")).one()
    assert job.arguments == {"release_id": "r9", "turn_id": asked, "answer_id": answer}
    same = replay_turn(database, settings, asked, "r9", load=lambda *_: assistant)
    assert not same.changed
    assistant._part = lambda text: type(assistant)._part(assistant, "xyzzy")
    other = replay_turn(database, settings, asked, "r9", load=lambda *_: assistant)
    assert (other.changed, other.before["kind"], other.after["kind"]) == (True, "passage", "unknown")
    page = editor.get(f"/admin/turns/{answer}").get_data(as_text=True)
    assert "another answer" in page and "not sure I know the answer" in page


def test_what_an_action_answered_is_shown_beside_the_other_and_not_called_another(
    editor: FlaskClient, answer: int, database: Database, settings: Settings, assistant: Any
) -> None:
    with database.write() as session:
        session.add(Release(id="r9", snapshot="s"))
        turn = session.get_one(Turn, answer)
        asked = turn.reply_to_id
        assert asked is not None and turn.trace is not None
        parts = [{**part, "rule": "action_ask"} for part in turn.trace["parts"]]
        turn.trace = {**turn.trace, "parts": parts}
    assistant._part = lambda text: type(assistant)._part(assistant, "xyzzy")
    found = replay_turn(database, settings, asked, "r9", load=lambda *_: assistant)
    assert (found.changed, found.left_out) == (False, True)
    page = editor.get(f"/admin/turns/{answer}").get_data(as_text=True)
    assert "not compared" in page and "A replay carries out no action" in page
    assert "another answer" not in page and "the same answer" not in page
