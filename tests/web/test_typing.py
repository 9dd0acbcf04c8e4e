"""Who is writing just now: told to the other side, whichever process hears of it, and kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from chatbot.records import inbox
from chatbot.records.api_keys import create_key
from chatbot.records.conversations import hand_over
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Person, Table
from chatbot.settings import Settings
from web import create_app
from web.context import parts_of
from web.inbox.live import changes
from web.news import News
from web.serving import Serving
from web.streaming import follow
from web.typing_signs import LASTS, SWEPT_EVERY, SignFiles, SignsInRedis, Typing, typing_signs

REDIS = os.environ.get("FRONTDESK_TEST_REDIS_URL")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def talk(client: FlaskClient, database: Database) -> tuple[str, dict[str, str]]:
    """Where a visitor who talks to Mei says things, and his token."""
    started = client.post("/api/v1/conversations", json={}).get_json()
    with database.write() as session:
        mei = Person(email="mei@example.com", name="Mei", password_hash="x", role="agent")
        session.add(mei)
        session.flush()
        hand_over(session, started["id"], reason="visitor_asked")
        inbox.take(session, session.scalars(select(Conversation.id)).one(), mei)
    return f"/api/v1/conversations/{started['id']}", {"Authorization": f"Bearer {started['token']}"}


@pytest.fixture
def second(settings: Settings, database: Database, serving: Serving) -> Flask:
    """Another web process of the same installation."""
    return create_app(settings, database=database, serving=serving)


def test_a_sign_lasts_a_few_seconds_and_old_files_go(tmp_path: Path) -> None:
    clock = Clock()
    signs = SignFiles(tmp_path, clock=clock)
    signs.give(7, "visitor")
    other = SignFiles(tmp_path, clock=clock)
    assert other.seen(7, "visitor")
    assert not other.seen(7, "agent") and not other.seen(8, "visitor")
    clock.now += LASTS - 1
    assert other.seen(7, "visitor")
    clock.now += 1
    assert not other.seen(7, "visitor")
    other.give(7, "visitor")
    signs.take_back(7, "visitor")
    signs.take_back(7, "visitor")
    assert not other.seen(7, "visitor")
    signs.give(8, "agent")
    clock.now += SWEPT_EVERY + 1
    signs.give(9, "agent")
    assert [path.name for path in (tmp_path / "typing").iterdir()] == ["9.agent"]
    assert [path.stat().st_size for path in (tmp_path / "typing").iterdir()] == [0]


def test_where_no_file_can_be_written_nobody_is_told_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "typing").write_text("no folder")
    signs = SignFiles(tmp_path)
    signs.give(7, "visitor")
    signs.take_back(7, "visitor")
    assert not signs.seen(7, "visitor")


def test_without_an_answer_of_redis_nobody_is_told_and_nothing_fails(settings: Settings) -> None:
    away = typing_signs(settings.model_copy(update={"live_url": "redis://127.0.0.1:1/0"}))
    assert isinstance(away, SignsInRedis)
    away.give(7, "visitor")
    assert not away.seen(7, "visitor")
    assert isinstance(typing_signs(settings), SignFiles)


@pytest.mark.skipif(not REDIS, reason="FRONTDESK_TEST_REDIS_URL is not set")
def test_in_redis_a_sign_ends_by_itself() -> None:
    assert REDIS is not None
    one, other = SignsInRedis(REDIS), SignsInRedis(REDIS)
    try:
        one.give(7, "agent")
        assert other.seen(7, "agent") and not other.seen(7, "visitor")
        assert 0 < one._redis.connect().pttl("frontdesk:typing:7:agent") <= LASTS * 1000
        other.take_back(7, "agent")
        assert not one.seen(7, "agent")
    finally:
        one._redis.ask(lambda redis: redis.close())
        other._redis.ask(lambda redis: redis.close())


def test_streams_are_woken_when_typing_begins_and_ends_not_with_every_sign(tmp_path: Path) -> None:
    news = News()
    woken: list[int] = []
    news.tell = woken.append  # type: ignore[method-assign]
    clock = Clock()
    typing = Typing(SignFiles(tmp_path, clock=clock), news)
    typing.tell(7, "visitor", False)
    for _ in range(4):
        typing.tell(7, "visitor", True)
        clock.now += 3
    assert woken == [7] and typing.seen(7, "visitor")
    typing.tell(7, "visitor", False)
    typing.tell(7, "visitor", False)
    assert woken == [7, 7] and not typing.seen(7, "visitor")


def told_to_visitor(app: Flask, database: Database, signs: Typing, *steps: Callable[[], object]) -> list[str]:
    """The names and data of the events that a visitor gets; before each look one step is taken."""
    left = list(steps)

    def next_step(_: float) -> None:
        left.pop(0)()

    clock = iter(range(len(steps) + 2))
    events = follow(
        database,
        1,
        after=0,
        origin="http://localhost",
        release=lambda: None,
        agent_types=lambda: signs.seen(1, "agent"),
        lifetime=len(steps) + 0.5,
        clock=lambda: float(next(clock)),
        sleep=next_step,
    )
    return [event.removeprefix("event: ").replace("\ndata: ", " ").strip() for event in events]


def test_the_visitor_sees_that_his_agent_types_and_what_is_sent_ends_it(
    app: Flask, second: Flask, signed_in: Callable[..., FlaskClient], talk: Any, database: Database
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    mei = signed_in("agent", "Mei")
    with database.write() as session:
        one = session.get_one(Conversation, 1)
        one.agent_id = session.scalars(select(Person.id).order_by(Person.id.desc())).first()
    address = "/admin/inbox/conversations/1"
    body = {"text": "Here.", "client_message_id": "a"}
    told = told_to_visitor(
        second,
        database,
        parts_of(second).typing,
        lambda: mei.post(f"{address}/typing", json={"typing": True}),
        lambda: mei.post(f"{address}/typing", json={"typing": True}),
        lambda: mei.post(f"{address}/reply", json=body),
        lambda: mei.post(f"{address}/typing", json={"typing": True}),
        lambda: mei.post(f"{address}/typing", json={"typing": False}),
    )
    names = [one.partition(" ")[0] if one.startswith("turn") else one for one in told]
    assert names == [
        'state {"state":"human"}',
        'typing {"typing":true}',
        "turn",
        'typing {"typing":false}',
        'typing {"typing":true}',
        'typing {"typing":false}',
        'end {"after":1}',
    ]


def test_only_whoever_has_the_conversation_is_said_to_type(
    app: Flask, signed_in: Callable[..., FlaskClient], talk: Any, database: Database, client: FlaskClient
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    tom = signed_in("agent", "Tom")
    path = "/admin/inbox/conversations/1/typing"
    assert tom.post(path, json={"typing": True}).get_json() == {"typing": False}
    assert tom.post(path, json={"typing": "yes"}).status_code == 422
    signs = parts_of(app).typing
    assert not signs.seen(1, "agent")
    with database.write() as session:
        owner = session.scalars(select(Person).where(Person.name == "Mei")).one()
        _, key = create_key(session, name="desk", scopes=("conversations:write",), created_by_id=owner.id)
    api = talk[0].replace("/conversations/", "/inbox/conversations/") + "/typing"
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post(api, json={}, headers=headers).get_json() == {"typing": True}
    assert signs.seen(1, "agent")
    assert client.post(api, json={"typing": False}, headers=headers).get_json() == {"typing": False}
    assert not signs.seen(1, "agent")


def test_the_agent_sees_that_the_visitor_types_and_nothing_of_it_is_stored(
    client: FlaskClient, second: Flask, talk: Any, database: Database
) -> None:
    address, mine = talk

    def rows() -> dict[str, int | None]:
        with database.read() as session:
            return {
                name: session.scalar(select(func.count()).select_from(table))
                for name, table in Table.metadata.tables.items()
            }

    before = rows()
    steps = [
        lambda: client.post(f"{address}/typing", json={}, headers=mine),
        lambda: client.post(f"{address}/typing", json={"typing": True, "text": "my secret"}, headers=mine),
    ]
    with database.read() as session:
        mei = session.scalars(select(Person.id)).one()
    clock = iter(range(100))
    left = [*steps, lambda: client.post(f"{address}/messages", json={"text": "Hello?"}, headers=mine)]

    def take(_: float) -> None:
        if len(left) == 1:
            assert rows() | {"presence": 0} == before | {"presence": 0}
            for path in (parts_of(second).settings.data / "typing").iterdir():
                assert path.read_bytes() == b""
        left.pop(0)()

    with second.test_request_context():
        told = list(
            changes(
                database,
                box="mine",
                open_id=1,
                person_id=mei,
                typing=parts_of(second).typing,
                release=lambda: None,
                lifetime=3.5,
                clock=lambda: float(next(clock)),
                sleep=take,
            )
        )
    typing = [one.partition("data: ")[2].strip() for one in told if one.startswith("event: typing")]
    assert typing == [
        '{"conversation":1,"visitor":false}',
        '{"conversation":1,"visitor":true}',
        '{"conversation":1,"visitor":false}',
    ]
    conversations = [one for one in told if one.startswith("event: conversation")]
    assert len(conversations) == 2  # typing alone sends no conversation again
