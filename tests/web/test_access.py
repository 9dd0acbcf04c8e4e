from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records import people
from chatbot.records.database import Database
from chatbot.records.tables import AuditEntry, Person
from chatbot.settings import Settings
from web import access
from web.limits import limiter

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2id hashes with parameters that cost nothing."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: quick)
    people._nobodys_hash.cache_clear()


@pytest.fixture(autouse=True)
def mei(app: Flask, database: Database) -> int:
    with database.write() as session:
        return people.create_person(
            session, email="mei@example.com", name="Mei", password=PASSWORD, role="admin"
        ).id


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def sign_in(client: FlaskClient, email: str = "mei@example.com", password: str = PASSWORD, **form: str):
    page = client.get("/admin/sign-in").text
    return client.post(
        "/admin/sign-in", data={"csrf_token": token_in(page), "email": email, "password": password} | form
    )


def test_signing_in_leads_to_the_page_that_was_asked_for(client: FlaskClient) -> None:
    asked = client.get("/admin/releases?page=2")
    assert asked.status_code == 302
    assert asked.location == "/admin/sign-in?next=/admin/releases?page%3D2"
    answer = sign_in(client, next="/admin/releases?page=2")
    assert (answer.status_code, answer.location) == (303, "/admin/releases?page=2")
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/adminx", "javascript:alert(1)", "/chat"],
)
def test_signing_in_never_leads_outside_the_admin_area(client: FlaskClient, target: str) -> None:
    assert sign_in(client, next=target).location == "/admin/"


@pytest.mark.parametrize("email", ["mei@example.com", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_address_look_the_same(client: FlaskClient, email: str) -> None:
    answer = sign_in(client, email=email, password="wrong password")
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert client.get("/admin/").status_code == 302


def test_a_form_without_the_token_is_refused(client: FlaskClient) -> None:
    answer = client.post("/admin/sign-in", data={"email": "mei@example.com", "password": PASSWORD})
    assert answer.status_code == 400
    assert client.get("/admin/").status_code == 302


def test_the_chat_needs_no_token_and_gets_no_cookie(client: FlaskClient) -> None:
    sign_in(client)
    answer = client.post("/api/v1/conversations", json={})
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers


def cookies(answer) -> list[str]:
    return [value for name, value in answer.headers if name == "Set-Cookie"]


def test_the_session_cookie_is_for_the_admin_area_and_no_script(client: FlaskClient) -> None:
    (cookie,) = cookies(sign_in(client))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/admin" in cookie
    assert "Secure" not in cookie


def test_behind_https_the_session_cookie_is_secure(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/admin/sign-in", base_url="https://desk.example/")
    assert all("Secure" in cookie for cookie in cookies(answer))
    assert cookies(answer)


def test_signing_in_starts_a_session_that_shares_nothing_with_the_one_before(client: FlaskClient) -> None:
    client.get("/admin/sign-in")
    with client.session_transaction(path="/admin/") as session:
        session["planted"] = "by somebody else"
        before = session.get("csrf_token")
    sign_in(client)
    with client.session_transaction(path="/admin/") as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


def test_signing_out_ends_the_session(client: FlaskClient) -> None:
    sign_in(client)
    token = token_in(client.get("/admin/").text)
    client.post("/admin/sign-out", data={"csrf_token": token})
    assert client.get("/admin/").status_code == 302


def test_switching_somebody_off_ends_their_session_at_once(
    client: FlaskClient, database: Database, mei: int
) -> None:
    sign_in(client)
    with database.write() as session:
        people.create_person(session, email="sara@example.com", name="", password=PASSWORD, role="admin")
        people.set_active(session, people.get_person(session, mei), False)
    assert client.get("/admin/").status_code == 302


def test_a_copied_session_ends_with_the_password(app: Flask, client: FlaskClient) -> None:
    sign_in(client)
    thief = app.test_client()
    stolen = client.get_cookie("frontdesk", path="/admin")
    assert stolen is not None
    thief.set_cookie("frontdesk", stolen.value, path="/admin")
    assert thief.get("/admin/").status_code == 200
    token = token_in(client.get("/admin/account").text)
    answer = client.post(
        "/admin/account", data={"csrf_token": token, "current": PASSWORD, "password": "another long password"}
    )
    assert answer.status_code == 303
    assert client.get("/admin/").status_code == 200
    assert thief.get("/admin/").status_code == 302


def test_changing_the_password_needs_the_present_one(app: Flask, client: FlaskClient) -> None:
    sign_in(client)
    token = token_in(client.get("/admin/account").text)
    answer = client.post(
        "/admin/account",
        data={"csrf_token": token, "current": "a guess", "password": "another long password"},
    )
    assert answer.status_code == 422
    assert sign_in(app.test_client()).status_code == 303


@pytest.fixture
def strict(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "signin_rate", "3 per minute")
    limiter.reset()
    yield
    limiter.reset()


def test_guessing_passwords_is_limited_and_says_when_to_come_back(client: FlaskClient, strict: None) -> None:
    statuses = [sign_in(client, password="guess").status_code for _ in range(3)]
    assert statuses == [401, 401, 401]
    answer = sign_in(client)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_signing_in_rightly_does_not_count(client: FlaskClient, app: Flask, strict: None) -> None:
    for _ in range(5):
        assert sign_in(app.test_client()).status_code == 303


def test_guessing_at_one_account_from_many_addresses_is_limited(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    token = token_in(client.get("/admin/sign-in").text)
    form = {"csrf_token": token, "email": "mei@example.com", "password": "guess"}
    statuses = [
        client.post("/admin/sign-in", data=form, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"}).status_code
        for n in range(21)
    ]
    assert statuses == [401] * 20 + [429]


def test_a_one_time_link_makes_the_first_account(app: Flask, client: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.delete(session.scalars(select(Person)).one())
    with database.write() as session:
        token = people.create_link(session, role="admin")
    page = client.get(f"/admin/set-up/{token}")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    form = {
        "csrf_token": token_in(page.text),
        "name": "Sara",
        "email": "sara@example.com",
        "password": "short",
    }
    assert client.post(f"/admin/set-up/{token}", data=form).status_code == 422
    answer = client.post(f"/admin/set-up/{token}", data=form | {"password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/admin/")
    assert client.get("/admin/people").status_code == 200
    assert app.test_client().get(f"/admin/set-up/{token}").status_code == 403


def test_sign_ins_are_written_down(client: FlaskClient, database: Database) -> None:
    sign_in(client, password="wrong password")
    sign_in(client)
    with database.read() as session:
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert actions == ["person.sign_in_failed", "person.sign_in"]


def test_the_pages_speak_the_readers_language(client: FlaskClient) -> None:
    assert "登录" in client.get("/admin/sign-in", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).text
    page = client.get("/admin/sign-in").text
    client.post(
        "/admin/language", data={"csrf_token": token_in(page), "language": "zh", "next": "/admin/sign-in"}
    )
    assert "登录" in client.get("/admin/sign-in").text


def test_safe_next_keeps_pages_of_the_admin_area(app: Flask) -> None:
    with app.test_request_context("/admin/sign-in"):
        assert access.safe_next("/admin/jobs/3?x=1") == "/admin/jobs/3?x=1"
        assert access.safe_next(None) == "/admin/"
