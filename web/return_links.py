"""The way back from an e-mail into a conversation: a signed code behind the ``#`` of the link.

A fragment never reaches a server's log or another page's Referer. The code opens one conversation for LIFETIME, like
its token; nothing is stored for it, and a changed e-mail address or a new session key ends it.
"""

from __future__ import annotations

from hashlib import sha256

from itsdangerous import BadData, URLSafeTimedSerializer

LIFETIME = 30 * 86_400  # seconds
PREFIX = "mail."  # tells a code from a token where either may come
_SALT = "frontdesk.return-link"


def return_link(*, key: str, origin: str, site: str, public_id: str, email: str) -> str:
    """``key`` is the installation's session key, ``origin`` its address."""
    code = PREFIX + str(_serializer(key).dumps([public_id, _digest(email)]))
    return f"{origin}/chat?site={site}#c={public_id}&k={code}"


def opens(code: str, *, key: str, public_id: str, email: str | None) -> bool:
    """Whether the bearer ``code`` of an e-mail opens the conversation."""
    if not code.startswith(PREFIX) or not email:
        return False
    try:
        told = _serializer(key).loads(code.removeprefix(PREFIX), max_age=LIFETIME)
    except BadData:
        return False
    return told == [public_id, _digest(email)]


def _digest(email: str) -> str:
    return sha256(email.encode()).hexdigest()[:16]


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt=_SALT)
