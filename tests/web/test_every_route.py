"""Every route of the application, whatever module it is in: who may use it, what it says to strangers and to rubbish.

A new route is guarded (a role, a conversation's token, a key), or it is named in ``OPEN`` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest
from werkzeug.routing import Rule

from web.access import required_role

OPEN = {
    "access.account": "sends strangers to the sign-in",
    "access.account_change": "refuses strangers itself (401)",
    "access.language": "the language of the sign-in page",
    "access.second_step_begin": "refuses strangers itself (401)",
    "access.second_step_off": "refuses strangers itself (401)",
    "access.second_step_on": "refuses strangers itself (401)",
    "access.second_step_page": "sends strangers to the sign-in",
    "access.session_state": "says whether somebody is signed in, nothing else",
    "access.set_up": "opened by its one-time token",
    "access.set_up_now": "opened by its one-time token",
    "access.sign_in": "the sign-in",
    "access.sign_in_code": "the sign-in",
    "access.sign_in_code_now": "the sign-in",
    "access.sign_in_now": "the sign-in",
    "access.sign_out": "the sign-out",
    "admin.static": "style sheets and scripts",
    "chat.start": "any visitor may begin to talk; limited by address and origin",
    "chatwoot.heard": "opened by the key in the bot's address",
    "deep_chat.message": "any visitor may talk; limited by address and origin",
    "health.healthz": "liveness",
    "health.readyz": "readiness",
    "inbox.static": "style sheets and scripts",
    "metrics.metrics": "closed without a token of its own (tests/web/test_operation.py)",
    "openapi": "the public description of the API",
    "rasa.health": "liveness, as Rasa's channel has it",
    "rasa.webhook": "any visitor may talk; limited by address",
    "waiting.hours": "opening hours stand on the website too",
    "widget.asset": "scripts of the widget",
    "widget.chat": "the chat page",
    "widget.favicon": "an icon",
    "widget.frame": "the widget's frame",
    "widget.help_article": "published articles",
    "widget.home": "the home page",
    "widget.loader": "the widget's loader",
    "widget.locale": "texts of the widget",
}
REFUSES_STRANGERS = {name for name, why in OPEN.items() if why.startswith("refuses strangers")}
MARK = "PLANTED-4711"


@dataclass(frozen=True)
class Route:
    endpoint: str
    method: str
    rule: Rule

    def path(self, **values: str) -> str:
        def fill(found: re.Match[str]) -> str:
            converter, _, name = found[1].rpartition(":")
            return values.get(name, "1" if converter == "int" else "x")

        return re.sub(r"<([^>]+)>", fill, self.rule.rule)


def routes(app: Flask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(rule.endpoint, method, rule)


@pytest.fixture
def talking(client: FlaskClient) -> tuple[str, str]:
    """A conversation in which something secret was said: its id and its token."""
    started = client.post("/api/v1/conversations", json={}).get_json()
    client.post(
        f"/api/v1/conversations/{started['id']}/messages",
        json={"text": f"my order is {MARK}"},
        headers={"Authorization": f"Bearer {started['token']}"},
    )
    return started["id"], started["token"]


def test_every_route_is_guarded_or_open_for_a_reason(app: Flask) -> None:
    unknown = [
        route.endpoint
        for route in routes(app)
        if route.endpoint not in OPEN
        and required_role(app.view_functions[route.endpoint]) is None
        and app.test_client().open(route.path(), method=route.method, json={}).status_code not in (401, 404)
    ]
    assert unknown == []


def test_a_route_that_names_a_role_refuses_strangers(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # the guard alone must do
    for route in routes(app):
        if required_role(app.view_functions[route.endpoint]) or route.endpoint in REFUSES_STRANGERS:
            answer = app.test_client().open(route.path(), method=route.method)
            assert answer.status_code in (302, 401), route
            if answer.status_code == 302:
                assert "/admin/sign-in" in answer.headers["Location"], route


def test_a_conversation_opens_to_its_own_token_only(app: Flask, talking: tuple[str, str]) -> None:
    public_id, token = talking
    other = app.test_client().post("/api/v1/conversations", json={}).get_json()
    walked = 0
    for route in routes(app):
        if "<conversation_id>" not in route.rule.rule or not route.rule.rule.startswith("/api/"):
            continue
        walked += 1
        path = route.path(conversation_id=public_id, turn_id="1", file_id="x")
        for given in (None, "Bearer ", f"Bearer {other['token']}", f"Basic {token}", f"Bearer {token}x"):
            headers = {"Authorization": given} if given else {}
            answer = app.test_client().open(path, method=route.method, json={}, headers=headers)
            assert answer.status_code == 401, (route, given)
            assert MARK not in answer.text
        in_address = app.test_client().open(f"{path}?token={token}", method=route.method, json={})
        assert in_address.status_code == 401, route
    assert walked >= 7


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b'{"text": null}',
        b'{"text": {"$ne": 1}, "site": ["x"]}',
        b'{"text": "\\ud800", "client_message_id": 7}',
        b"\xff\xfe\x00",
        b"[" * 3000,
    ],
    ids=range(9),
)
def test_rubbish_is_refused_in_words_and_nothing_of_others_comes_back(
    app: Flask, talking: tuple[str, str], rubbish: bytes
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    other = app.test_client().post("/api/v1/conversations", json={}).get_json()
    for route in routes(app):
        path = route.path(conversation_id=other["id"], token="A" * 300)
        answer = app.test_client().open(
            path,
            method=route.method,
            data=rubbish,
            content_type="application/json",
            headers={"Authorization": f"Bearer {other['token']}"},
        )
        assert answer.status_code < 500 or answer.status_code == 503, (route, answer.text)
        assert MARK not in answer.text and "Traceback" not in answer.text, route
        if answer.is_json and answer.status_code >= 400 and route.endpoint != "health.readyz":
            told = answer.get_json()["error"]
            # deep-chat reads a plain text there (its own format); everything else is of the one shape.
            assert told if route.endpoint.startswith("deep_chat.") else told["message"], route


def test_every_answer_carries_the_headers_that_keep_a_browser_in_bounds(
    app: Flask, talking: tuple[str, str]
) -> None:
    for route in routes(app):
        if route.method != "GET":
            continue
        answer = app.test_client().get(route.path())
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, route
        assert answer.headers["X-Content-Type-Options"] == "nosniff", route
        assert "Referrer-Policy" in answer.headers and "Permissions-Policy" in answer.headers, route
        assert "frame-ancestors" in policy, route
        assert "Server" not in answer.headers or "Python" not in answer.headers["Server"], route


def test_no_method_but_the_routes_own_is_answered(app: Flask) -> None:
    for route in routes(app):
        answer = app.test_client().open(route.path(), method="TRACE")
        assert answer.status_code in (302, 401, 404, 405), route


def test_deep_brackets_are_no_json_wherever_a_body_is_read(app: Flask) -> None:

    with app.test_request_context(data=b"[" * 30_000, method="POST", content_type="application/json"):
        assert request.get_json(silent=True) is None
        with pytest.raises(BadRequest):
            request.get_json()


def test_an_id_that_no_row_can_have_is_not_found_and_no_crash(app: Flask) -> None:
    client = app.test_client()
    for number in (2**63, 10**40):
        assert client.get(f"/admin/intents/{number}").status_code == 404
    started = client.post("/api/v1/conversations", json={}).get_json()
    address = f"/api/v1/conversations/{started['id']}/turns/{2**64}/feedback"
    headers = {"Authorization": f"Bearer {started['token']}"}
    assert client.post(address, json={"vote": "up"}, headers=headers).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b'{"files": ["\\ud800"]}', b'{"text": "x", "files": ["a\\u0000b"]}', b'{"\\ud800": {"a": ["\\udfff"]}}'],
)
def test_half_a_surrogate_pair_deep_in_a_body_is_no_crash(
    app: Flask, talking: tuple[str, str], body: bytes
) -> None:
    public_id, token = talking
    answer = app.test_client().post(
        f"/api/v1/conversations/{public_id}/messages",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code < 500
