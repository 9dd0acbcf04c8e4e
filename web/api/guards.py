"""What stands before every view of the chat API: limits, preflights, the shape of the body, the visitor's token."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request
from flask_openapi3 import APIBlueprint, Tag
from limits import parse

from chatbot.errors import InputError
from web.api.models import ErrorAnswer
from web.context import parts
from web.limits import limiter
from web.visitors import add_cors, answer_preflight, open_conversation, visitor_key

READS_PER_MESSAGE = 10  # a visitor may look for news this much more often than write
TOKEN: list[dict[str, list[str]]] = [{"conversation_token": []}]


def message_rate() -> str:
    return parts().settings.chat_rate


def request_rate() -> str:
    """Everything a visitor asks for, reading included."""
    limit = parse(message_rate())
    return f"{limit.amount * READS_PER_MESSAGE} per {limit.multiples} {limit.GRANULARITY.name}"


def visitor_blueprint(name: str, import_name: str, *, tag: Tag) -> APIBlueprint:
    """A blueprint below /api/v1 for visitors, with these guards before each of its views."""
    blueprint = APIBlueprint(
        name,
        import_name,
        url_prefix="/api/v1",
        abp_tags=[tag],
        abp_responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 429, 503), ErrorAnswer),
    )
    limiter.limit(request_rate, key_func=visitor_key)(blueprint)
    blueprint.before_request(guard)
    blueprint.after_request(cors)
    return blueprint


def guard() -> Response | None:
    """Preflights, the shape of the body, and the token, in this order and before any view."""
    if request.method == "OPTIONS":
        return answer_preflight()
    if request.method == "POST" and request.mimetype != "multipart/form-data":
        check_json()
    public_id = (request.view_args or {}).get("conversation_id")
    if public_id is not None:
        g.caller = open_conversation(public_id)
    return None


def check_json() -> None:
    """Raises InputError for a body that is not a JSON object; an empty one counts as one (web/headers.py)."""
    if not request.get_data(cache=True):
        return
    if not request.is_json:
        raise InputError(
            "The body is not JSON",
            code="not_json",
            status=415,
            field="Content-Type",
            value=request.mimetype or None,
            remedy="Send a JSON object with Content-Type: application/json",
        )
    body: Any = request.get_json(silent=True)
    if body is None and request.get_data().strip() != b"null":
        raise InputError("The body cannot be read as JSON", code="bad_json", status=400, field="body")
    if not isinstance(body, dict):
        raise InputError("The body is no JSON object", field="body", remedy='Send an object: {"text": …}')


def cors(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return add_cors(response)
