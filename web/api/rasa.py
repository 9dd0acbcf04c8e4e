"""Rasa's REST channel, so that chat windows made for Rasa talk to this bot unchanged.

``POST /webhooks/rest/webhook {"sender", "message", "metadata"?}`` → an array of messages; ``?stream=true``: one JSON
object a line. A button's payload is sent back as the next message. (Rasa's documentation, "Your own website".)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from flask import Response, jsonify, make_response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, RootModel

from chatbot.dialogue.cards import with_cards
from web.api.guards import check_json, cors, message_rate
from web.api.keys import KEY
from web.api.models import Body, ErrorAnswer
from web.channels import Said, say, sender_key
from web.limits import limiter
from web.visitors import answer_preflight

NDJSON = "application/x-ndjson"
_INTENT = re.compile(r"/(\w[\w/.-]*)(\{.*\})?", re.DOTALL)
OURS = ("/handover", "/intent ", "/article ")

api = APIBlueprint(
    "rasa",
    __name__,
    url_prefix="/webhooks/rest",
    abp_tags=[Tag(name="channels", description="Other people's chat windows.")],
    abp_responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 429, 503), ErrorAnswer),
)
limiter.limit(message_rate, key_func=sender_key)(api)
api.after_request(cors)


class RasaMessage(Body):
    sender: str = Field("default", description="Who writes: one conversation each.", examples=["visitor-17"])
    message: str = Field(
        description="What was written, or a button's payload.", examples=["Where is my order?"]
    )
    metadata: dict[str, Any] | None = Field(
        None,
        description="`language` and `site` are read; without `site` it is the first one, `default`.",
        examples=[{"language": "en"}],
    )


class RasaHealth(BaseModel):
    status: str


class RasaMessages(RootModel[list[dict[str, Any]]]):
    """Each with `recipient_id`, `text` and perhaps `buttons` and `custom`."""


@api.before_request
def guard() -> Response | None:
    if request.method == "OPTIONS":
        return answer_preflight()
    if request.method == "POST":
        check_json()
    return None


@api.get("/", responses={200: RasaHealth}, summary="Whether the channel is there")
def health() -> Response:
    """As Rasa says it."""
    return jsonify({"status": "ok"})


@api.post("/webhook", responses={200: RasaMessages}, security=KEY, summary="Send a message, Rasa's way")
def webhook(body: RasaMessage) -> Response:
    """An API key with the scope `chat`, unless the site's channels are open. While a person is on it: `[]`."""
    metadata = body.metadata or {}

    def messages() -> list[dict[str, Any]]:
        said = say(
            channel="rasa",
            sender=body.sender,
            text=_payload(body.message),
            locale=_text(metadata.get("language") or metadata.get("locale")),
            site_key=_text(metadata.get("site")),
        )
        return rasa_messages(said, body.sender)

    found = messages()
    if request.args.get("stream", "").lower() in ("true", "1"):

        def lines() -> Iterator[str]:
            for message in found:
                yield json.dumps(message, ensure_ascii=False) + "\n"

        return Response(lines(), mimetype=NDJSON)
    return make_response(jsonify(found))


def rasa_messages(said: Said, sender: str) -> list[dict[str, Any]]:
    """Cards are said in the text, for a window that knows none, and stand in ``custom`` for one that draws them."""
    messages: list[dict[str, Any]] = [{"recipient_id": sender, "text": text} for text in said.agent_turns]
    for part in said.parts:
        message: dict[str, Any] = {
            "recipient_id": sender,
            "text": with_cards(part["text"], part["cards"]),
        }
        if part["choices"]:
            message["buttons"] = [
                {"title": choice["title"], "payload": choice["payload"]} for choice in part["choices"]
            ]
        message["custom"] = {
            name: part[name] for name in ("kind", "confidence", "intent", "sources", "cards")
        }
        messages.append(message)
    return messages


def _payload(message: str) -> str:
    """``/refund_time{"order": "1"}`` is a button of Rasa's: our name for it is ``/intent refund_time``."""
    found = _INTENT.fullmatch(message.strip())
    if found is None or message.startswith(OURS):
        return message
    return f"/intent {found[1]}"


def _text(value: Any) -> str | None:
    return value[:16] if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) else None
