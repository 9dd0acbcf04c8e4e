"""Provisional intents on their page and by the API: checked before they are live, listed, withdrawn, brought back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatbot.dialogue.provisional import Taken, Trial
from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.records.api_keys import create_key
from chatbot.records.database import Database
from chatbot.records.intents import put_intent
from chatbot.records.tables import Example, Intent, Turn

FIVE = [
    "do you sell gift cards",
    "can i buy a gift card here",
    "gift card for a friend",
    "where do i get gift cards",
    "i would like a voucher as a present",
]
FORM = {
    "name": "gift_card",
    "lang": "en",
    "title": "Gift cards",
    "answer": "At every till.",
    "examples": "\n".join(FIVE),
}


class TakesTwo:
    def try_out(self, name: str, texts: Sequence[str], *, lang: str, frozen: int = 0) -> Trial:
        taken = (
            Taken("pay by gift card", "payment", 0.9),
            Taken("<b>my</b> gift card is empty", "payment", 0.7),
        )
        return Trial((0.9,) * len(texts), 300, taken if frozen else (), frozen)


class KnowsVouchers:
    def classify(self, text: str, **_: Any) -> Classification:
        return Classification((IntentGuess("discount", 0.99 if "voucher" in text else 0.01),), 1.0)


@pytest.fixture
def editor(app: Flask, assistant: Any, signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    assistant.provisional = TakesTwo()
    return signed_in("editor", "Mei")


def status(database: Database) -> str | None:
    with database.read() as session:
        intent = session.query(Intent).filter_by(name="gift_card").one_or_none()
        return intent.status if intent else None


def test_what_it_takes_is_shown_with_the_messages_before_it_is_live(
    editor: FlaskClient, database: Database
) -> None:
    page = editor.post("/admin/provisional/check", data=FORM).get_data(as_text=True)
    assert "takes 2 of 500 test messages" in page and "takes 2 from payment" in page
    assert "pay by gift card" in page and "&lt;b&gt;my&lt;/b&gt; gift card" in page
    assert "Make it live" in page and FIVE[0] in page
    assert status(database) is None
    assert editor.post("/admin/provisional", data=FORM).status_code == 303
    assert status(database) == "provisional"
    listed = editor.get("/admin/provisional").get_data(as_text=True)
    assert "2 from payment" in listed and "Gift cards" in listed and "5 en" in listed and "Mei" in listed


def test_a_doubtful_example_is_named_and_the_form_keeps_what_was_written(
    editor: FlaskClient, database: Database, assistant: Any
) -> None:
    assistant.classifier = KnowsVouchers()
    answer = editor.post("/admin/provisional/check", data=FORM)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "i would like a voucher as a present → discount (0.99)" in page and "left out" in page
    assert "Make it live" not in page and "At every till." in page
    refused = editor.post("/admin/provisional", data=FORM)
    assert refused.status_code == 422 and status(database) is None
    assert editor.post("/admin/provisional", data=FORM | {"insist": "yes"}).status_code == 303
    assert status(database) == "provisional"


def test_chinese_readers_read_what_is_wrong_in_chinese(editor: FlaskClient, assistant: Any) -> None:
    assistant.classifier = KnowsVouchers()
    page = editor.post("/admin/provisional/check", data=FORM, headers={"Accept-Language": "zh-CN"}).get_data(
        as_text=True
    )
    assert "线上版本确信这条例句问的是别的事" in page and "不采用" in page


def test_it_is_withdrawn_and_brought_back(editor: FlaskClient, database: Database) -> None:
    editor.post("/admin/provisional", data=FORM)
    assert editor.post("/admin/provisional/withdraw", data={"name": "gift_card"}).status_code == 303
    assert status(database) == "retired"
    assert editor.post("/admin/provisional/withdraw", data={"name": "gift_card"}).status_code == 404
    page = editor.get("/admin/provisional").get_data(as_text=True)
    assert "/admin/provisional/bring-back?name=gift_card" in page
    assert editor.post("/admin/provisional/bring-back?name=gift_card").status_code == 303
    assert status(database) == "provisional"
    assert editor.post("/admin/provisional/bring-back?name=gift_card").status_code == 404


def test_more_examples_keep_the_answer(editor: FlaskClient, database: Database) -> None:
    editor.post("/admin/provisional", data=FORM)
    page = editor.get("/admin/provisional/new?name=gift_card").get_data(as_text=True)
    assert "It has some already:" in page and "5 en" in page
    more = {"name": "gift_card", "lang": "en", "examples": "are gift cards sold online\n" + FIVE[0]}
    assert editor.post("/admin/provisional", data=more).status_code == 303
    with database.read() as session:
        assert session.query(Example).filter_by(status="accepted").count() == 6


def test_a_group_of_the_review_queue_fills_the_form(
    client: FlaskClient, editor: FlaskClient, database: Database
) -> None:
    started = client.post("/api/v1/conversations", json={}).get_json()
    client.post(
        f"/api/v1/conversations/{started['id']}/messages",
        json={"text": "do you sell  gift cards?"},
        headers={"Authorization": f"Bearer {started['token']}"},
    )
    with database.read() as session:
        ids = [turn.id for turn in session.query(Turn)]
        bots = [turn.text for turn in session.query(Turn).filter_by(role="bot")]
    page = editor.get(f"/admin/provisional/new?turns={','.join(map(str, ids))},x").get_data(as_text=True)
    assert ">do you sell gift cards?</textarea>" in page
    assert bots and not any(text in page for text in bots)


def test_viewers_read_and_change_nothing(
    app: Flask, assistant: Any, signed_in: Callable[..., FlaskClient]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    viewer = signed_in("viewer", "Ada")
    assert viewer.get("/admin/provisional").status_code == 200
    for path in ("/admin/provisional", "/admin/provisional/check", "/admin/provisional/withdraw"):
        assert viewer.post(path, data=FORM).status_code == 403


@pytest.fixture
def key(client: FlaskClient, database: Database, assistant: Any) -> dict[str, str]:
    assistant.provisional = TakesTwo()
    with database.write() as session:
        _, text = create_key(session, name="ci", scopes=["intents"])
    return {"Authorization": f"Bearer {text}"}


BODY = {"name": "gift_card", "examples": FIVE, "answers": {"en": "At every till."}, "lang": "en"}
API = "/api/v1/provisional-intents"


def test_programs_check_make_read_and_withdraw(
    client: FlaskClient, key: dict[str, str], database: Database
) -> None:
    checked = client.post(f"{API}/check", json=BODY, headers=key)
    assert checked.get_json()["takes"] == {"payment": 2} and status(database) is None
    assert client.post(API, json=BODY, headers=key).status_code == 201
    told = client.get(f"{API}/gift_card", headers=key).get_json()
    assert told["answers"] == {"en": "At every till."} and len(told["example_list"]) == 5
    assert (told["takes"], told["answers_in"]) == ({"payment": 2}, ["en"])
    one = told["example_list"][0]["id"]
    assert client.delete(f"{API}/gift_card/examples/{one}", headers=key).status_code == 204
    assert client.get(f"{API}/gift_card", headers=key).get_json()["answers_in"] == []
    assert client.delete(f"{API}/gift_card/examples/{one + 99}", headers=key).status_code == 404
    assert client.delete(f"{API}/gift_card", headers=key).status_code == 204
    assert client.get(API, headers=key).get_json() == {"intents": []}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"examples": FIVE[:4]}, 422, "examples"),
        ({"examples": [*FIVE[:4], "Do you sell gift cards?!"]}, 422, "examples"),
        ({"examples": [*FIVE, "😀"]}, 422, "examples"),
        ({"answers": {}}, 422, "answers"),
        ({"name": "refund"}, 409, "name"),
    ],
)
def test_what_cannot_be_made_is_said_in_the_shape_of_all_errors(
    client: FlaskClient,
    key: dict[str, str],
    database: Database,
    change: dict[str, Any],
    code: int,
    field: str,
) -> None:
    with database.write() as session:
        put_intent(session, "refund")
    answer = client.post(API, json=BODY | change, headers=key)
    assert answer.status_code == code
    error = answer.get_json()["error"]
    assert error["field"] == field and error["remedy"]
    assert status(database) is None


def test_a_key_for_other_things_opens_nothing(client: FlaskClient, database: Database) -> None:
    with database.write() as session:
        _, text = create_key(session, name="ci", scopes=["examples"])
    for method, path in (("get", API), ("post", API), ("post", f"{API}/check"), ("delete", f"{API}/x")):
        answer = getattr(client, method)(path, headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 403, path
