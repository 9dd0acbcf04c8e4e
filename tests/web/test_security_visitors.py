"""Tokens, origins, limits, headers, secrets: what keeps a visitor's conversation his own."""

from __future__ import annotations

import json
import re
import stat
import threading
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatbot.errors import InputError
from chatbot.records.database import Database
from chatbot.records.tables import Site
from chatbot.settings import Settings
from web import create_app
from web.limits import limiter
from web.secrets import session_key
from web.serving import Serving
from web.visitors import clean_origin, frame_ancestors, origin_allowed

SHOP = "https://www.shop.example"
START = "/api/v1/conversations"


def start(client: FlaskClient) -> tuple[str, dict[str, str]]:
    started = client.post(START, json={}).get_json()
    return f"{START}/{started['id']}", {"Authorization": f"Bearer {started['token']}"}


def allow(database: Database, *origins: str) -> None:
    with database.write() as session:
        session.query(Site).one().allowed_origins = list(origins)


# --- tokens ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/messages", "get"),
        ("/messages", "post"),
        ("/events", "get"),
        ("/turns/1/feedback", "post"),
        ("/typing", "post"),
        ("/handover", "post"),
        ("/resume", "post"),
        ("/close", "post"),
        ("/identify", "post"),
        ("/files", "post"),
        ("/files/abc", "get"),
    ],
)
def test_every_endpoint_of_a_conversation_wants_its_token(
    client: FlaskClient, path: str, method: str
) -> None:
    address, mine = start(client)
    _, others = start(client)
    call = getattr(client, method)
    body = {} if method == "get" else {"json": {"text": "x", "vote": "up"}}
    for headers, code in (
        ({}, "no_token"),
        ({"Authorization": "Basic abc"}, "no_token"),
        ({"Authorization": "Bearer "}, "no_token"),
        ({"Authorization": "Bearer wrong"}, "wrong_token"),
        (others, "wrong_token"),
    ):
        response = call(address + path, headers=headers, **body)
        assert response.status_code == 401
        assert response.get_json()["error"]["code"] == code
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert call(f"{START}/nobody{path}", headers=mine, **body).status_code == 404


def test_a_token_in_the_address_opens_nothing(client: FlaskClient) -> None:
    address, headers = start(client)
    token = headers["Authorization"].split()[1]
    assert client.get(f"{address}/messages?token={token}&access_token={token}").status_code == 401


def test_the_chat_api_sets_no_cookie(client: FlaskClient) -> None:
    address, headers = start(client)
    for response in (
        client.post(f"{address}/messages", json={"text": "x"}, headers=headers),
        client.get(f"{address}/messages", headers=headers),
        client.get("/chat"),
        client.get("/widget/frame"),
    ):
        assert response.status_code == 200
        assert "Set-Cookie" not in response.headers


# --- origins ---------------------------------------------------------------------------------------------


def test_a_foreign_origin_is_refused_until_it_is_allowed(client: FlaskClient, database: Database) -> None:
    refused = client.post(START, json={}, headers={"Origin": SHOP})
    assert refused.status_code == 403
    assert refused.get_json()["error"]["code"] == "foreign_origin"
    assert "Access-Control-Allow-Origin" not in refused.headers
    allow(database, SHOP)
    started = client.post(START, json={}, headers={"Origin": SHOP})
    assert started.status_code == 201
    assert started.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in started.headers


def test_a_token_does_not_help_a_page_of_a_foreign_origin(client: FlaskClient) -> None:
    address, headers = start(client)
    response = client.get(f"{address}/messages", headers={**headers, "Origin": "https://evil.example"})
    assert response.status_code == 403


def test_the_installations_own_pages_are_always_allowed(client: FlaskClient) -> None:
    assert client.post(START, json={}, headers={"Origin": "http://localhost"}).status_code == 201
    assert client.post(START, json={}, headers={"Origin": "http://localhost:81"}).status_code == 403
    assert client.post(START, json={}, headers={"Origin": "null"}).status_code == 403


