"""The shape that the deep-chat component sends and reads: ``{"messages": [{"role", "text"}]}`` → ``{"text"}``.

It wants errors as ``{"error": "words"}``; those alone differ from the other addresses' one shape. ``sender`` comes
through its ``additionalBodyProps``; without it each request is a conversation of its own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

from flask import Response, g, jsonify, make_response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, RootModel

from chatbot.dialogue.cards import with_cards
from chatbot.errors import FrontdeskError, InputError
from web.api.guards import check_json, cors, message_rate
from web.api.keys import KEY
from web.api.models import Body, ErrorAnswer
from web.channels import Said, say, sender_key
from web.limits import limiter
from web.streaming import MIME, pieces, stream
from web.visitors import answer_preflight


class DeepChatAnswer(BaseModel):
    text: str


class InWords(BaseModel):
    error: str = Field(description="What deep-chat shows to the visitor.")


class Refused(RootModel[InWords | ErrorAnswer]):
    """In words; what is refused before this address is reached (limits, no JSON) has the one shape."""


api = APIBlueprint(
    "deep_chat",
    __name__,
    url_prefix="/webhooks/deep-chat",
    abp_tags=[Tag(name="channels", description="Other people's chat windows.")],
    abp_responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 429, 503), Refused),
)
limiter.limit(message_rate, key_func=sender_key)(api)
api.after_request(cors)


class DeepChatBody(Body):
    messages: list[dict[str, Any]] = Field(
        description="The last one is answered.",
        min_length=1,
        max_length=500,
        examples=[[{"role": "user", "text": "Where is my order?"}]],
    )
    sender: str | None = Field(
        None, description="Who writes: one conversation each.", examples=["visitor-17"]
    )
    locale: str | None = Field(None, examples=["en"], pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$")
    site: str | None = Field(None, description="The site's key; without it the first site, `default`.")


@api.before_request
def guard() -> Response | None:
    if request.method == "OPTIONS":
        return answer_preflight()
    if request.method == "POST":
        check_json()
    return None


@api.errorhandler(FrontdeskError)
def in_words(error: FrontdeskError) -> Response:
    """deep-chat shows the words of ``error`` to the visitor."""
    if error.retry_after:
        g.retry_after = error.retry_after
    return make_response(jsonify({"error": error.one_line()}), error.status)


@api.post("", responses={200: DeepChatAnswer}, security=KEY, summary="Send a message, deep-chat's way")
def message(body: DeepChatBody) -> Response:
    """With `Accept: text/event-stream` (its `stream` option) as `data: {"text": "…"}` lines."""
    text = body.messages[-1].get("text")
    if not isinstance(text, str):
        raise InputError("The last message holds no text", field="messages", remedy='Send {"role", "text"}')
    said = say(
        channel="deep-chat",
        sender=body.sender or secrets.token_urlsafe(16),
        text=text,
        locale=body.locale,
        site_key=body.site,
    )
    answer = deep_chat_text(said)
    if request.accept_mimetypes.best_match(["application/json", MIME], "application/json") == MIME:
        return stream(_events(answer))
    return make_response(jsonify({"text": answer}))


def deep_chat_text(said: Said) -> str:
    """Everything said as one text: cards and sources in Markdown, which it renders, choices as lines."""
    blocks = list(said.agent_turns)
    for part in said.parts:
        lines = [
            with_cards(part["text"], part["cards"]),
            *(f"- {choice['title']}" for choice in part["choices"]),
        ]
        lines += [f"[{source['title']}]({source['url']})" for source in part["sources"] if source["url"]]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _events(text: str) -> Iterator[str]:
    for piece in pieces(text):
        yield f"data: {json.dumps({'text': piece}, ensure_ascii=False)}\n\n"
