"""The second step of the sign-in: time-based one-time codes (RFC 6238) of a person's own app, and recovery codes.

Optional, per person. A code works once: the time step it belongs to is kept, and only a later one is taken afterwards
(RFC 6238, section 5.2). Recovery codes hold 80 random bits each; of those not used yet the SHA-256 is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp

from chatbot.errors import AccessError
from chatbot.records.tables import Person, utcnow

ISSUER = "Frontdesk"
STEP_SECONDS = 30
DRIFT = 1  # steps a phone's clock may be off
RECOVERY_CODES = 8


def new_secret() -> str:
    """160 random bits as base32 (RFC 4226, section 4, R6)."""
    return pyotp.random_base32(32)


def address(secret: str, email: str) -> str:
    """``otpauth://`` address that authenticator apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def turn_on(person: Person, secret: str, code: str, *, now: datetime | None = None) -> list[str]:
    """Ask for codes from now on; the recovery codes, to be shown once. Ends the person's other sessions.

    Raises AccessError where ``code`` is not one of this secret: the app has not been set up.
    """
    step = _step_of(secret, code, after=None, now=now or utcnow())
    if step is None:
        raise AccessError(
            "This is not the code of the moment",
            field="code",
            status=422,
            remedy="Look at the clock of your phone, and type the six digits that the app shows now",
        )
    codes = [secrets.token_hex(10) for _ in range(RECOVERY_CODES)]
    person.totp_secret, person.totp_step = secret, step
    person.recovery_codes = [_digest(one) for one in codes]
    person.session_epoch += 1
    return codes


def turn_off(person: Person) -> None:
    """Back to the password alone; ends the person's open sessions."""
    person.totp_secret = person.totp_step = person.recovery_codes = None
    person.session_epoch += 1


def check(person: Person, code: str, *, now: datetime | None = None) -> bool:
    """Whether the code opens; if so it is used up. True for a person without a second step."""
    if not person.totp_secret:
        return True
    given = "".join(code.split()).replace("-", "").lower()
    step = _step_of(person.totp_secret, given, after=person.totp_step, now=now or utcnow())
    if step is not None:
        person.totp_step = step
        return True
    digest = _digest(given)
    left = list(person.recovery_codes or [])
    for known in left:
        if hmac.compare_digest(known, digest):
            person.recovery_codes = [one for one in left if one != known]
            return True
    return False


def _step_of(secret: str, code: str, *, after: int | None, now: datetime) -> int | None:
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in range(present - DRIFT, present + DRIFT + 1):
        fits = hmac.compare_digest(totp.at(step * STEP_SECONDS), code)
        if fits and (after is None or step > after):
            return step
    return None


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
