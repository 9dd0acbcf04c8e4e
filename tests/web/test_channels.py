"""Other people's chat windows, keys for programs, lists page by page, and the API's own examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records.api_keys import create_key, revoke_key
from chatbot.records.database import Database
from chatbot.records.tables import ApiKey, Article, Conversation, Site, Turn
from web.api.models import Body

RASA = "/webhooks/rest/webhook"
DEEP = "/webhooks/deep-chat"
Headers = dict[str, str]


@pytest.fixture
def key(database: Database) -> Callable[..., Headers]:
    def make(*scopes: str) -> Headers:
        with database.write() as session:
            _, text = create_key(session, name="shop", scopes=scopes or ("chat",))
        return {"Authorization": f"Bearer {text}"}

    return make


def rasa(client: FlaskClient, headers: Headers, message: str, sender: str = "v-1", **more: Any) -> Any:
    return client.post(RASA, json={"sender": sender, "message": message, **more}, headers=headers)


# --- Rasa ------------------------------------------------------------------------------------------------


def test_a_chat_window_made_for_rasa_talks_to_the_bot_unchanged(client: FlaskClient, key: Any) -> None:
    assert client.get("/webhooks/rest/").get_json() == {"status": "ok"}
    (answer,) = rasa(client, key(), "refund?").get_json()
    assert answer["recipient_id"] == "v-1"
    assert "refunds arrive within 3 working days" in answer["text"]
    assert answer["custom"]["kind"] == "passage"


def test_clients_that_name_no_site_go_on_at_the_first_when_another_is_added(
    client: FlaskClient, key: Any, database: Database
) -> None:
    headers = key()
    rasa(client, headers, "one")
    with database.write() as session:
        session.add(Site(key="another", name="Another", allowed_origins=[], options={}))
    deep = {"messages": [{"role": "user", "text": "three"}], "sender": "v-1"}
    assert rasa(client, headers, "two").status_code == 200
    assert client.post(DEEP, json=deep, headers=headers).status_code == 200
    assert client.post("/api/v1/conversations", json={"locale": "en"}).status_code == 201
    assert client.get("/api/v1/hours").status_code == 200
    assert client.post(DEEP, json=deep | {"site": "another"}, headers=headers).status_code == 200
    with database.read() as session:
        told = session.execute(
            select(Conversation.channel, Site.key)
            .join(Site, Site.id == Conversation.site_id)
            .order_by(Conversation.id)
        ).all()
    assert [tuple(row) for row in told] == [
        ("rasa", "default"),  # the one that it had before
        ("deep-chat", "default"),
        ("api", "default"),
        ("deep-chat", "another"),
    ]


def test_a_sender_has_one_conversation_and_another_one_another(
    client: FlaskClient, key: Any, assistant: Any, database: Database
) -> None:
    headers = key()
    rasa(client, headers, "one")
    rasa(client, headers, "two")
    rasa(client, headers, "three", sender="v-2")
    assert [len(history) for _, history, _ in assistant.calls] == [0, 2, 0]
    with database.read() as session:
        assert session.scalars(select(Conversation.channel)).all() == ["rasa", "rasa"]


def test_a_tapped_button_comes_back_as_its_payload_in_our_words_or_in_rasas(
    client: FlaskClient, key: Any, assistant: Any
) -> None:
    headers = key()
    (answer,) = rasa(client, headers, "which one?").get_json()
    assert answer["buttons"][0] == {"title": "Refund time", "payload": "/intent refund_time"}
    rasa(client, headers, answer["buttons"][0]["payload"])
    rasa(client, headers, '/refund_time{"order": "1"}')
    assert [text for text, _, _ in assistant.calls][1:] == ["/intent refund_time", "/intent refund_time"]


def test_streamed_messages_are_a_line_each(client: FlaskClient, key: Any) -> None:
    response = client.post(f"{RASA}?stream=true", json={"sender": "v", "message": "refund?"}, headers=key())
    assert response.mimetype == "application/x-ndjson"
    lines = response.get_data(as_text=True).splitlines()
    assert [json.loads(line)["recipient_id"] for line in lines] == ["v"]


def test_while_a_person_is_on_it_the_bot_says_nothing_and_his_words_are_passed_on(
    client: FlaskClient, key: Any, database: Database
) -> None:
    headers = key()
    rasa(client, headers, "a person please")
    with database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        assert conversation.state == "waiting"
        conversation.state = "human"
    assert rasa(client, headers, "hello?").get_json() == []
    with database.write() as session:
        session.add(Turn(conversation_id=conversation.id, role="agent", text="Mei here"))
    told = rasa(client, headers, "ah")
    assert told.get_json() == [{"recipient_id": "v-1", "text": "Mei here"}]
    assert rasa(client, headers, "thanks").get_json() == []


def test_a_senders_conversation_opens_to_no_token(client: FlaskClient, key: Any, database: Database) -> None:
    rasa(client, key(), "refund?")
    with database.read() as session:
        public_id = session.scalars(select(Conversation.public_id)).one()
    for token in ("", "v-1", public_id):
        answer = client.get(
            f"/api/v1/conversations/{public_id}/messages", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 401


# --- deep-chat -------------------------------------------------------------------------------------------


def test_deep_chat_gets_a_text_with_its_sources_as_links(client: FlaskClient, key: Any) -> None:
    body = {"messages": [{"role": "user", "text": "refund?"}], "sender": "v-1"}
    answer = client.post(DEEP, json=body, headers=key()).get_json()
    assert set(answer) == {"text"}
    assert answer["text"].endswith("[Refunds](https://shop.example/help/refunds)")


def test_deep_chat_streams_data_lines_that_make_up_the_text(client: FlaskClient, key: Any) -> None:
    headers = key()
    body = {"messages": [{"role": "user", "text": "refund?"}], "sender": "v-1"}
    whole = client.post(DEEP, json=body, headers=headers).get_json()["text"]
    streamed = client.post(DEEP, json=body, headers=headers | {"Accept": "text/event-stream"})
    blocks = streamed.get_data(as_text=True).strip().split("\n\n")
    assert "".join(json.loads(block.removeprefix("data: "))["text"] for block in blocks) == whole


def test_deep_chat_shows_errors_in_words(client: FlaskClient, key: Any) -> None:
    for body, headers, status in (
        ({"messages": [{"role": "user", "text": "x"}]}, {}, 401),
        ({"messages": [{"role": "user"}]}, key(), 422),
    ):
        answer = client.post(DEEP, json=body, headers=headers)
        assert answer.status_code == status
        assert isinstance(answer.get_json()["error"], str)


# --- who may ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "body"), [(RASA, {"message": "x"}), (DEEP, {"messages": [{"text": "x"}]})])
def test_a_channel_wants_a_key_unless_the_site_opens_it(
    client: FlaskClient, key: Any, database: Database, path: str, body: Any
) -> None:
    assert client.post(path, json=body).status_code == 401
    assert client.post(path, json=body, headers={"Authorization": "Bearer fdk_wrong"}).status_code == 401
    assert client.post(path, json=body, headers=key("conversations:read")).status_code == 403
    with database.write() as session:
        session.scalars(select(Site)).one().options = {"widget": {"open_channels": True}}
    assert client.post(path, json=body).status_code == 200
    foreign = {"Origin": "https://evil.example"}
    assert client.post(path, json=body, headers=foreign).status_code == 403


def test_a_key_is_kept_as_a_hash_notes_its_use_and_ends_at_once(
    client: FlaskClient, database: Database
) -> None:
    with database.write() as session:
        row, text = create_key(session, name="shop", scopes=["chat"])
    headers = {"Authorization": f"Bearer {text}"}
    assert rasa(client, headers, "x").status_code == 200
    with database.write() as session:
        kept = session.get_one(ApiKey, row.id)
        assert text not in (kept.key_hash, kept.prefix)
        assert kept.last_used_at is not None
        revoke_key(session, row.id)
    refused = rasa(client, headers, "x")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (401, "wrong_key")


# --- lists -----------------------------------------------------------------------------------------------


def test_conversations_are_listed_newest_first_page_by_page_each_once(client: FlaskClient, key: Any) -> None:
    ids = [client.post("/api/v1/conversations", json={}).get_json()["id"] for _ in range(5)]
    headers = key("conversations:read")
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = client.get(f"/api/v1/conversations?limit=2&cursor={cursor}", headers=headers).get_json()
        found += [row["id"] for row in page["conversations"]]
        if len(found) == 2:  # somebody comes in between: nothing is doubled
            client.post("/api/v1/conversations", json={})
        cursor = page["next_cursor"]
    assert found == ids[::-1]
    none = client.get("/api/v1/conversations?state=human", headers=headers).get_json()
    assert none == {"conversations": [], "next_cursor": None}


@pytest.mark.parametrize("cursor", ["x", "MTo", "Mjox", "MTotMQ", "é"])
def test_a_cursor_of_somebody_elses_is_refused(client: FlaskClient, key: Any, cursor: str) -> None:
    answer = client.get(f"/api/v1/conversations?cursor={cursor}", headers=key("conversations:read"))
    assert (answer.status_code, answer.get_json()["error"]["field"]) == (422, "cursor")


def test_a_transcript_needs_the_scope_and_shows_no_notes(
    client: FlaskClient, key: Any, database: Database
) -> None:
    rasa(client, key(), "refund?")
    with database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        session.add(Turn(conversation_id=conversation.id, role="note", text="secret"))
    address = f"/api/v1/conversations/{conversation.public_id}/transcript"
    assert client.get(address, headers=key("chat")).status_code == 403
    turns = client.get(address, headers=key("conversations:read")).get_json()["turns"]
    assert [turn["role"] for turn in turns] == ["customer", "bot"]


def test_articles_are_listed_with_their_text(client: FlaskClient, key: Any, database: Database) -> None:
    with database.write() as session:
        for number, lang in ((1, "en"), (2, "zh"), (3, "en")):
            session.add(
                Article(
                    slug=f"a{number}",
                    lang=lang,
                    title=f"T{number}",
                    body="B",
                    section="",
                    url="",
                    source="test",
                    content_hash="0",
                    status="live",
                )
            )
    headers = key("knowledge:read")
    rows = client.get("/api/v1/articles?lang=en", headers=headers).get_json()["articles"]
    assert [row["slug"] for row in rows] == ["a3", "a1"]
    assert client.get("/api/v1/articles", headers=key("chat")).status_code == 403


# --- the description -------------------------------------------------------------------------------------


def test_what_a_field_of_a_body_names_as_an_example_may_stand_there() -> None:
    """Whole requests are in tests/web/test_api_samples.py."""
    tried = 0
    for model in Body.__subclasses__():
        told = {name: field.examples for name, field in model.model_fields.items() if field.examples}
        wanted = {name for name, field in model.model_fields.items() if field.is_required()}
        if wanted <= told.keys():
            for at in range(max((len(found) for found in told.values()), default=0)):
                model.model_validate({name: found[at % len(found)] for name, found in told.items()})
                tried += 1
    assert tried >= 8


def test_every_operation_says_what_it_does_and_what_it_wants(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert set(document["components"]["securitySchemes"]) == {"conversation_token", "api_key"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert operation.get("tags"), (method, path)
            if "{conversation_id}" in path:
                assert operation.get("security"), (method, path)
