"""What an API key opens: the key in ``Authorization: Bearer fdk_…``, its scope, and where lists go on."""

from __future__ import annotations

import base64
import binascii

from flask import g, request

from chatbot.errors import AccessError, InputError
from chatbot.records.api_keys import PREFIX, USE_NOTED_EVERY, check_key, note_use
from chatbot.records.tables import ApiKey, utcnow
from web.context import parts
from web.visitors import bearer_token

KEY: list[dict[str, list[str]]] = [{"api_key": []}]


def given_key() -> str | None:
    """The API key of the request, None where it brings none (or a conversation's token)."""
    token = bearer_token()
    return token if token is not None and token.startswith(PREFIX) else None


def require_key(scope: str) -> ApiKey:
    """The key's row. Raises AccessError where the request has no key, a wrong one, or one for other things."""
    key = given_key()
    if key is None:
        raise AccessError(
            "An API key is needed here",
            code="no_key",
            status=401,
            remedy="Send Authorization: Bearer fdk_…; keys are made in the admin area",
        )
    with parts().database.read() as session:
        row = check_key(session, key, scope)
    if row.last_used_at is None or utcnow() - row.last_used_at > USE_NOTED_EVERY:
        with parts().database.write() as session:
            note_use(session, row.id)
    g.api_key = row
    return row


def key_rate_key() -> str:
    """What a program's requests are counted under."""
    key = given_key()
    return f"key:{key[:16]}" if key else f"address:{request.remote_addr}"


def to_cursor(last_id: int) -> str:
    """Where the next page begins. Clients pass it on as it is: its inside may change."""
    return base64.urlsafe_b64encode(f"1:{last_id}".encode()).decode().rstrip("=")


def from_cursor(cursor: str | None) -> int | None:
    """Raises InputError for what no answer of ours has given out."""
    if not cursor:
        return None
    try:
        version, _, number = (
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        )
        if version != "1" or not number.isdecimal() or len(number) > 18:
            raise ValueError(cursor)
        return int(number)
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise InputError(
            "This cursor is not one of ours",
            field="cursor",
            value=cursor[:50],
            remedy="Give next_cursor of the page before, or leave it out",
        ) from error