def test_preflights_are_answered_for_allowed_origins_only(client: FlaskClient, database: Database) -> None:
    allow(database, SHOP)
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = client.options(f"{START}/x/messages", headers={"Origin": SHOP, **asked})
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Authorization" in allowed.headers["Access-Control-Allow-Headers"]
    foreign = client.options(f"{START}/x/messages", headers={"Origin": "https://evil.example", **asked})
    assert "Access-Control-Allow-Origin" not in foreign.headers
    assert "Origin" in foreign.headers["Vary"]


@pytest.mark.parametrize(
    ("origin", "allowed", "expected"),
    [
        (SHOP, [SHOP], True),
        ("HTTPS://WWW.SHOP.EXAMPLE", [SHOP], True),
        ("https://a.shop.example", ["https://*.shop.example"], True),
        ("https://shop.example", ["https://*.shop.example"], False),
        ("https://evilshop.example", ["https://*.shop.example"], False),
        ("http://a.shop.example", ["https://*.shop.example"], False),
        ("https://www.shop.example.evil.example", [SHOP], False),
        ("https://anything.example", ["*"], True),
        ("null", [SHOP], False),
        ("", [SHOP], False),
    ],
)
def test_origins_are_compared_whole(origin: str, allowed: list[str], expected: bool) -> None:
    assert origin_allowed(origin, allowed) is expected


def test_origins_are_cleaned_before_they_are_stored() -> None:
    assert clean_origin(" Shop.example/ ") == "https://shop.example"
    assert clean_origin("https://shop.example:443") == "https://shop.example"
    assert clean_origin("http://localhost:8000") == "http://localhost:8000"
    assert clean_origin("https://*.shop.example") == "https://*.shop.example"
    for wrong in (
        "https://shop.example/page",
        "ftp://shop.example",
        "https://a b",
        "https://x;script-src *",
        "https://",
        "",
    ):
        with pytest.raises(InputError):
            clean_origin(wrong)


def test_only_allowed_pages_may_frame_the_widget_and_nobody_the_rest(
    client: FlaskClient, database: Database
) -> None:
    allow(database, SHOP)
    assert (
        f"frame-ancestors 'self' {SHOP};"
        in client.get("/widget/frame").headers["Content-Security-Policy"] + ";"
    )
    for path in ("/chat", "/", "/healthz"):
        assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]
    assert frame_ancestors([SHOP, SHOP]) == f"'self' {SHOP}"


# --- headers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/chat", "/widget/frame", "/widget.js", "/healthz", "/openapi.json", "/nope"]
)
def test_every_response_has_a_strict_policy(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]


@pytest.mark.parametrize("path", ["/", "/chat", "/widget/frame", "/help/en/refunds"])
def test_pages_hold_nothing_inline(client: FlaskClient, database: Database, path: str) -> None:
    _article(database)
    page = client.get(path).get_data(as_text=True)
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.S)
    assert scripts
    for attributes, content in scripts:
        assert 'type="application/json"' in attributes or not content.strip()
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page)


def test_markup_in_an_article_or_a_site_name_is_shown_not_obeyed(
    client: FlaskClient, database: Database
) -> None:
    _article(
        database, body="<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1))\n\n<script>alert(1)</script>"
    )
    with database.write() as session:
        site = session.query(Site).one()
        site.name = "</script><script>alert(1)</script>"
    page = client.get("/help/en/refunds").get_data(as_text=True)
    assert "<img" not in page
    assert 'href="javascript' not in page
    for path in ("/help/en/refunds", "/chat", "/", "/widget/frame"):
        assert "<script>alert" not in client.get(path).get_data(as_text=True)


