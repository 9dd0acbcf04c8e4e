"""An agent bot for Chatwoot: its events come in here, answers go out through its API (chatbot/records/deliveries.py).

Chatwoot posts to the bot's address, whose last part is the bridge's key. Newer versions sign: ``X-Chatwoot-Signature:
sha256=<hex>`` over ``"<X-Chatwoot-Timestamp>.<body>"``; where the bridge knows the secret, an unsigned or old request
is refused. The bot speaks while a conversation is ``pending``; once it has handed over (``open``) it is silent, and an
agent's or an automation's ``pending`` gives it back. Conversations of a bridge do not appear in our own inbox.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import IntegrityError

from chatbot.dialogue.cards import with_cards
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.summary import Said, summarise
from chatbot.errors import AccessError, InputError, UnavailableError
from chatbot.language.normalise import detect_language
from chatbot.records import bridges
from chatbot.records.actions import action_titles
from chatbot.records.conversation_search import read_conversation
from chatbot.records.conversations import find_conversation
from chatbot.records.deliveries import add_for_bridge
from chatbot.records.tables import ChatwootBridge, Conversation, Site, utcnow
from web.context import parts
from web.exchange import Answered, primary
from web.limits import limiter
from web.numbers import MOST_DIGITS, whole
from web.visitors import own_origin

log = logging.getLogger(__name__)

NEWEST = 300  # seconds that a signed request may be old
RATE = "600 per minute"
STATES = {"pending": "bot", "open": "human", "snoozed": "human", "resolved": "closed"}

blueprint = Blueprint("chatwoot", __name__, url_prefix="/webhooks/chatwoot")


@blueprint.post("/<key>")
@limiter.limit(RATE)
def heard(key: str) -> Response:
    """One event. What the bot has no part in is taken and left alone: ``{"done": false}``."""
    with parts().database.read() as session:
        bridge = bridges.find_bridge(session, key)
    if bridge.signing_secret:
        check_signature(bridge.signing_secret, request.get_data(cache=True))
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InputError("The body is no JSON object", code="bad_json", status=400, field="body")
    name = body.get("event")
    done = False
    if name == "message_created":
        done = _message(bridge, body, picked=False)
    elif name == "message_updated":
        done = _message(bridge, body, picked=True)
    elif name in ("conversation_status_changed", "conversation_opened", "conversation_resolved"):
        done = _status(bridge, body)
    return jsonify({"done": done})


def check_signature(secret: str, body: bytes, *, now: float | None = None) -> None:
    """Raises AccessError for a request that Chatwoot has not signed within the last minutes."""
    stamp = request.headers.get("X-Chatwoot-Timestamp", "")
    given = request.headers.get("X-Chatwoot-Signature", "").removeprefix("sha256=")
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    sent = whole(stamp)
    fresh = sent is not None and abs((time.time() if now is None else now) - sent) <= NEWEST
    if not fresh or not hmac.compare_digest(given, expected):
        raise AccessError(
            "This request is not signed by Chatwoot",
            code="bad_signature",
            status=401,
            remedy="Copy the agent bot's secret into the bridge again",
        )


def _number(value: object) -> int:
    number = whole(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 10**MOST_DIGITS:
        raise InputError("Not a number of Chatwoot's", field="id", value=repr(value)[:40])
    return number


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text_of(body: dict[str, Any], *, picked: bool) -> str:
    """What the customer wrote, or the value of the choice that he tapped; empty for everything else."""
    if body.get("private"):
        return ""
    if not picked:
        text = body.get("content")
        return text.strip() if body.get("message_type") in ("incoming", 0) and isinstance(text, str) else ""
    values = _dict(body.get("content_attributes")).get("submitted_values")
    first = _dict(values[0]) if isinstance(values, list) and values else {}
    return str(first.get("value") or "").strip()


def _message(bridge: ChatwootBridge, body: dict[str, Any], *, picked: bool) -> bool:
    text = _text_of(body, picked=picked)
    about = _dict(body.get("conversation"))
    if not text or about.get("status") not in ("pending", None):
        return False
    chatwoot_id, message_id = _number(about.get("id")), _number(body.get("id"))
    conversation = _find_or_start(bridge, chatwoot_id, body, text)
    with parts().database.read() as session:
        options = SiteOptions.from_json(session.get_one(Site, bridge.site_id).options)
    try:
        accepted = parts().exchange.accept(
            conversation.public_id,
            text=text[: parts().settings.message_limit],
            client_message_id=f"chatwoot:{message_id}{':picked' if picked else ''}",
            locale=conversation.locale,
            options=options,
        )
        answered = parts().exchange.answer(accepted)
    except UnavailableError as error:
        log.warning("chatwoot conversation %s goes to a person: %s", chatwoot_id, error)
        _hand_over(bridge, conversation, chatwoot_id, event=f"away:{message_id}")
        return True
    if answered.reply is None:
        return False
    _answer(bridge, conversation, chatwoot_id, answered)
    return True


def _find_or_start(bridge: ChatwootBridge, chatwoot_id: int, body: dict[str, Any], text: str) -> Conversation:
    """The conversation, with the bot: Chatwoot says that it is pending."""
    sender = _dict(body.get("sender"))
    database = parts().database
    for attempt in (1, 2):
        try:
            with database.write() as session:
                known = bridges.bridged(session, bridge, chatwoot_id)
                if known is None:
                    return bridges.start_bridged(
                        session,
                        bridge,
                        chatwoot_id,
                        locale=detect_language(text),
                        name=str(sender.get("name") or ""),
                        email=str(sender.get("email") or ""),
                    )
                if known.state in ("waiting", "human"):
                    known.state = "bot"
                return known
        except IntegrityError:
            if attempt == 2:
                raise
    raise AssertionError  # the loop has returned or raised


def _answer(bridge: ChatwootBridge, conversation: Conversation, chatwoot_id: int, answered: Answered) -> None:
    """Put the reply into the outbox, part by part; a handover follows it."""
    told = answered.as_json(origin=own_origin())["reply"]
    mark = f"turn:{answered.turn_id}"
    with parts().database.write() as session:
        row = find_conversation(session, conversation.public_id, lock=True)
        if bridges.already_sent(session, row.id, mark):
            return
        for part in told["parts"]:
            add_for_bridge(
                session,
                row,
                bridge_id=bridge.id,
                event=mark,
                payload={"path": f"{chatwoot_id}/messages", "body": message_of(part)},
            )
    if answered.state == "waiting":
        _hand_over(bridge, conversation, chatwoot_id, event=f"open:{answered.turn_id}")


def message_of(part: dict[str, Any]) -> dict[str, Any]:
    """A part of a reply as Chatwoot's API takes it: choices become a list to tap, cards and sources words and
    links below the text."""
    links = [f"[{source['title']}]({source['url']})" for source in part["sources"] if source["url"]]
    body: dict[str, Any] = {
        "content": "\n\n".join([with_cards(part["text"], part["cards"]), *links]),
        "message_type": "outgoing",
        "private": False,
    }
    if part["choices"]:
        items = [{"title": choice["title"], "value": choice["payload"]} for choice in part["choices"]]
        body |= {"content_type": "input_select", "content_attributes": {"items": items}}
    return body


def _hand_over(bridge: ChatwootBridge, conversation: Conversation, chatwoot_id: int, *, event: str) -> None:
    """To Chatwoot's agents, with the two-line summary as a private note."""
    with parts().database.write() as session:
        view = read_conversation(session, conversation.id)
        row = find_conversation(session, conversation.public_id, lock=True)
        if bridges.already_sent(session, row.id, event):
            return
        row.state = "human"
        titles = action_titles(session, primary(row.locale))
        said = [
            Said.of_turn(
                one.turn.role,
                one.turn.text,
                kind=one.turn.kind,
                reply=one.turn.reply,
                vote=one.vote,
                trace=one.turn.trace,
                actions=titles,
            )
            for one in view.turns
        ]
        summary = "\n".join(summarise(said).lines(primary(row.locale)))
        steps: list[tuple[str, dict[str, Any]]] = [
            ("messages", {"content": summary, "message_type": "outgoing", "private": True}),
            ("toggle_status", {"status": "open"}),
        ]
        for path, body in steps:
            add_for_bridge(
                session,
                row,
                bridge_id=bridge.id,
                event=event,
                payload={"path": f"{chatwoot_id}/{path}", "body": body},
            )


def _status(bridge: ChatwootBridge, body: dict[str, Any]) -> bool:
    """Agents there have taken, given back or resolved it."""
    state = STATES.get(str(body.get("status")))
    if state is None:
        return False
    with parts().database.write() as session:
        known = bridges.bridged(session, bridge, _number(body.get("id")))
        if known is None:
            return False
        row = find_conversation(session, known.public_id, lock=True)
        row.state = state
        row.closed_at = utcnow() if state == "closed" else None
    return True
