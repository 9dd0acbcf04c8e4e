"""The chat API, version 1 (CONTRACTS: HTTP)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import Response, jsonify, make_response, request
from flask_limiter.util import get_remote_address
from flask_openapi3 import Tag

from chatbot.dialogue.absence import tell_if_closed
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import FrontdeskError
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
    visitor_seen,
)
from chatbot.records.database import Database
from chatbot.records.tables import Site, Visitor
from chatbot.records.visitors import identify, remember_details
from web.addresses import visited_page
from web.api.guards import TOKEN, message_rate, visitor_blueprint
from web.api.models import (
    CloseBody,
    ConversationPath,
    ErrorAnswer,
    FeedbackBody,
    HandoverBody,
    IdentifyBody,
    LookQuery,
    MessageAnswer,
    MessageBody,
    StartBody,
    Started,
    StateAnswer,
    TurnPath,
    TurnsAnswer,
    TypingAnswer,
    TypingBody,
    VoteAnswer,
)
from web.context import parts
from web.exchange import Accepted, Answered, primary
from web.identity import prove
from web.limits import limiter
from web.streaming import MIME, event, follow, pieces, stream, turn_json
from web.visitors import (
    caller,
    check_origin,
    new_token,
    own_origin,
    token_hash,
    visitor_key,
)
from web.widget_options import CONTACT, WidgetOptions

log = logging.getLogger(__name__)

HANDOVER_BY_VISITOR = "visitor_asked"

api = visitor_blueprint(
    "chat", __name__, tag=Tag(name="chat", description="Conversations of a site's visitors.")
)


@api.post("/conversations", responses={201: Started}, summary="Start a conversation")
@limiter.limit(message_rate, key_func=get_remote_address)
def start(body: StartBody) -> Response:
    """The token is told once: keep it. Without `site` it is the first site's, `default`."""
    token = new_token()
    channel = "widget" if request.headers.get("Origin") else "api"
    with parts().database.write() as session:
        site = find_site(session, body.site)
        check_origin(site.allowed_origins)
        identity = prove(body.identity, secret=site.identity_secret) if body.identity is not None else None
        conversation = start_conversation(
            session,
            site_id=site.id,
            token_hash=token_hash(token),
            locale=body.locale or "en",
            channel=channel,
            page=visited_page(body.page) if body.page else None,
        )
        if identity is not None:
            identify(session, conversation, identity)
        visitor = session.get_one(Visitor, conversation.visitor_id)
        details = WidgetOptions.of_site(site.options).read_details(
            body.details or {},
            enforce=channel == "widget",
            known=frozenset(name for name in CONTACT if getattr(visitor, name, None)),
        )
        remember_details(visitor, details)
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
        files=body.files,
        locale=by.locale,
        options=by.options,
    )
    if accepted.state in ("waiting", "human"):
        parts().typing.tell(by.conversation_id, "visitor", False)
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
        # All there is by now, so it leaves in one piece: forty writes to a socket cost more than the events are worth.
        text = answered.reply["text"] if answered.reply is not None else ""
        told = [event("delta", {"text": piece}) for piece in pieces(text)]
        yield "".join([*told, event("reply", answered.as_json(origin=origin))])

    return events()


@api.get(
    "/conversations/<conversation_id>/messages",
    responses={200: TurnsAnswer},
    security=TOKEN,
    summary="Turns of a conversation",
)
def read(path: ConversationPath, query: LookQuery) -> Response:
    """Customer, bot and agent turns in order, those after `after` only."""
    by = caller()
    with parts().database.read() as session:
        state = find_conversation(session, by.public_id).state
        turns = turns_after(session, by.conversation_id, after=query.after, limit=PAGE + 1)
    if query.shown and (state in ("waiting", "human") or any(turn.role == "agent" for turn in turns)):
        with parts().database.write() as session:
            visitor_seen(session, by.conversation_id)
    body: dict[str, Any] = {
        "state": state,
        "turns": [turn_json(turn, origin=own_origin()) for turn in turns[:PAGE]],
    }
    return make_response(jsonify(body | {"more": len(turns) > PAGE}))


def _seen(database: Database, conversation_id: int) -> None:
    with database.write() as session:
        visitor_seen(session, conversation_id)


@api.get(
    "/conversations/<conversation_id>/events",
    responses={200: {"content": {MIME: {"schema": {"type": "string"}}}}},
    security=TOKEN,
    summary="News of a conversation as they come",
)
def events(path: ConversationPath, query: LookQuery) -> Response:
    """Server-sent events `turn`, `state`, `typing` (whether a colleague writes just now) and `end` while a person is
    awaited or answers; it ends by itself within a minute, or at once when the conversation is with the bot: then ask
    for the messages instead."""
    by = caller()
    seen = partial(_seen, parts().database, by.conversation_id) if query.shown else lambda: None
    with parts().streams.reserved() as release:
        return stream(
            follow(
                parts().database,
                by.conversation_id,
                after=query.after,
                origin=own_origin(),
                release=release,
                seen=seen,
                sleep=parts().news.watch(by.conversation_id).wait,
                agent_types=partial(parts().typing.seen, by.conversation_id, "agent"),
            )
        )


@api.post(
    "/conversations/<conversation_id>/typing",
    responses={200: TypingAnswer},
    security=TOKEN,
    summary="Say that the visitor is typing",
)
def typing(path: ConversationPath, body: TypingBody) -> Response:
    """Agents see it for six seconds, never what is typed: say it every three while somebody types and a person is
    awaited or answers. Sending the message ends it. Nothing is stored."""
    parts().typing.tell(caller().conversation_id, "visitor", body.typing)
    return make_response(jsonify({"typing": body.typing}))


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
        tell_if_closed(session, conversation, caller().options)
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
    "/conversations/<conversation_id>/identify",
    responses={200: StateAnswer, 409: ErrorAnswer},
    security=TOKEN,
    summary="Say who the visitor is",
)
def identify_visitor(path: ConversationPath, body: IdentifyBody) -> Response:
    """The company's server has signed it. 409 where the conversation is another visitor's: start a new one."""
    with parts().database.write() as session:
        conversation = find_conversation(session, caller().public_id, lock=True)
        site = session.get_one(Site, conversation.site_id)
        identify(session, conversation, prove(body.identity, secret=site.identity_secret))
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
