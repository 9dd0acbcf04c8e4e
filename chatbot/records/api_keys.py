"""Keys for programs: made once, shown once, kept as a hash, each good for named things only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chatbot.errors import AccessError, ConflictError, InputError, NotFoundError
from chatbot.records.tables import ApiKey, utcnow

SCOPES = {
    "chat": "Talk to the bot as a channel (Rasa REST, deep-chat)",
    "conversations:read": "Read conversations",
    "conversations:write": "Answer visitors as an agent does",
    "knowledge:read": "Read articles",
    "knowledge:write": "Write, change and delete articles",
    "actions": "Make and change actions",
    "examples": "Read and change the examples of intents",
    "intents": "Make and withdraw provisional intents",
    "statistics:read": "Read the figures of the overview",
    "webhooks": "Make and change webhooks",
}
PREFIX = "fdk_"
SHOWN = 10  # characters that people may see afterwards
USE_NOTED_EVERY = timedelta(minutes=1)


def key_hash(key: str) -> str:
    """SHA-256 as hex: the key holds 256 random bits, so a slow hash would protect nothing more."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def create_key(
    session: Session, *, name: str, scopes: Iterable[str], created_by_id: int | None = None
) -> tuple[ApiKey, str]:
    """A new key and, this once, its text. Raises InputError for no name, no scope or an unknown one."""
    name, wanted = name.strip(), list(dict.fromkeys(scopes))
    if not name or len(name) > 100:
        raise InputError("Give the key a name", field="name", value=name[:50], remedy="Say who will use it")
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise InputError(
            "Choose what the key is for",
            field="scopes",
            value=", ".join(unknown) or None,
            remedy=f"Use some of {', '.join(SCOPES)}",
        )
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        name=name, prefix=key[:SHOWN], key_hash=key_hash(key), scopes=wanted, created_by_id=created_by_id
    )
    session.add(row)
    session.flush()
    return row, key


def list_keys(session: Session) -> list[ApiKey]:
    return list(session.scalars(select(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())))


def revoke_key(session: Session, key_id: int, *, now: datetime | None = None) -> ApiKey:
    """From the next request on the key opens nothing. Raises NotFoundError, ConflictError for one that is off."""
    row = session.get(ApiKey, key_id)
    if row is None:
        raise NotFoundError("No such key", field="key", value=key_id)
    if row.revoked_at is not None:
        raise ConflictError("This key is switched off already", field="key", value=row.prefix)
    row.revoked_at = now or utcnow()
    return row


def check_key(session: Session, key: str, scope: str) -> ApiKey:
    """The key's row. Raises AccessError: 401 for a key that is unknown or off, 403 where it is not for this."""
    row = session.scalar(select(ApiKey).where(ApiKey.key_hash == key_hash(key)))
    if row is None or row.revoked_at is not None:
        raise AccessError(
            "This API key is unknown or switched off",
            code="wrong_key",
            status=401,
            value=key[:SHOWN] if key.startswith(PREFIX) else None,
            remedy="Make one in the admin area under API keys",
        )
    if scope not in row.scopes:
        raise AccessError(
            f"This API key is not for {scope}",
            code="missing_scope",
            value=", ".join(row.scopes),
            remedy=f"Make one with the scope {scope}",
        )
    return row


def note_use(session: Session, key_id: int, *, now: datetime | None = None) -> None:
    """Remember that a key is in use, at most once a minute: not a write for every request."""
    now = now or utcnow()
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == key_id,
            (ApiKey.last_used_at.is_(None)) | (ApiKey.last_used_at < now - USE_NOTED_EVERY),
        )
        .values(last_used_at=now)
    )
