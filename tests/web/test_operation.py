"""Running it: log lines, request ids, metrics, a full machine, and an orderly end."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from chatbot.errors import InputError
from chatbot.records.database import Database
from chatbot.records.jobs import get_job
from chatbot.settings import Settings
from web import create_app, jobs, logs, pressure
from web.limits import limiter
from web.serving import Serving
from web.streaming import follow

TOKEN = "0123456789abcdef-of-a-test"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The JSON log of this process."""
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("INFO", style="json", stream=stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = kept
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def talk(client: FlaskClient, text: str = "When is my refund due?") -> Any:
    started = client.post("/api/v1/conversations", json={}).get_json()
    return client.post(
        f"/api/v1/conversations/{started['id']}/messages",
        json={"text": text},
        headers={"Authorization": f"Bearer {started['token']}"},
    )


# --- the log ---------------------------------------------------------------------------------------------


def test_each_answer_carries_the_id_that_its_log_line_has(client: FlaskClient, written: io.StringIO) -> None:
    answer = talk(client)
    told = [line for line in lines(written) if line.get("request_id") == answer.headers["X-Request-Id"]]
    assert [(line["method"], line["status"]) for line in told] == [("POST", 200)]
    assert told[0]["route"] == "/api/v1/conversations/<conversation_id>/messages"


def test_what_a_customer_writes_and_his_token_are_in_no_log_line(
    client: FlaskClient, written: io.StringIO, assistant: Any
) -> None:
    talk(client, "My parcel MARK-4711 is late, write to anna.lee@example.com")

    def fail(text: str) -> None:
        raise RuntimeError("cannot reach anna.lee@example.com with token=abcdef0123456789")

    assistant.before_reply = fail
    answer = talk(client)
    assert answer.status_code == 500
    whole = written.getvalue()
    assert "RuntimeError" in whole and "[EMAIL]" in whole and "token=[SECRET]" in whole
    assert "MARK-4711" not in whole and "anna.lee" not in whole and "abcdef0123456789" not in whole
    assert answer.headers["X-Request-Id"] in answer.get_json()["error"]["remedy"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("call +49 30 1234567 or a@b.example", "call [PHONE] or [EMAIL]"),
        ("card 4111 1111 1111 1111", "card [CARD]"),
        ("Authorization: Bearer abcdefghij", "Authorization: Bearer [SECRET]"),
        ("postgresql://bot:hunter22@db/x", "postgresql://bot:[SECRET]@db/x"),
        ("GET /admin/set-up/abcdefghijklmnop0123", "GET /admin/set-up/[SECRET]"),
        ("knowledge is at revision 123456789", "knowledge is at revision 123456789"),
        ("job 12 (retrain): its worker web-1:2231:88123123 is gone", None),
        ("release r20261120-201500-3f9a answers now (loaded in 1.2 s)", None),
    ],
)
def test_a_line_keeps_its_words_and_loses_personal_values_and_secrets(text: str, clean: str | None) -> None:
    assert logs.without_personal(text) == (clean or text)


def test_an_error_of_the_database_shows_no_values(database: Database) -> None:
    with pytest.raises(Exception, match="no such table: missing") as failed, database.read() as session:
        from sqlalchemy import text

        session.execute(text("SELECT * FROM missing WHERE x = :said"), {"said": "MARK-4711"})
    assert "MARK-4711" not in str(failed.value)


def test_an_id_from_outside_is_believed_of_a_trusted_proxy_only(
    client: FlaskClient, settings: Settings, database: Database, serving: Serving
) -> None:
    given = {"X-Request-Id": "edge-12345678"}
    assert client.get("/healthz", headers=given).headers["X-Request-Id"] != "edge-12345678"
    behind = create_app(
        settings.model_copy(update={"trusted_proxies": 1}), database=database, serving=serving
    ).test_client()
    assert behind.get("/healthz", headers=given).headers["X-Request-Id"] == "edge-12345678"
    forged = {"X-Request-Id": "a\tb" + "x" * 100}
    assert behind.get("/healthz", headers=forged).headers["X-Request-Id"] != forged["X-Request-Id"]


def test_a_job_remembers_the_request_that_asked_for_it(
    app: Flask, database: Database, settings: Settings
) -> None:
    logs.request_id.set("request-0815")
    try:
        job_id = jobs.enqueue(database, settings, "retrain")
    finally:
        logs.request_id.set("")
    with database.read() as session:
        assert get_job(session, job_id).request_id == "request-0815"


def test_text_is_for_terminals_and_json_for_everything_else() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert logs.wants_text("auto", Terminal()) and not logs.wants_text("auto", io.StringIO())
    assert logs.wants_text("text", io.StringIO()) and not logs.wants_text("json", Terminal())
    record = logging.LogRecord("web", logging.ERROR, "", 1, "mail to %s", ("a@b.example",), None)
    logs.request_id.set("r-12345678")
    try:
        assert logs.TextFormatter().format(record).endswith("ERROR web mail to [EMAIL] [request r-12345678]")
    finally:
        logs.request_id.set("")


# --- metrics ---------------------------------------------------------------------------------------------


