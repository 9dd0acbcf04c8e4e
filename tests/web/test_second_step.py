"""The optional second step of the sign-in, and sessions that end."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from chatbot.records import people, second_step
from chatbot.records.database import Database
from chatbot.records.tables import Person, utcnow
from web import access

PASSWORD = "correct horse battery"
EMAIL = "ada@example.com"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: quick)


@pytest.fixture
def ada(app: Flask, database: Database) -> int:
    with database.write() as session:
        return people.create_person(session, email=EMAIL, name="Ada", password=PASSWORD, role="admin").id


def send(client: FlaskClient, path: str, page: str = "/admin/sign-in", **form: str):
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page, follow_redirects=True).text)
    assert found
    return client.post(path, data={"csrf_token": found[1]} | form)


def sign_in(client: FlaskClient):
    return send(client, "/admin/sign-in", email=EMAIL, password=PASSWORD, next="/admin/people")


def turned_on(database: Database, ada: int) -> tuple[str, list[str]]:
    secret = second_step.new_secret()
    before = utcnow() - timedelta(minutes=5)  # its code is used up, the present one is not
    with database.write() as session:
        codes = second_step.turn_on(
            session.get_one(Person, ada), secret, pyotp.TOTP(secret).at(before), now=before
        )
    return secret, codes


def test_a_person_sets_it_up_and_is_asked_for_it_from_then_on(
    app: Flask, ada: int, database: Database
) -> None:
    client = app.test_client()
    assert sign_in(client).location.endswith("/admin/people")
    assert send(client, "/admin/account/second-step", "/admin/account").status_code == 303
    shown = re.search(r'id="secret"[^>]*value="([^"]+)"', client.get("/admin/account/second-step").text)
    assert shown
    totp = pyotp.TOTP(shown[1].replace(" ", ""))
    wrong = send(client, "/admin/account/second-step/on", "/admin/account/second-step", code="000000")
    assert wrong.status_code == 422 and "not the code" in wrong.text
    page = send(client, "/admin/account/second-step/on", "/admin/account/second-step", code=totp.now())
    codes = re.findall(r"\b[0-9a-f]{20}\b", page.text)
    assert len(codes) == second_step.RECOVERY_CODES
    assert client.get("/admin/people").status_code == 200  # still signed in here

    other = app.test_client()
    assert "/admin/sign-in/code" in sign_in(other).location
    assert other.get("/admin/people").status_code == 302  # half is not in
    assert send(other, "/admin/sign-in/code", "/admin/sign-in/code", code="123456").status_code == 401
    opened = send(other, "/admin/sign-in/code", "/admin/sign-in/code", code=codes[0], next="/admin/people")
    assert opened.location.endswith("/admin/people") and other.get("/admin/people").status_code == 200
    with database.read() as session:
        person = session.get_one(Person, ada)
        assert len(person.recovery_codes or []) == second_step.RECOVERY_CODES - 1
        assert not any(code in str(person.recovery_codes) for code in codes)


def test_a_code_and_a_recovery_code_work_once(database: Database, ada: int) -> None:
    secret, codes = turned_on(database, ada)
    now = utcnow()
    code = pyotp.TOTP(secret).at(now)
    with database.write() as session:
        person = session.get_one(Person, ada)
        assert second_step.check(person, code, now=now)
        assert not second_step.check(person, code, now=now)
        assert second_step.check(person, f" {codes[0].upper()} ", now=now)
        assert not second_step.check(person, codes[0], now=now)
        late = pyotp.TOTP(secret).at(now + timedelta(minutes=3))
        assert not second_step.check(person, late, now=now)
        for nothing in ("", "abc", "１２３４５６", "0" * 6 + "\n1"):
            assert not second_step.check(person, nothing, now=now)


def test_a_one_time_link_does_not_get_round_it(app: Flask, ada: int, database: Database) -> None:
    turned_on(database, ada)
    with database.write() as session:
        token = people.create_link(session, role="admin", email=EMAIL)
    client = app.test_client()
    answer = send(
        client, f"/admin/set-up/{token}", f"/admin/set-up/{token}", password="another long password"
    )
    assert "/admin/sign-in/code" in answer.location
    assert client.get("/admin/people").status_code == 302


def test_the_password_counts_for_five_minutes_only(
    app: Flask, ada: int, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = turned_on(database, ada)
    client = app.test_client()
    sign_in(client)
    later = time.time() + access.HALF_SECONDS + 1
    monkeypatch.setattr(access.time, "time", lambda: later)
    answer = send(client, "/admin/sign-in/code", code=pyotp.TOTP(secret).now())
    assert answer.location.endswith("/admin/sign-in")


def test_turning_it_off_needs_the_password(app: Flask, ada: int, database: Database) -> None:
    secret, _ = turned_on(database, ada)
    client = app.test_client()
    sign_in(client)
    send(client, "/admin/sign-in/code", "/admin/sign-in/code", code=pyotp.TOTP(secret).now())
    send(client, "/admin/account/second-step/off", "/admin/account", current="wrong")
    with database.read() as session:
        assert session.get_one(Person, ada).totp_secret
    send(client, "/admin/account/second-step/off", "/admin/account", current=PASSWORD)
    with database.read() as session:
        assert session.get_one(Person, ada).totp_secret is None
    assert client.get("/admin/people").status_code == 200


def test_guessing_codes_is_limited_by_account(app: Flask, ada: int, database: Database) -> None:
    turned_on(database, ada)
    client = app.test_client()
    sign_in(client)
    answers = [
        send(client, "/admin/sign-in/code", "/admin/sign-in/code", code=f"{number:06d}").status_code
        for number in range(22)
    ]
    assert answers[:20] == [401] * 20 and answers[-1] == 429


def test_a_session_ends_after_a_week_however_busy_and_is_a_new_one_after_each_sign_in(
    app: Flask, ada: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    client.get("/admin/sign-in")
    with client.session_transaction(path="/admin/") as before:
        before["planted"] = "by somebody else"
    sign_in(client)
    with client.session_transaction(path="/admin/") as after:
        assert "planted" not in after
    assert client.get("/admin/people").status_code == 200
    later = time.time() + access.LONGEST_SESSION + 1
    monkeypatch.setattr(access.time, "time", lambda: later)
    assert client.get("/admin/people").status_code == 302
