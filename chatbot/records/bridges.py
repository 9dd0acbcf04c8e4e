"""Bridges to Chatwoot: which account's agent bot this installation is, and which conversation there is which here."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import InputError, NotFoundError
from chatbot.records.conversations import start_conversation
from chatbot.records.tables import ChatwootBridge, Conversation, Delivery, Visitor

CHANNEL = "chatwoot"


def list_bridges(session: Session) -> list[ChatwootBridge]:
    return list(session.scalars(select(ChatwootBridge).order_by(ChatwootBridge.id)))


def get_bridge(session: Session, bridge_id: int) -> ChatwootBridge:
    bridge = session.get(ChatwootBridge, bridge_id)
    if bridge is None:
        raise NotFoundError("There is no such bridge", field="bridge", value=bridge_id)
    return bridge


def add_bridge(
    session: Session,
    *,
    site_id: int,
    base_url: str,
    account_id: int,
    access_token: str,
    signing_secret: str = "",
) -> tuple[ChatwootBridge, str]:
    """A new bridge and its key, told this once. ``base_url`` has been checked. Raises InputError."""
    if account_id < 1:
        raise InputError("Not an account's number", field="account_id", value=account_id)
    if not access_token.strip():
        raise InputError(
            "The agent bot's access token is missing",
            field="access_token",
            remedy="Chatwoot shows it with the agent bot",
        )
    key = secrets.token_urlsafe(32)
    bridge = ChatwootBridge(
        site_id=site_id,
        key_hash=_digest(key),
        base_url=base_url.rstrip("/"),
        account_id=account_id,
        access_token=access_token.strip(),
        signing_secret=signing_secret.strip(),
    )
    session.add(bridge)
    session.flush()
    return bridge, key


def find_bridge(session: Session, key: str) -> ChatwootBridge:
    """The bridge with this key. Raises NotFoundError, also for one that is switched off."""
    bridge = session.scalar(select(ChatwootBridge).where(ChatwootBridge.key_hash == _digest(key)))
    if bridge is None or not bridge.active:
        raise NotFoundError("There is no such bridge", remedy="Copy the agent bot's address once more")
    return bridge


def external_id(bridge: ChatwootBridge, chatwoot_id: int) -> str:
    return f"chatwoot:{bridge.id}:{chatwoot_id}"


def bridged(session: Session, bridge: ChatwootBridge, chatwoot_id: int) -> Conversation | None:
    """The conversation here that is number ``chatwoot_id`` there."""
    return session.scalar(
        select(Conversation).where(Conversation.external_id == external_id(bridge, chatwoot_id))
    )


def start_bridged(
    session: Session,
    bridge: ChatwootBridge,
    chatwoot_id: int,
    *,
    locale: str,
    name: str | None,
    email: str | None,
) -> Conversation:
    """Raises IntegrityError where another process was quicker (then ``bridged`` finds it)."""
    conversation = start_conversation(
        session,
        site_id=bridge.site_id,
        token_hash=_digest(secrets.token_urlsafe(32)),  # nobody holds its token
        locale=locale,
        channel=CHANNEL,
    )
    conversation.external_id = external_id(bridge, chatwoot_id)
    visitor = session.get_one(Visitor, conversation.visitor_id)
    visitor.name, visitor.email = (name or "")[:200] or None, (email or "")[:320] or None
    session.flush()
    return conversation


def already_sent(session: Session, conversation_id: int, event: str) -> bool:
    """Whether this was put into the outbox before: Chatwoot may tell the same twice."""
    found = select(Delivery.id).where(
        Delivery.conversation_id == conversation_id, Delivery.kind == "chatwoot", Delivery.event == event
    )
    return session.scalar(found.limit(1)) is not None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
