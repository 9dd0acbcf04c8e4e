"""The chat API, version 1 (CONTRACTS: HTTP)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from flask import Response, g, jsonify, make_response, request
from flask_limiter.util import get_remote_address
from flask_openapi3 import APIBlueprint, Tag
from limits import parse

from chatbot.dialogue.options import SiteOptions
from chatbot.errors import FrontdeskError, InputError
from chatbot.records.conversations import (
    PAGE,
    close_conversation,
    find_conversation,
    find_site,
    give_feedback,
    hand_over,
    return_to_bot,
    start_conversation,
    turns_after,
)
from web.api.models import (
    AfterQuery,
    CloseBody,
    ConversationPath,
    ErrorAnswer,
    FeedbackBody,
    HandoverBody,
    MessageAnswer,
    MessageBody,
    StartBody,
    Started,
    StateAnswer,
    TurnPath,
    TurnsAnswer,
    VoteAnswer,
)
from web.context import parts
from web.exchange import Accepted, Answered, primary
from web.limits import limiter
from web.streaming import MIME, event, follow, pieces, stream, turn_json
from web.visitors import (
    add_cors,
    answer_preflight,
    caller,
    check_origin,
    new_token,
    open_conversation,
    own_origin,
    token_hash,
    visitor_key,
)

log = logging.getLogger(__name__)

HANDOVER_BY_VISITOR = "visitor_asked"
READS_PER_MESSAGE = 10  # a visitor may look for news this much more often than write

api = APIBlueprint(
    "chat",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="chat", description="Conversations of a site's visitors.")],
    abp_responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 429, 503), ErrorAnswer),
)
TOKEN: list[dict[str, list[str]]] = [{"conversation_token": []}]


def message_rate() -> str:
    return parts().settings.chat_rate


def request_rate() -> str:
    """Everything a visitor asks for, reading included."""
    limit = parse(message_rate())
    return f"{limit.amount * READS_PER_MESSAGE} per {limit.multiples} {limit.GRANULARITY.name}"


limiter.limit(request_rate, key_func=visitor_key)(api)


@api.before_request
def guard() -> Response | None:
    """Preflights, the shape of the body, and the token, in this order and before any view."""
    if request.method == "OPTIONS":
        return answer_preflight()
    if request.method == "POST" and request.get_data(cache=True):
        if not request.is_json:
            raise InputError(
                "The body is not JSON",
                code="not_json",
                status=415,
                field="Content-Type",
                value=request.mimetype or None,
                remedy="Send a JSON object with Content-Type: application/json",
            )
        body = request.get_json(silent=True)
        if body is None and request.get_data().strip() != b"null":
            raise InputError("The body cannot be read as JSON", code="bad_json", status=400, field="body")
        if not isinstance(body, dict):
            raise InputError("The body is no JSON object", field="body", remedy='Send an object: {"text": …}')
    public_id = (request.view_args or {}).get("conversation_id")
    if public_id is not None:
        g.caller = open_conversation(public_id)
    return None


@api.after_request
def cors(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return add_cors(response)


@api.post("/conversations", responses={201: Started}, summary="Start a conversation")
@limiter.limit(message_rate, key_func=get_remote_address)
def start(body: StartBody) -> Response:
    """The token is told once: keep it. `site` may be left out where there is only one."""
    if body.identity is not None:
        raise InputError(
            "Signed identities are not accepted",
            field="identity",
            remedy="Leave it out: every conversation starts without a name",
        )
    token = new_token()
    with parts().database.write() as session:
        site = find_site(session, body.site)
        check_origin(site.allowed_origins)
        conversation = start_conversation(
            session,
            site_id=site.id,
            token_hash=token_hash(token),
            locale=body.locale or "en",
            channel="widget" if request.headers.get("Origin") else "api",
        )
    greeting = greeting_for(SiteOptions.from_json(site.options), conversation.locale)
    answer = {"id": conversation.public_id, "token": token, "state": conversation.state, "greeting": greeting}
    return make_response(jsonify(answer), 201)


@api.post(
    "/conversations/<conversation_id>/messages",
    responses={200: MessageAnswer, 202: MessageAnswer},
    security=TOKEN,
    summary="Send a message",
)
@limiter.limit(message_rate, key_func=visitor_key)
def send(path: ConversationPath, body: MessageBody) -> Response:
    """With `Accept: text/event-stream` the answer comes as events `status`, `delta`, `reply` or `error`. While a
    person is awaited or answers: 202 and no reply."""
    by = caller()
    accepted = parts().exchange.accept(
        by.public_id,
        text=body.text,
        client_message_id=body.client_message_id,
        locale=by.locale,
        options=by.options,
    )
    if request.accept_mimetypes.best_match(["application/json", MIME], "application/json") == MIME:
        return stream(_events(accepted))
    answered = parts().exchange.answer(accepted)
    return make_response(jsonify(answered.as_json(origin=own_origin())), answered.status)


def _events(accepted: Accepted) -> Iterator[str]:
    """The answer as events. It is computed and stored even where the visitor has gone after the first one: he
    finds it when he comes back."""
    exchange, origin = parts().exchange, own_origin()  # the generator outlives the request

    def events() -> Iterator[str]:
        try:
            yield event("status", {"state": accepted.state, "message_id": accepted.turn.id})
        except GeneratorExit:
            with contextlib.suppress(FrontdeskError):
                exchange.answer(accepted)
            raise
        try:
            answered: Answered = exchange.answer(accepted)
        except FrontdeskError as error:
            yield event("error", {"error": error.as_json(), "retry_after": error.retry_after})
            return
        except Exception:
            log.exception("a reply failed")
            yield event(
                "error", {"error": {"code": "internal_error", "message": "Something went wrong here"}}
            )
            return
        if answered.reply is not None:
            for piece in pieces(answered.reply["text"]):
                yield event("delta", {"text": piece})
        yield event("reply", answered.as_json(origin=origin))

    return events()


@api.get(
    "/conversations/<conversation_id>/messages",
    responses={200: TurnsAnswer},
    security=TOKEN,
    summary="Turns of a conversation",
)
def read(path: ConversationPath, query: AfterQuery) -> Response:
    """Customer, bot and agent turns in order, those after `after` only."""
    by = caller()
    with parts().database.read() as session:
        state = find_conversation(session, by.public_id).state
        turns = turns_after(session, by.conversation_id, after=query.after, limit=PAGE + 1)
    body: dict[str, Any] = {
        "state": state,
        "turns": [turn_json(turn, origin=own_origin()) for turn in turns[:PAGE]],
    }
    return make_response(jsonify(body | {"more": len(turns) > PAGE}))


@api.get(
    "/conversations/<conversation_id>/events",
    responses={200: {"content": {MIME: {"schema": {"type": "string"}}}}},
    security=TOKEN,
    summary="News of a conversation as they come",
)
def events(path: ConversationPath, query: AfterQuery) -> Response:
    """Server-sent events `turn`, `state`, `end` while a person is awaited or answers; it ends by itself within a
    minute, or at once when the conversation is with the bot: then ask for the messages instead."""
    by = caller()
    with parts().streams.reserved() as release:
        return stream(
            follow(
                parts().database, by.conversation_id, after=query.after, origin=own_origin(), release=release
            )
        )


@api.post(
    "/conversations/<conversation_id>/turns/<int:turn_id>/feedback",
    responses={200: VoteAnswer},
    security=TOKEN,
    summary="Thumb up or down",
)
def feedback(path: TurnPath, body: FeedbackBody) -> Response:
    """A second vote on the same answer replaces the first."""
    with parts().database.write() as session:
        given = give_feedback(session, caller().public_id, path.turn_id, vote=body.vote, comment=body.comment)
    return make_response(jsonify({"turn_id": path.turn_id, "vote": given.vote}))


@api.post(
    "/conversations/<conversation_id>/handover",
    responses={200: StateAnswer},
    security=TOKEN,
    summary="Ask for a person",
)
def handover(path: ConversationPath, body: HandoverBody) -> Response:
    """The bot is silent from here on, until a person has closed the conversation or the visitor resumes."""
    with parts().database.write() as session:
        conversation = hand_over(
            session, caller().public_id, reason=HANDOVER_BY_VISITOR, note=body.reason or None
        )
    return make_response(jsonify({"state": conversation.state}))


@api.post(
    "/conversations/<conversation_id>/resume",
    responses={200: StateAnswer, 409: ErrorAnswer},
    security=TOKEN,
    summary="Go back to the bot",
)
def resume(path: ConversationPath) -> Response:
    """For a visitor who does not want to wait for a person any longer."""
    with parts().database.write() as session:
        conversation = return_to_bot(session, caller().public_id)
    return make_response(jsonify({"state": conversation.state}))


@api.post(
    "/conversations/<conversation_id>/close",
    responses={200: StateAnswer},
    security=TOKEN,
    summary="End a conversation",
)
def close(path: ConversationPath, body: CloseBody) -> Response:
    """A new message opens it again."""
    with parts().database.write() as session:
        conversation = close_conversation(
            session, caller().public_id, csat=body.csat, comment=body.comment or None
        )
    return make_response(jsonify({"state": conversation.state}))


def greeting_for(options: SiteOptions, locale: str) -> str:
    """The site's greeting in the visitor's language, else in English, else in any."""
    greetings = options.greeting
    return greetings.get(primary(locale)) or greetings.get("en") or next(iter(greetings.values()), "")
