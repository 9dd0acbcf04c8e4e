"""The request of an action: signed, limited in time, tried twice at most, the same key both times.

``POST`` of JSON to the company's address, with ``Frontdesk-Signature`` (chatbot/signatures.py) and ``Idempotency-Key``
(draft-ietf-httpapi-idempotency-key-header): a service that has seen the key answers as before and does nothing twice.

    {"action": "order_status", "lang": "en", "slots": {"order": "KC204817"}, "proof": {}, "conversation": "…"}

It answers 200 with an object, 404 where there is no such thing, 401 or 403 where the proof does not fit. Server errors,
429 and silence are tried once more. What personal data the answer holds stays with the caller: nothing here is logged.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chatbot.dialogue.action_templates import in_words, look_up
from chatbot.dialogue.actions import Action, Outcome, Proof
from chatbot.errors import FrontdeskError, InputError, OutboundError
from chatbot.outbound import Fetched, fetch
from chatbot.signatures import HEADER, signature

KEY_HEADER = "Idempotency-Key"
ANSWER_LIMIT = 256 * 1024  # bytes
TRIES = 2
VERIFIED = "verified"  # what a service that checks the proof must answer with true


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. ``proof`` holds what the customer gave and the signed-in identity."""

    slots: Mapping[str, str]
    proof: Mapping[str, str]
    lang: str
    conversation: str
    key: str  # idempotency key


def call(
    action: Action,
    request: Request,
    *,
    secret: str,
    allow: Iterable[str] = (),
    now: Callable[[], float] = time.time,
    fetching: Callable[..., Fetched] = fetch,
) -> Outcome:
    """Ask the service, once more where that may help, and hold the proof against what it answers. Never raises."""
    body = json.dumps(
        {
            "action": action.name,
            "lang": request.lang,
            "slots": dict(request.slots),
            "proof": dict(request.proof),
            "conversation": request.conversation,
        },
        ensure_ascii=False,
    ).encode()
    began = time.perf_counter()
    outcome = Outcome("failed", "not tried")
    for attempt in range(1, TRIES + 1):
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            HEADER: signature(secret, body, at=int(now())),
            KEY_HEADER: request.key,
        }
        outcome, again = _once(action, request, body, headers, tuple(allow), fetching)
        outcome = replace(outcome, attempts=attempt)
        if not again:
            break
    return replace(outcome, milliseconds=round(1000 * (time.perf_counter() - began), 1))


def _once(
    action: Action,
    request: Request,
    body: bytes,
    headers: Mapping[str, str],
    allow: tuple[str, ...],
    fetching: Callable[..., Fetched],
) -> tuple[Outcome, bool]:
    """The outcome of one try, and whether another may help."""
    try:
        answer = fetching(
            action.url, method="POST", headers=headers, body=body, allow=allow, seconds=action.seconds,
            limit=ANSWER_LIMIT,
        )  # fmt: skip
    except InputError as error:  # the address may not be asked
        return Outcome("failed", error.message), False
    except (OutboundError, OSError) as error:
        return Outcome("failed", error.message if isinstance(error, FrontdeskError) else str(error)), True
    if answer.status == 404:
        return Outcome("not_found", "the service knows no such thing", 404), False
    if answer.status in (401, 403):
        return Outcome("refused", "the service does not accept the proof", answer.status), False
    if not answer.ok:
        again = answer.status >= 500 or answer.status == 429
        return Outcome("failed", f"the service answered {answer.status}", answer.status), again
    try:
        found = json.loads(answer.body, parse_constant=_no_number)
    except (ValueError, RecursionError):  # nested by the thousand: json reads that one call deeper each
        return Outcome("failed", "the service's answer is not JSON", answer.status), False
    if not isinstance(found, dict):
        return Outcome("failed", "the service's answer is no JSON object", answer.status), False
    reason = unproven(action.proof, found, request.proof)
    if reason:
        return Outcome("refused", reason, answer.status), False
    return Outcome("done", status=answer.status, answer=found), False


def _no_number(name: str) -> float:
    """NaN and Infinity are no JSON (RFC 8259, section 6), and no words for a customer. Raises ValueError."""
    raise ValueError(name)


def unproven(proof: Proof, answer: Mapping[str, Any], given: Mapping[str, str]) -> str:
    """Why the answer may not be shown; empty where it may. What the service does not say is not taken as proven."""
    if proof.kind == "none":
        return ""
    if proof.kind == "service":
        return "" if answer.get(VERIFIED) is True else f"the service did not answer {VERIFIED}: true"
    missing = []
    for name, value in given.items():
        if name not in proof.paths:
            continue
        found, expected = look_up(answer, proof.paths[name])
        if not found:
            missing.append(proof.paths[name])
        elif value and hmac.compare_digest(
            _comparable(name, value).encode(), _comparable(name, in_words(expected, "en")).encode()
        ):
            return ""
    if missing:
        return f"the answer holds no {', '.join(missing)} to hold the proof against"
    return "the proof does not fit the answer"


def _comparable(name: str, value: str) -> str:
    """Spaces, dashes and case make no difference in a postcode; an address is compared as a whole."""
    if name == "postcode":
        return "".join(ch for ch in value.casefold() if ch.isalnum())
    return value.strip() if name == "identity" else value.strip().casefold()