def test_metrics_are_closed_until_a_token_is_set(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404


def test_metrics_count_answers_and_tell_what_the_database_knows(
    settings: Settings, database: Database, serving: Serving
) -> None:
    app = create_app(settings.model_copy(update={"metrics_token": TOKEN}), database=database, serving=serving)
    client = app.test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401

    def figures() -> dict[str, float]:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200 and answer.mimetype == "text/plain"
        told = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in told}

    before = figures()
    talk(client)
    talk(client, "I want a person")
    client.get("/no/such/path/of/a/stranger")
    after = figures()

    def grew(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    route = "/api/v1/conversations/<conversation_id>/messages"
    assert grew(f'frontdesk_http_requests_total{{method="POST",route="{route}",status="200"}}') == 2
    assert grew('frontdesk_http_requests_total{method="GET",route="(none)",status="404"}') == 1
    assert grew('frontdesk_replies_total{kind="passage",lang="en"}') == 1
    assert grew("frontdesk_reply_seconds_count") == 2
    assert after["frontdesk_conversations_waiting"] == 1 and after["frontdesk_ready"] == 1
    assert after['frontdesk_release{release="r-test"}'] == 1
    assert after["frontdesk_requests_under_way"] == 1  # the asking itself
    assert not any("stranger" in name for name in after)


@pytest.mark.parametrize("token", ["short", "aaaaaaaaaaaaaaaaaaaaaaaa", "1212121212121212"])
def test_a_guessable_token_is_refused_at_the_start(settings: Settings, token: str) -> None:
    with pytest.raises(InputError, match="guessed"):
        create_app(settings.model_copy(update={"metrics_token": token}))


# --- readiness, a full machine, the end ------------------------------------------------------------------


def test_readiness_tells_models_and_index_where_the_assistant_does(
    client: FlaskClient, assistant: Any
) -> None:
    assistant.state = lambda: {"classifier": True, "indexed": 12}
    told = client.get("/readyz").get_json()
    assert told["ready"] and told["models"] == {"classifier": True, "indexed": 12}


def test_a_request_that_waited_too_long_is_refused_before_anything_is_stored(
    client: FlaskClient, assistant: Any
) -> None:
    started = client.post("/api/v1/conversations", json={}).get_json()
    bearer = {"Authorization": f"Bearer {started['token']}"}
    address = f"/api/v1/conversations/{started['id']}/messages"
    message = {"text": "When is my refund due?", "client_message_id": "m1"}
    pressure.note_waited(pressure.MOST_WAITING + 1)
    try:
        answer = client.post(address, json=message, headers=bearer)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(pressure.RETRY_AFTER))
        assert answer.get_json()["error"]["code"] == "overloaded"
        assert client.get("/healthz").status_code == 200
    finally:
        pressure.note_waited(0)
    assert assistant.calls == []
    assert client.post(address, json=message, headers=bearer).status_code == 200
    turns = client.get(address, headers=bearer).get_json()["turns"]
    assert [turn["role"] for turn in turns] == ["customer", "bot"]


def test_a_stream_that_waits_for_news_ends_when_the_process_is_to_stop(
    client: FlaskClient, database: Database
) -> None:
    started = client.post("/api/v1/conversations", json={}).get_json()
    bearer = {"Authorization": f"Bearer {started['token']}"}
    client.post(f"/api/v1/conversations/{started['id']}/handover", json={}, headers=bearer)
    given_back: list[bool] = []

    def asleep(seconds: float) -> None:
        pressure.stopping.set()

    try:
        told = list(
            follow(
                database,
                1,
                after=0,
                origin="http://localhost",
                release=lambda: given_back.append(True),
                sleep=asleep,
            )
        )
    finally:
        pressure.stopping.clear()
    assert told[-1].startswith("event: end") and given_back == [True]


def test_visitors_are_answered_and_limited_while_redis_is_away(
    settings: Settings, database: Database, serving: Serving
) -> None:
    away = settings.model_copy(update={"limits_url": "redis://127.0.0.1:1/0", "chat_rate": "3 per minute"})
    client = create_app(away, database=database, serving=serving).test_client()
    try:
        started = client.post("/api/v1/conversations", json={}).get_json()
        answers = [
            client.post(
                f"/api/v1/conversations/{started['id']}/messages",
                json={"text": "When is my refund due?"},
                headers={"Authorization": f"Bearer {started['token']}"},
            ).status_code
            for _ in range(5)
        ]
        assert answers == [200, 200, 200, 429, 429]
    finally:
        create_app(settings, database=database, serving=serving)  # the limiter is one for the whole process


def test_redis_that_goes_away_under_several_requests_at_once_fails_none_of_them(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two requests finds that the first has turned to memory already."""

    def hit(*_: object, **__: object) -> bool:
        limiter._storage_dead = True  # by the other request, between our question and its answer
        raise ConnectionError("closed by server")

    monkeypatch.setattr(limiter._limiter, "hit", hit)
    try:
        assert client.post("/api/v1/conversations", json={}).status_code == 201
    finally:
        limiter._storage_dead = False


@pytest.mark.parametrize(
    "failure",
    [
        OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked")),
        NoConnectionLeft("QueuePool limit reached"),
    ],
    ids=["locked", "no_connection"],
)
def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_come_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("web.api.chat.find_site", fail)
    answer = app.test_client().post("/api/v1/conversations", json={})
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "database_away"
    assert int(answer.headers["Retry-After"]) > 0
