"""The examples of the API's description: every operation has one, which is sent as it stands and answered as it says.

Only what the running installation makes up is filled in: ids, tokens, keys, and the signature of a body.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3 import APIBlueprint

from chatbot.dialogue.provisional import Taken, Trial
from chatbot.records import actions, deliveries, example_changes
from chatbot.records.api_keys import SCOPES, create_key
from chatbot.records.database import Database
from chatbot.records.example_changes import Decider
from chatbot.records.intents import put_intent
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import Conversation, Example, Person, Site, Turn, Visitor, utcnow
from chatbot.settings import Settings
from chatbot.signatures import signature
from web.api.description import samples

SITE_SECRET = "fds_of-the-example"
TRANSCRIPTS_SECRET = "a secret of the installation of 32+ characters"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24
ACTION = actions.Draft(
    name="order_status",
    intent="order_status",
    url="https://www.example.com/api/orders/status",
    slots=[{"name": "order", "kind": "order", "ask": {"en": "Which order?"}}],
    templates={"en": "Your order {order} is {status}."},
    proof={},
)


@dataclass
class World:
    """An installation in which every example finds what it speaks of."""

    client: FlaskClient
    database: Database
    token: dict[str, str] = field(default_factory=dict)
    key: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)  # what names in its address stand for here

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        address = f"/api/v1/conversations/{self.values['conversation_id']}{path}"
        answer = self.client.post(address, json=body, headers=self.token, **more)
        assert answer.status_code < 300, answer.text
        return answer.get_json()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"transcripts_secret": TRANSCRIPTS_SECRET})


class TakesOne:
    """The provisional intents of a release on which a new one takes one message."""

    def try_out(self, name: str, texts: Sequence[str], *, lang: str, frozen: int = 0) -> Trial:
        taken = (Taken("can i pay with a gift card", "payment", 0.81),)
        return Trial((0.9,) * len(texts), 300, taken if frozen else (), frozen)


@pytest.fixture
def world(app: Flask, database: Database, assistant: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    assistant.provisional = TakesOne()
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: found)
    with database.write() as session:
        session.query(Site).one().identity_secret = SITE_SECRET
        for name in ("refund_time", "order_status"):
            put_intent(session, name)
        put_article(
            session,
            ArticleDraft(
                "refunds",
                "en",
                "Refunds",
                "Refunds arrive within 3 working days.",
                (PassageDraft("Refunds", "Refunds arrive within 3 working days."),),
                source="help.md",
            ),
        )
        mei = Person(email="mei@shop.example", name="Mei", password_hash="x", role="agent")
        session.add(mei)
        session.flush()
        _, text = create_key(session, name="examples", scopes=SCOPES, created_by_id=mei.id)
        for number, said in ((12, "When does my money come back?"), (13, "How long for a refund?")):
            session.add(
                Example(
                    id=number,
                    text=said,
                    lang="en",
                    source="live",
                    status="accepted",
                    content_hash=str(number),
                    group_key=str(number),
                    out_of_scope=True,
                )
            )
        session.flush()
        change = example_changes.relabel(session, [12], intent="order_status", by=Decider(mei.id))
        actions.save(session, ACTION, person_id=mei.id)
        hook = deliveries.add_webhook(session, url="https://www.example.com/hook", events=["message"])
    world = World(app.test_client(), database, key={"Authorization": f"Bearer {text}"})
    started = world.client.post(
        "/api/v1/conversations", json={"page": "https://shop.example/help"}
    ).get_json()
    world.token = {"Authorization": f"Bearer {started['token']}"}
    world.values = {"conversation_id": started["id"], "change": change.entry, "webhook_id": hook.id}
    sent = world.post("/messages", {"text": "When does my refund arrive?"})
    photo = world.client.post(
        f"/api/v1/conversations/{started['id']}/files",
        data={"file": (io.BytesIO(PNG), "photo.png")},
        headers=world.token,
    ).get_json()
    world.post("/messages", {"text": "Here is a photo of my refund", "files": [photo["id"]]})
    world.values |= {"turn_id": sent["turn_id"], "file_id": photo["id"], "name": "order_status"}
    with database.write() as session:
        visitor = session.query(Visitor).one()
        visitor.created_at = utcnow() - timedelta(days=3)
        world.values["visitor_id"] = visitor.id
    return world


def delete_the_action(world: World) -> None:
    world.client.delete("/api/v1/actions/order_status", headers=world.key)


def hand_over(world: World) -> None:
    world.post("/handover", {})


def hand_over_and_answer(world: World) -> None:
    """The end of it too: a stream of events ends by itself once the bot has the conversation again."""
    hand_over(world)
    address = f"/api/v1/inbox/conversations/{world.values['conversation_id']}"
    reply = {"text": "Let me look.", "message_id": "1"}
    written = world.client.post(f"{address}/replies", json=reply, headers=world.key)
    world.values["after"] = written.get_json()["turn_id"] - 1
    assert (
        world.client.post(f"{address}/close", json={"outcome": "solved"}, headers=world.key).status_code
        == 200
    )


def upload_a_photo(world: World) -> None:
    """The reply of the example speaks of it."""
    address = f"/api/v1/inbox/conversations/{world.values['conversation_id']}/files"
    photo = world.client.post(address, data={"file": (io.BytesIO(PNG), "photo.png")}, headers=world.key)
    world.values["files"] = [photo.get_json()["id"]]


def six_days_pass(world: World) -> None:
    """The first day of the figures is one on which something happened."""
    with world.database.write() as session:
        for table in (Turn, Conversation):
            for row in session.query(table).all():
                row.created_at -= timedelta(days=6)


def make_provisional(world: World) -> None:
    body = samples()["POST /api/v1/provisional-intents"]["body"]
    made = world.client.post("/api/v1/provisional-intents", json=body, headers=world.key)
    assert made.status_code == 201, made.text
    told = world.client.get("/api/v1/provisional-intents/gift_card", headers=world.key).get_json()
    world.values |= {"name": "gift_card", "example": told["example_list"][0]["id"]}


def delete_an_article(world: World) -> None:
    gone = world.client.delete("/api/v1/articles/en/refunds", headers=world.key)
    world.values["change"] = gone.get_json()["change"]


BEFORE: dict[str, Callable[[World], None]] = {  # what an example needs to have happened
    "PUT /api/v1/actions/{name}": delete_the_action,
    "POST /api/v1/conversations/{conversation_id}/resume": hand_over,
    "POST /api/v1/inbox/conversations/{conversation_id}/replies": upload_a_photo,
    "POST /api/v1/articles/changes/{change}/undo": delete_an_article,
    "GET /api/v1/statistics": six_days_pass,
    "GET /api/v1/conversations/{conversation_id}/events": hand_over_and_answer,
    "GET /api/v1/provisional-intents": make_provisional,
    "GET /api/v1/provisional-intents/{name}": make_provisional,
    "POST /api/v1/provisional-intents/{name}/examples": make_provisional,
    "DELETE /api/v1/provisional-intents/{name}/examples/{example}": make_provisional,
    "DELETE /api/v1/provisional-intents/{name}": make_provisional,
}


def send(world: World, name: str, sample: Any, security: set[str]) -> Any:
    method, _, path = name.partition(" ")
    query = {part: world.values.get(part, value) for part, value in sample.get("query", {}).items()}
    path = path.format(
        **{part: world.values.get(part, value) for part, value in sample.get("path", {}).items()}
    )
    headers = dict(sample.get("headers", {}))
    headers |= world.key if "api_key" in security else world.token if security else {}
    if "file" in sample:
        body: dict[str, Any] = {
            "data": sample.get("form", {}) | {"file": (io.BytesIO(PNG), sample["file"])},
            "content_type": "multipart/form-data",
        }
    elif "body" in sample:
        uploaded = {name: world.values[name] for name in ("files",) if name in sample["body"]}
        raw = json.dumps(sample["body"] | uploaded).encode()
        body = {"data": raw, "content_type": "application/json"}
        if path.endswith("/transcripts"):
            headers["Frontdesk-Signature"] = signature(TRANSCRIPTS_SECRET, raw, at=int(time.time()))
    else:
        body = {}
    return world.client.open(path, method=method, query_string=query, headers=headers, **body)


def differences(told: Any, real: Any, where: str = "answer") -> list[str]:
    """Where an example of an answer has another shape than the answer that came: names, kinds of values, null."""
    if isinstance(told, bool) or isinstance(real, bool):
        return [] if isinstance(told, bool) and isinstance(real, bool) else [where]
    if isinstance(told, int | float) and isinstance(real, int | float):
        return []
    if type(told) is not type(real):
        return [f"{where}: {told!r} is told, {real!r} came"]
    if isinstance(told, dict):
        found = [f"{where}.{name}" for name in sorted(told.keys() ^ real.keys())]
        return found + [
            line
            for name in told.keys() & real.keys()
            for line in differences(told[name], real[name], f"{where}.{name}")
        ]
    if isinstance(told, list):
        if bool(told) != bool(real):
            return [f"{where}: {len(told)} rows are told, {len(real)} came"]
        return differences(told[0], real[0], f"{where}[0]") if told else []
    return []


def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return found


def operations(app: Flask) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, found in document(app)["paths"].items()
        for method, operation in found.items()
    }


def test_every_operation_has_an_example_and_no_example_is_of_none(app: Flask) -> None:
    assert set(operations(app)) - set(samples()) == set()
    assert set(samples()) - set(operations(app)) == set()


def test_every_route_of_the_api_is_described(app: Flask) -> None:
    """Also where two modules answer under one address."""
    described = set(operations(app))
    served = set()
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints.get(rule.endpoint.partition(".")[0])
        if isinstance(blueprint, APIBlueprint):
            path = rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}")
            served |= {f"{method} {path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert served == described


def test_no_two_schemas_of_the_description_share_a_name(app: Flask) -> None:
    """The later one would stand for both."""
    known: dict[str, Any] = {}
    for blueprint in app.blueprints.values():
        if isinstance(blueprint, APIBlueprint):
            for name, schema in blueprint.components_schemas.items():
                assert known.setdefault(name, schema) == schema, name
    assert len(known) > 30


@pytest.mark.parametrize("name", sorted(samples()))
def test_an_example_is_answered_as_it_says(name: str, app: Flask, world: World) -> None:
    operation = operations(app)[name]
    sample = samples()[name]
    security = {scheme for entry in operation.get("security", []) for scheme in entry}
    BEFORE.get(name, lambda world: None)(world)
    answer = send(world, name, sample, security)
    assert answer.status_code == sample["status"], answer.text
    assert str(answer.status_code) in operation["responses"]
    told = sample.get("answer")
    if isinstance(told, str):
        assert answer.mimetype == "text/event-stream"

        def heads(text: str) -> list[str]:
            return [line for line in text.splitlines() if line.startswith(("event:", "retry:"))]

        assert heads(told) and heads(answer.text) == heads(told)
    elif told is not None:
        assert differences(told, answer.get_json()) == []
    else:
        assert not answer.is_json


@pytest.mark.parametrize("name", sorted(samples()))
def test_an_example_stands_in_the_description_where_tools_look_for_it(name: str, app: Flask) -> None:
    operation, sample = operations(app)[name], samples()[name]
    named = {part["name"]: part.get("example") for part in operation.get("parameters", [])}
    for given in (sample.get("path", {}), sample.get("query", {})):
        assert {part: named[part] for part in given} == given
    if "body" in sample:
        assert operation["requestBody"]["content"]["application/json"]["example"] == sample["body"]
    answered = operation["responses"][str(sample["status"])]
    if isinstance(sample.get("answer"), dict | list):
        assert answered["content"]["application/json"]["example"] == sample["answer"]
    [shell] = operation["x-codeSamples"]
    assert shell["source"].startswith("curl ") and "{" not in shell["source"].partition(" -d ")[0]
    assert ("Bearer" in shell["source"]) == bool(operation.get("security"))


def test_the_signed_visitor_of_the_examples_is_signed_with_the_secret_of_the_examples() -> None:
    for name in ("POST /api/v1/conversations/{conversation_id}/identify", "POST /api/v1/conversations"):
        identity = samples()[name]["body"]["identity"]
        made = hmac.new(SITE_SECRET.encode(), identity["id"].encode(), hashlib.sha256).hexdigest()
        assert identity["hmac"] == made


def test_differences_are_found() -> None:
    told = {"a": 1, "b": [{"c": None}], "d": "x", "e": True}
    assert differences(told, {"a": 2.5, "b": [{"c": None}, {}], "d": "y", "e": False}) == []
    for name, other in (("a", "1"), ("b", []), ("b", [{"c": 1}]), ("d", None), ("e", 1)):
        assert differences(told, told | {name: other}), name
    assert differences(told, {"a": 1}) and differences({"a": 1}, told)
