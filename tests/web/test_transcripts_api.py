"""A finished conversation comes in signed, is redacted and stored once, and anything else is refused by name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from chatbot.records.database import Database
from chatbot.records.tables import Example, Transcript
from chatbot.settings import Settings
from chatbot.signatures import WINDOW, signature
from web.context import EXTENSION, Parts

SECRET = "a shared secret of more than 32 characters"
FINISHED = {
    "id": "c-1",
    "intent": "refund_time",
    "turns": [
        {"role": "customer", "text": "When do I get my refund? Write to jane.roe@example.com please."},
        {"role": "agent", "text": "It arrives within three working days."},
    ],
}


@pytest.fixture
def settings(settings: Settings) -> Iterator[Settings]:
    yield settings.model_copy(update={"transcripts_secret": SECRET})


def hand_in(
    client: FlaskClient, body: Any, *, address: str = "", at: float | None = None, **headers: str
) -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = signature(SECRET, raw, at=int(time.time() if at is None else at))
    return client.post(
        f"/api/v1/transcripts{address}",
        data=raw,
        headers={"Frontdesk-Signature": signed, "Content-Type": "application/json"} | headers,
    )


def test_it_is_redacted_and_stored_once(client: FlaskClient, database: Database) -> None:
    first = hand_in(client, FINISHED)
    assert (first.status_code, first.json) == (
        201,
        {"state": "stored", "reason": "", "examples": 1, "intent": "refund_time"},
    )
    again = hand_in(client, FINISHED | {"id": "other"})
    assert (again.status_code, again.json["state"]) == (200, "known")  # type: ignore[index]
    with database.read() as session:
        rows = session.scalars(select(Transcript)).all()
        example = session.scalars(select(Example)).one()
    assert len(rows) == 1
    assert "[EMAIL]" in example.text
    assert "jane" not in json.dumps(rows[0].turns)


def test_other_systems_shapes_are_read(client: FlaskClient) -> None:
    ticket = {
        "id": 7,
        "requester_id": 1,
        "comments": [
            {"author_id": 1, "plain_body": "Where is my parcel with the two books?"},
            {"author_id": 2, "plain_body": "It left our house yesterday."},
        ],
    }
    assert hand_in(client, ticket, address="?format=helpdesk").json["examples"] == 1  # type: ignore[index]
    greeting = {"id": "x", "turns": [{"role": "customer", "text": "hello"}]}
    assert hand_in(client, greeting).json == {  # type: ignore[comparison-overlap]
        "state": "dropped",
        "reason": "only_small_talk",
        "examples": 0,
        "intent": None,
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Frontdesk-Signature": ""}, "not signed"),
        ({"Frontdesk-Signature": f"t=NOW,v1={'0' * 64}"}, "does not fit"),
        ({"Frontdesk-Signature": "t=99999999999999999,v1=zz"}, "not signed"),
    ],
)
def test_what_is_not_signed_by_the_secret_is_refused(
    client: FlaskClient, database: Database, changed: dict[str, str], message: str
) -> None:
    signed = {name: value.replace("NOW", str(int(time.time()))) for name, value in changed.items()}
    refused = hand_in(client, FINISHED, **signed)
    assert refused.status_code == 401
    assert message in refused.json["error"]["message"]  # type: ignore[index]
    with database.read() as session:
        assert session.scalars(select(Transcript)).all() == []


@pytest.mark.parametrize("off", [-WINDOW - 5, WINDOW + 5])
def test_a_recorded_request_is_worth_nothing_after_the_window(client: FlaskClient, off: int) -> None:
    assert hand_in(client, FINISHED, at=time.time() + off).status_code == 401
    assert hand_in(client, FINISHED, at=time.time() + off * 0.9).status_code == 201


def test_a_body_that_was_changed_on_the_way_is_refused(client: FlaskClient) -> None:
    raw = json.dumps(FINISHED).encode()
    signed = signature(SECRET, raw, at=int(time.time()))
    refused = client.post(
        "/api/v1/transcripts",
        data=raw.replace(b"three", b"seven"),
        headers={"Frontdesk-Signature": signed, "Content-Type": "application/json"},
    )
    assert refused.status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"[]", 400), (b"{", 400), (b'{"a": 1}', 422), (b'{"turns": 5}', 422), (b'{"turns": []}', 422)],
)
def test_what_is_no_conversation_is_refused_in_the_one_error_shape(
    client: FlaskClient, body: bytes, status: int
) -> None:
    refused = hand_in(client, body)
    assert refused.status_code == status
    assert refused.json["error"]["code"]  # type: ignore[index]


def test_without_a_secret_there_is_no_such_door(app: Flask, client: FlaskClient) -> None:
    found: Parts = app.extensions[EXTENSION]
    for secret in ("", "short"):
        object.__setattr__(
            found, "settings", found.settings.model_copy(update={"transcripts_secret": secret})
        )
        assert hand_in(client, FINISHED).status_code == 404
