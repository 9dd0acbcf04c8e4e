"""Conversations of other people's chat windows, which know a sender's name and no token of ours.

A sender's conversation is found by a name made of channel, site and sender, so that it needs no table of its own;
nobody holds a token for it, so the visitor's own API stays shut for it. Whoever may use a channel may write as any
sender: that is why a channel wants an API key, unless the site opens its channels to everybody.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chatbot.dialogue.cards import cards_of, with_cards
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import InputError
from chatbot.records.conversations import find_site, start_conversation
from chatbot.records.tables import Conversation, Site, Turn
from web.addresses import whole_cards
from web.api.keys import given_key, require_key
from web.context import parts
from web.visitors import check_origin, new_token, own_origin, token_hash
from web.widget_options import WidgetOptions

LONGEST_SENDER = 200
SCOPE = "chat"


@dataclass(frozen=True, slots=True)
class Said:
    """What a channel may show after a message: the reply's parts, or nothing while a person is on it, and before
    them what an agent has said since the sender's last message."""

    conversation: str
    state: str
    agent_turns: tuple[str, ...]
    parts: tuple[Mapping[str, Any], ...]


def say(*, channel: str, sender: str, text: str, locale: str | None, site_key: str | None) -> Said:
    """Bring a message in and answer it. Raises AccessError for strangers, InputError for what cannot be."""
    if not sender or len(sender) > LONGEST_SENDER:
        raise InputError(
            "The sender is missing or too long",
            field="sender",
            remedy=f"Name who writes, in at most {LONGEST_SENDER} characters",
        )
    with parts().database.read() as session:
        site = find_site(session, site_key)
    let_in(site)
    conversation, seen = _conversation(site, channel=channel, sender=sender, locale=locale)
    accepted = parts().exchange.accept(
        conversation.public_id,
        text=text,
        client_message_id=None,
        locale=conversation.locale,
        options=SiteOptions.from_json(site.options),
    )
    answered = parts().exchange.answer(accepted)
    with parts().database.read() as session:
        agents = session.scalars(
            select(Turn)
            .where(Turn.conversation_id == conversation.id, Turn.role == "agent", Turn.id > seen)
            .order_by(Turn.id)
        ).all()
    origin = own_origin()
    body = answered.as_json(origin=origin)
    return Said(
        conversation.public_id,
        answered.state,
        tuple(with_cards(turn.text, whole_cards(cards_of("agent", turn.reply), origin)) for turn in agents),
        tuple(body["reply"]["parts"]) if body["reply"] else (),
    )


def sender_key() -> str:
    """What messages of a channel are counted under: the sender where a key vouches for him (one program brings many
    people's messages), else the address."""
    body = request.get_json(silent=True)
    sender = body.get("sender") if isinstance(body, dict) else None
    key = given_key()
    return (
        f"{key[:16]}:{str(sender)[:LONGEST_SENDER]}" if key and sender else f"address:{request.remote_addr}"
    )


def let_in(site: Site) -> None:
    """A program with a key of scope ``chat``, or anybody where the site's channels are open (and then a browser only
    from the site's allowed origins). Raises AccessError."""
    if given_key() is not None or not WidgetOptions.of_site(site.options).open_channels:
        require_key(SCOPE)
    if request.headers.get("Origin"):
        check_origin(site.allowed_origins)


def _conversation(site: Site, *, channel: str, sender: str, locale: str | None) -> tuple[Conversation, int]:
    """The sender's conversation, made where there is none, and the last of his turns so far."""
    name = hashlib.sha256(f"{channel}\x00{site.key}\x00{sender}".encode()).digest()
    public_id = "c-" + base64.urlsafe_b64encode(name[:24]).decode().rstrip("=")
    while True:  # twice at most: whoever lost the race finds what the other has made
        with parts().database.read() as session:
            found = _find(session, public_id)
        if found is not None:
            return found
        try:
            with parts().database.write() as session:
                made = start_conversation(
                    session,
                    site_id=site.id,
                    token_hash=token_hash(new_token()),
                    locale=locale or "en",
                    channel=channel,
                )
                made.public_id = public_id
                session.flush()
            return made, 0
        except IntegrityError:  # the same sender's first two messages at once
            continue


def _find(session: Session, public_id: str) -> tuple[Conversation, int] | None:
    conversation = session.scalar(select(Conversation).where(Conversation.public_id == public_id))
    if conversation is None:
        return None
    last = session.scalar(
        select(Turn.id)
        .where(Turn.conversation_id == conversation.id, Turn.role == "customer")
        .order_by(Turn.id.desc())
        .limit(1)
    )
    return conversation, last or 0
