"""Signed bodies: ``Frontdesk-Signature: t=<unix seconds>,v1=<hex>``, v1 the HMAC-SHA256 of ``"<t>." + body``.

The time is signed too, so that a request that somebody recorded is worth nothing after ``WINDOW``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

from chatbot.errors import AccessError

HEADER = "Frontdesk-Signature"
WINDOW = 300  # seconds that a request's clock may be off, either way
_FORM = re.compile(r"t=(\d{1,12})((?:,v1=[0-9a-f]{64}){1,4})")


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value; ``at`` in unix seconds."""
    return f"t={at},v1={_digest(secret, body, at)}"


def check_signature(secret: str, header: str | None, body: bytes, *, now: datetime) -> None:
    """Raises AccessError (401) for a header that is missing, malformed, too old or of another secret or body.

    Several ``v1`` may be given while a secret is changed; one that fits is enough.
    """
    found = _FORM.fullmatch(header or "")
    if found is None:
        raise _refused(
            "The request is not signed", remedy=f"Send {HEADER}: t=<unix seconds>,v1=<HMAC-SHA256 as hex>"
        )
    at = int(found[1])
    if abs(now.timestamp() - at) > WINDOW:
        raise _refused(
            "The signature is too old", value=at, remedy="Sign each request anew, with the right clock"
        )
    expected = _digest(secret, body, at)
    given = found[2].removeprefix(",v1=").split(",v1=")
    if not any(hmac.compare_digest(expected, one) for one in given):
        raise _refused(
            "The signature does not fit", remedy="Sign the body as it is sent, with the shared secret"
        )


def _digest(secret: str, body: bytes, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def _refused(message: str, *, value: object = None, remedy: str) -> AccessError:
    return AccessError(message, code="bad_signature", status=401, field=HEADER, value=value, remedy=remedy)
