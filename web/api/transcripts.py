"""Finished conversations from another system, signed: they are redacted and learned from like an export's."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from flask import Response, jsonify, make_response, request
from flask_limiter.util import get_remote_address
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from chatbot.errors import InputError, NotFoundError
from chatbot.records.tables import utcnow
from chatbot.signatures import HEADER, check_signature
from web.api.models import ErrorAnswer
from web.context import parts
from web.limits import limiter

MOST_BYTES = 2 * 1024 * 1024
LEAST_SECRET = 32  # characters
RATE = "600 per minute"

api = APIBlueprint(
    "transcripts",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="transcripts", description="Finished conversations of other systems, to learn from.")],
    abp_responses=dict.fromkeys((400, 401, 404, 413, 415, 422, 429), ErrorAnswer),
)


class FormatQuery(BaseModel):
    format: Literal["auto", "jsonl", "helpdesk", "intercom", "chatwoot"] = Field(
        "auto", description="The system it comes from; auto tells by its fields."
    )


class TakenAnswer(BaseModel):
    state: Literal["stored", "known", "dropped"]
    reason: str = Field("", description="Where it was dropped: the rule.")
    examples: int = Field(0, description="Customer questions found in it.")
    intent: str | None = None


@api.post(
    "/transcripts",
    responses={200: TakenAnswer, 201: TakenAnswer},
    summary="Hand in a finished conversation",
)
@limiter.limit(RATE, key_func=get_remote_address)
def take(query: FormatQuery) -> Response:
    """One conversation as JSON: `{"id", "turns": [{"role": "customer"|"agent", "text"}], "intent"?, "lang"?}`, or as
    Zendesk, Intercom or Chatwoot give it. `Frontdesk-Signature: t=<unix seconds>,v1=<hex>` signs it: HMAC-SHA256 of
    `<t>.<body>` with the installation's secret, at most five minutes old. The same one again changes nothing."""
    from ingest.finished import take_in_conversation

    secret = parts().settings.transcripts_secret
    if not secret:
        raise NotFoundError(
            "This installation takes no conversations here", remedy="Set FRONTDESK_TRANSCRIPTS_SECRET"
        )
    if len(secret) < LEAST_SECRET:
        raise NotFoundError(
            "The installation's secret is too short to be used",
            field="FRONTDESK_TRANSCRIPTS_SECRET",
            remedy=f"Give it at least {LEAST_SECRET} random characters",
        )
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=True)
    check_signature(secret, request.headers.get(HEADER), body, now=utcnow())
    if not request.is_json:
        raise InputError(
            "The body is not JSON",
            code="not_json",
            status=415,
            field="Content-Type",
            value=request.mimetype or None,
            remedy="Send a JSON object with Content-Type: application/json",
        )
    record = request.get_json(silent=True)
    if not isinstance(record, dict):
        raise InputError("The body is no JSON object", code="bad_json", status=400, field="body")
    taken = take_in_conversation(parts().database, record, format=query.format)
    return make_response(jsonify(asdict(taken)), 201 if taken.state == "stored" else 200)
