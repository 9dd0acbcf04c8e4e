"""Visitors whom the company vouches for, and what visitors tell before the chat."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.errors import AccessError, InputError
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Site, Visitor
from web.identity import new_secret, prove

SECRET = "fds_0123456789abcdef0123456789abcdef"
NOW = 1_800_000_000
START = "/api/v1/conversations"


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt(claims: Any, *, secret: str = SECRET, alg: str = "HS256", **header: Any) -> str:
    signed = f"{part({'alg': alg, 'typ': 'JWT', **header})}.{part(claims)}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def signature(identity: str) -> str:
    return hmac.new(SECRET.encode(), identity.encode(), hashlib.sha256).hexdigest()


def set_site(database: Database, *, secret: str | None = SECRET, **widget: Any) -> None:
    with database.write() as session:
        site = session.scalars(select(Site)).one()
        site.identity_secret = secret
        site.options = dict(site.options) | {"widget": widget}


def visitors(database: Database) -> list[Visitor]:
    with database.read() as session:
        return list(session.scalars(select(Visitor).order_by(Visitor.id)))


# --- the signature ---------------------------------------------------------------------------------------


def test_the_example_of_rfc_7515_proves_who_it_says() -> None:
    """RFC 7515, appendix A.1: a token and a key made elsewhere. It has no subject: that is said, not the signature."""
    token = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    raw = base64.urlsafe_b64decode(key + "==").decode("latin-1")
    with pytest.raises(AccessError):  # the key is bytes, our secrets are text: another key
        prove({"jwt": token}, secret=raw, now=1_300_819_000)


def test_a_token_of_the_companys_server_says_who_the_visitor_is() -> None:
    found = prove(
        {"jwt": jwt({"sub": "u-7", "exp": NOW + 60, "name": " Mei ", "email": "mei@x.example"})},
        secret=SECRET,
        now=NOW,
    )
    assert (found.id, found.name, found.email) == ("u-7", "Mei", "mei@x.example")


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (jwt({"sub": "u", "exp": NOW + 60}, secret="another"), "signature is wrong"),
        (jwt({"sub": "u", "exp": NOW - 61}), "expired"),
        (jwt({"sub": "u"}), "no expiry"),
        (jwt({"sub": "u", "exp": True}), "no expiry"),
        (jwt({"sub": "u", "exp": NOW + 32 * 86_400}), "more than 31 days"),
        (jwt({"sub": "u", "exp": NOW + 600, "nbf": NOW + 300}), "not valid yet"),
        (jwt({"sub": "u", "exp": NOW + 60}, alg="none"), "algorithm is none"),
        (jwt({"sub": "u", "exp": NOW + 60}, alg="RS256"), "algorithm is RS256"),
        (jwt({"sub": "u", "exp": NOW + 60}, crit=["b64"]), "algorithm"),
        (jwt({"sub": "u", "exp": NOW + 60}).rpartition(".")[0] + ".", "signature is wrong"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(token: str, says: str) -> None:
    with pytest.raises(AccessError) as error:
        prove({"jwt": token}, secret=SECRET, now=NOW)
    assert says in error.value.message
    assert error.value.status == 401


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"id": "u"},
        {"id": "", "hmac": "00"},
        {"id": "x" * 201, "hmac": "00"},
        {"id": "a\x00b", "hmac": "00"},
        {"jwt": "abc"},
        {"jwt": "a.b.c"},
        {"jwt": f"{part([1])}.{part({})}.x"},
        {"jwt": "é.b.c"},
        {"jwt": 7},
        {"jwt": jwt({"exp": NOW + 60})},
        {"jwt": jwt({"sub": "", "exp": NOW + 60})},
    ],
)
def test_an_identity_of_another_shape_is_named_as_such(given: dict[str, Any]) -> None:
    with pytest.raises((InputError, AccessError)) as error:
        prove(given, secret=SECRET, now=NOW)
    assert error.value.remedy or error.value.field == "identity.jwt"


def test_without_a_secret_nobody_is_believed_and_secrets_are_long() -> None:
    with pytest.raises(InputError):
        prove({"id": "", "hmac": hmac.new(b"", b"", hashlib.sha256).hexdigest()}, secret=None)
    assert len(new_secret()) > 40
    assert new_secret() != new_secret()


# --- over HTTP -------------------------------------------------------------------------------------------


def test_a_signed_visitor_is_one_visitor_in_all_his_conversations(
    client: FlaskClient, database: Database
) -> None:
    set_site(database)
    identity = {"id": "u-7", "hmac": signature("u-7"), "name": "Mei"}
    assert client.post(START, json={"identity": identity}).status_code == 201
    assert client.post(START, json={"identity": identity | {"email": "mei@x.example"}}).status_code == 201
    (visitor,) = visitors(database)
    assert (visitor.identity, visitor.name, visitor.email) == ("u-7", "Mei", "mei@x.example")
    wrong = client.post(START, json={"identity": identity | {"id": "u-8"}})
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (401, "wrong_signature")


def test_who_signs_in_during_a_conversation_keeps_it_and_another_one_cannot_have_it(
    client: FlaskClient, database: Database
) -> None:
    set_site(database)
    started = client.post(START, json={}).get_json()
    headers = {"Authorization": f"Bearer {started['token']}"}
    address = f"{START}/{started['id']}/identify"
    mine = {"identity": {"id": "u-7", "hmac": signature("u-7")}}
    assert client.post(address, json=mine, headers=headers).status_code == 200
    assert client.post(address, json=mine, headers=headers).status_code == 200
    theirs = {"identity": {"id": "u-8", "hmac": signature("u-8")}}
    refused = client.post(address, json=theirs, headers=headers)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "other_visitor")
    assert [row.identity for row in visitors(database)] == ["u-7"]


def test_a_visitor_who_was_known_before_is_found_again_and_the_nameless_one_goes(
    client: FlaskClient, database: Database
) -> None:
    set_site(database, prechat=[{"name": "phone"}])
    identity = {"id": "u-7", "hmac": signature("u-7")}
    client.post(START, json={"identity": identity})
    started = client.post(START, json={"details": {"phone": "+44 20 7946 0000"}}).get_json()
    answer = client.post(
        f"{START}/{started['id']}/identify",
        json={"identity": identity},
        headers={"Authorization": f"Bearer {started['token']}"},
    )
    assert answer.status_code == 200
    (visitor,) = visitors(database)
    assert (visitor.identity, visitor.details) == ("u-7", {"phone": "+44 20 7946 0000"})
    with database.read() as session:
        assert set(session.scalars(select(Conversation.visitor_id))) == {visitor.id}


PAGE = {"Origin": "http://localhost"}  # a browser; programs send none


def test_what_a_site_asks_for_before_the_chat_is_needed_from_browsers_only(
    client: FlaskClient, database: Database
) -> None:
    fields = [{"name": "email", "required": True}, {"name": "order", "label": {"en": "Order"}}]
    set_site(database, prechat=fields)
    missing = client.post(START, json={}, headers=PAGE)
    assert (missing.status_code, missing.get_json()["error"]["field"]) == (422, "details.email")
    for details, field in (
        ({"email": "nowhere"}, "details.email"),
        ({"email": "a@b.example", "shoe": "43"}, "details.shoe"),
        ({"email": "a@b.example", "order": "x" * 201}, "details.order"),
    ):
        refused = client.post(START, json={"details": details}, headers=PAGE)
        assert (refused.status_code, refused.get_json()["error"]["field"]) == (422, field)
    given = {"email": " a@b.example ", "order": "KC-1"}
    assert client.post(START, json={"details": given}, headers=PAGE).status_code == 201
    assert client.post(START, json={}).status_code == 201
    first, second = visitors(database)
    assert (first.email, first.details) == ("a@b.example", {"order": "KC-1"})
    assert (second.email, second.details) == (None, None)


def test_a_signed_visitor_need_not_say_again_what_the_signature_says(
    client: FlaskClient, database: Database
) -> None:
    set_site(database, prechat=[{"name": "email", "required": True}])
    identity = {"id": "u-7", "hmac": signature("u-7"), "email": "mei@x.example"}
    assert client.post(START, json={"identity": identity}, headers=PAGE).status_code == 201
