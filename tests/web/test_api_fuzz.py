"""Requests generated from the API's own description (schemathesis): no crash, and answers as described."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

MARK = "PLANTED-4711"
EXAMPLES = 8
FIXED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def conversation(app: Flask) -> dict[str, str]:
    """One's own conversation, beside another visitor's in which something secret was said."""
    client = app.test_client()
    other = client.post("/api/v1/conversations", json={}).get_json()
    client.post(
        f"/api/v1/conversations/{other['id']}/messages",
        json={"text": f"my order is {MARK}"},
        headers={"Authorization": f"Bearer {other['token']}"},
    )
    mine: dict[str, str] = client.post("/api/v1/conversations", json={}).get_json()
    return mine


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_generated_requests_are_answered_as_described(app: Flask, conversation: dict[str, str]) -> None:
    schema = openapi.from_wsgi("/openapi.json", app)
    asked, walked = 0, set[str]()
    for found in schema.get_all_operations():
        operation = found.ok()
        walked.add(operation.path)

        @FIXED
        @given(operation.as_strategy(), st.booleans())
        def ask(case: Any, with_token: bool) -> None:
            nonlocal asked
            asked += 1
            case.headers = {
                key: value for key, value in (case.headers or {}).items() if key != "Authorization"
            }
            if "conversation_id" in (case.path_parameters or {}):
                case.path_parameters["conversation_id"] = conversation["id"]
            if with_token:
                case.headers["Authorization"] = f"Bearer {conversation['token']}"
            response = case.call()
            assert MARK not in response.text and "Traceback" not in response.text
            streamed = response.headers.get("content-type", [""])[0].startswith("text/event-stream")
            checks = [not_a_server_error, status_code_conformance]
            case.validate_response(
                response, checks=checks if streamed else [*checks, response_schema_conformance]
            )

        ask()
    assert asked >= len(walked) * EXAMPLES
    assert {path.split("/")[1] for path in walked} == {"api", "webhooks"} and len(walked) >= 15
