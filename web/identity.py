"""Visitors whom the company has signed in itself: its server vouches for them with the site's secret.

Two ways, the first one to be preferred since it ends by itself:

- a JWT (RFC 7519) signed with HS256 (RFC 7518, section 3.2): ``sub``, ``exp``, and ``name`` and ``email`` at will;
- ``{"id", "hmac"}`` where ``hmac`` is the hex HMAC-SHA256 of the id.

Only HS256 is ever accepted: a token that names another algorithm, ``none`` among them, is refused before anything
of it is believed (RFC 8725, section 3.1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from chatbot.errors import AccessError, InputError
from chatbot.records.visitors import Identity

LEEWAY_SECONDS = 60  # two servers' clocks
LONGEST_LIFE_SECONDS = 31 * 86_400
LONGEST_ID = 200
LONGEST_JWT = 4_000


def new_secret() -> str:
    """256 random bits (RFC 7518, section 3.2 wants at least as many as the hash has)."""
    return "fds_" + secrets.token_urlsafe(32)


def prove(given: Mapping[str, Any], *, secret: str | None, now: float | None = None) -> Identity:
    """The identity, where the site's secret has signed it.

    Raises InputError for a shape that cannot be, AccessError (401) for a signature that is wrong or out of date.
    """
    if not secret:
        raise InputError(
            "This site takes no signed visitors",
            field="identity",
            remedy="Make the site's secret in the admin area first, or leave the identity out",
        )
    jwt = given.get("jwt")
    if jwt is not None:
        claims = _claims(jwt, secret=secret, now=time.time() if now is None else now)
        return Identity(_id(claims.get("sub"), "sub"), _text(claims, "name"), _text(claims, "email"))
    identity = _id(given.get("id"), "id")
    signature = given.get("hmac")
    if not isinstance(signature, str):
        raise InputError(
            "The identity is not signed",
            field="identity",
            remedy='Give {"jwt": …}, or {"id": …, "hmac": …} made on your server',
        )
    expected = hmac.new(secret.encode(), identity.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.strip().lower().encode("utf-8", "replace")):
        raise _refused("The signature does not fit the id")
    return Identity(identity, _text(given, "name"), _text(given, "email"))


def _claims(token: Any, *, secret: str, now: float) -> dict[str, Any]:
    if not isinstance(token, str) or len(token) > LONGEST_JWT or token.count(".") != 2:
        raise InputError("This is no JWT", field="identity.jwt", remedy="Send header.payload.signature")
    head, payload, signature = token.split(".")
    header = _decoded(head)
    if header.get("alg") != "HS256" or "crit" in header:
        raise _refused(f"The token's algorithm is {str(header.get('alg'))[:20]}, not HS256")
    expected = hmac.new(
        secret.encode(), f"{head}.{payload}".encode("ascii", "replace"), hashlib.sha256
    ).digest()
    if not hmac.compare_digest(expected, _bytes(signature)):
        raise _refused("The token's signature is wrong")
    claims = _decoded(payload)
    expires, starts = claims.get("exp"), claims.get("nbf", 0)
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise _refused("The token has no expiry (exp)")
    if now > expires + LEEWAY_SECONDS:
        raise _refused("The token has expired", code="identity_expired")
    if expires - now > LONGEST_LIFE_SECONDS:
        raise _refused("The token is valid for more than 31 days")
    if isinstance(starts, bool) or not isinstance(starts, int | float) or now < starts - LEEWAY_SECONDS:
        raise _refused("The token is not valid yet")
    return claims


def _decoded(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InputError("The token cannot be read", field="identity.jwt") from error
    if not isinstance(found, dict):
        raise InputError("The token cannot be read", field="identity.jwt")
    return found


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise InputError("The token cannot be read", field="identity.jwt") from error


def _id(value: Any, name: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_ID or "\x00" in value:
        raise InputError(
            "The visitor's id is missing or too long",
            field=f"identity.{name}",
            remedy=f"Give your own id of this customer, at most {LONGEST_ID} characters",
        )
    return value


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value.replace("\x00", "").strip() or None if isinstance(value, str) else None


def _refused(message: str, *, code: str = "wrong_signature") -> AccessError:
    return AccessError(
        message,
        code=code,
        status=401,
        field="identity",
        remedy="Sign it on your server with the site's secret (docs/embed.md shows how)",
    )
