"""The fuzz bench itself: its requests are repeatable and varied, and it notices what it is there to notice."""

from __future__ import annotations

import contextlib
import json
import random
import re
from typing import Any

import pytest
from flask import Flask

from web.bench.fuzz import Findings, passed
from web.bench.raw_http import Answer, request_bytes
from web.bench.spoiling import Description, Spoiler


@pytest.fixture
def description(app: Flask) -> Description:
    routes = [
        (rule.endpoint, rule.rule, tuple(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})))
        for rule in app.url_map.iter_rules()
    ]
    return Description(routes, app.test_client().get("/openapi.json").get_json())


def requests(description: Description, seed: int, count: int = 400) -> list[bytes]:
    spoiler = Spoiler(random.Random(seed), description, others=["victim"])
    return [spoiler.as_visitor("own", "token") for _ in range(count)]


def test_the_same_seed_makes_the_same_requests_and_they_reach_every_part(description: Description) -> None:
    made = requests(description, 7)
    assert made == requests(description, 7) != requests(description, 8)
    joined = b"\n".join(made)
    for part in (b"/messages", b"/admin/", b"/webhooks/", b"victim", b"Bearer token", b"multipart", b"own"):
        assert part in joined


def test_enough_messages_are_fit_to_be_answered(description: Description) -> None:
    """Most are spoilt; where hardly one is whole, nothing behind the first check is tried."""
    sent = [
        made
        for made in requests(description, 9, 20_000)
        if made.startswith(b"POST /api/v1/conversations/own/messages ")
    ]
    fit = 0
    for made in sent:
        head, _, body = made.partition(b"\r\n\r\n")
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(body)
            fit += (
                isinstance(value, dict)
                and value.keys() <= {"text", "client_message_id"}
                and isinstance(value.get("text"), str)
                and bool(value["text"].strip())
                and b"Bearer token\r" in head
            )
    assert 0.1 * len(sent) < fit < 0.6 * len(sent)


def test_an_admin_fills_in_forms_and_names_no_row_of_a_victim(description: Description) -> None:
    spoiler = Spoiler(random.Random(3), description, others=["victim"], avoided=range(2990))
    made = [spoiler.as_admin("session=x", "token", spared=("access.sign_out",)) for _ in range(600)]
    numbers = {
        int(found) for request in made for found in re.findall(rb" /admin/articles/(\d+)[ /?]", request)
    }
    assert numbers & set(range(2990, 3001)) and not numbers & set(range(100, 2990))
    assert any(request.count(b"=") > 9 and b"csrf_token=token" in request for request in made)
    assert not any(b"/admin/sign-out" in request for request in made)


def test_programs_come_with_their_key_and_every_request_says_what_it_is_for(description: Description) -> None:
    spoiler = Spoiler(random.Random(4), description, others=["victim"])
    endpoints = set()
    for _ in range(300):
        assert b"Authorization: Bearer fdk_1" in spoiler.as_program("fdk_1", "own")
        endpoints.add(spoiler.last)
    assert {"reading.transcript", "examples.add", "rasa.webhook"} <= endpoints
    assert not any(endpoint.startswith("admin.") for endpoint in endpoints)


def test_the_slowest_routes_are_named() -> None:
    findings = Findings()
    for endpoint, seconds in (("a", 0.1), ("b", 0.5), ("b", 0.1), ("c", 0.2)):
        findings.note_time(endpoint, seconds)
    assert findings.slowest(2) == {"b": 0.3, "c": 0.2}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(500), "server_errors"),
        (Answer(200, body=b"your order PLANTED-1"), "leaks"),
        (Answer(302, head=b"location: /PLANTED-1"), "leaks"),
        (Answer(400, body=b"Traceback (most recent call last):"), "tracebacks"),
        (None, "unanswered"),
    ],
)
def test_trouble_is_noticed_and_the_request_is_kept(answer: Answer | None, kind: str) -> None:
    findings = Findings()
    findings.take(b"GET /x HTTP/1.1", answer, (b"PLANTED-1",))
    assert findings.troubles[kind] == 1 and "GET /x" in findings.examples[kind][0]


def test_a_full_machine_and_refusals_are_no_trouble() -> None:
    findings = Findings()
    findings.take(b"", Answer(503, headers={"retry-after": "5"}), (b"PLANTED-1",))
    findings.take(b"", Answer(404), (b"PLANTED-1",))
    assert not findings.troubles and findings.refused == 1


def test_any_trouble_fails_the_run() -> None:
    clean: dict[str, Any] = dict.fromkeys(
        ("server_errors", "tracebacks", "log_tracebacks", "leaks", "changed", "unanswered"), 0
    )
    assert passed(clean)
    assert not any(passed(clean | {name: 1}) for name in clean)


def test_a_request_is_sent_as_it_is_written() -> None:
    made = request_bytes("POST", "/x", body=b"{", headers={"Content-Type": "text/plain"})
    assert made.endswith(b"Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n{")