# --- one shape of errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/nope", 404),
        ("get", "/api/v1/nope", 404),
        ("delete", "/api/v1/conversations", 405),
        ("post", "/healthz", 405),
        ("get", "/widget/abc/secrets.py", 404),
        ("get", "/widget/abc/..%2f..%2fsecrets.py", 404),
        ("get", "/widget/abc/locales/xx.json", 404),
        ("get", "/help/en/none", 404),
        ("get", "/chat?site=none", 404),
    ],
)
def test_errors_have_one_shape_everywhere(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = getattr(client, method)(path)
    assert response.status_code == status
    error = response.get_json()["error"]
    assert {"code", "message"} <= set(error) <= {"code", "message", "field", "value", "remedy"}


def test_a_body_that_is_too_large_is_413(client: FlaskClient) -> None:
    address, headers = start(client)
    response = client.post(f"{address}/messages", json={"text": "x" * 100_000}, headers=headers)
    assert response.status_code == 413
    assert response.get_json()["error"]["code"] == "too_large"


def test_a_browser_gets_an_error_as_a_page_outside_the_api(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    assert client.get("/nope", headers=browser).mimetype == "text/html"
    assert client.get("/api/v1/nope", headers=browser).mimetype == "application/json"


# --- limits ----------------------------------------------------------------------------------------------


@pytest.fixture
def slow_client(settings: Settings, database: Database, serving: Serving) -> FlaskClient:
    limited = settings.model_copy(update={"chat_rate": "3 per minute"})
    app = create_app(limited, database=database, serving=serving)
    limiter.reset()
    return app.test_client()


def test_a_visitor_who_writes_too_often_is_told_when_to_go_on(slow_client: FlaskClient) -> None:
    address, headers = start(slow_client)
    answers = [slow_client.post(f"{address}/messages", json={"text": "x"}, headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert answers[-1].get_json()["error"]["code"] == "too_many_requests"
    assert "Retry-After" not in answers[0].headers
    other, others = start(slow_client)  # one visitor's limit is not another's
    assert slow_client.post(f"{other}/messages", json={"text": "x"}, headers=others).status_code == 200


def test_conversations_cannot_be_started_without_end(slow_client: FlaskClient) -> None:
    codes = [slow_client.post(START, json={}).status_code for _ in range(4)]
    assert codes == [201, 201, 201, 429]


def test_reading_is_limited_too(slow_client: FlaskClient) -> None:
    address, headers = start(slow_client)
    codes = {slow_client.get(f"{address}/messages", headers=headers).status_code for _ in range(32)}
    assert codes == {200, 429}


# --- the session key -------------------------------------------------------------------------------------


def test_the_session_key_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    key = session_key(tmp_path)
    path = tmp_path / "secrets" / "session.key"
    assert len(bytes.fromhex(key)) == 32
    assert session_key(tmp_path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert session_key(tmp_path / "other") != key
    assert [entry.name for entry in path.parent.iterdir()] == ["session.key"]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    keys: list[str] = []
    barrier = threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        keys.append(session_key(tmp_path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1


def test_a_key_that_others_can_read_or_that_is_cut_is_refused(tmp_path: Path) -> None:
    session_key(tmp_path)
    path = tmp_path / "secrets" / "session.key"
    path.chmod(0o644)
    with pytest.raises(InputError, match="read by others"):
        session_key(tmp_path)
    path.chmod(0o600)
    path.write_text("abc")
    with pytest.raises(InputError, match="too short"):
        session_key(tmp_path)


def test_the_application_signs_with_that_key(app: Flask, settings: Settings) -> None:
    assert app.config["SECRET_KEY"] == session_key(settings.data)


def test_the_first_start_makes_the_schema_and_the_default_site(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path)
    database = Database(settings.database)
    serving = Serving(database, settings)
    client = create_app(settings, database=database, serving=serving).test_client()
    try:
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.headers["Retry-After"] == "2"
        assert ready.get_json()["database"] is True
        assert client.get("/healthz").get_json() == {"status": "ok"}
        with database.read() as session:
            assert [site.key for site in session.query(Site)] == ["default"]
    finally:
        serving.stop()
        database.dispose()


def _article(database: Database, body: str = "Refunds arrive.") -> None:
    from chatbot.records.tables import Article

    with database.write() as session:
        session.add(
            Article(slug="refunds", lang="en", title="Refunds", body=body, content_hash=json.dumps(body)[:64])
        )
