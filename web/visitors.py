"""Who a visitor is and what he may do: site keys, allowed origins (CORS), bearer tokens, limits.

The chat API knows no cookies. A conversation belongs to whoever holds its token: 32 random bytes, told once when
the conversation starts, kept here as their SHA-256 only, and accepted in the ``Authorization`` header only.
Since nothing is sent along by the browser itself, a foreign page cannot act for a visitor (no CSRF); the allowed
origins keep foreign pages from running a chat of their own on a company's machine.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from flask import Response, current_app, g, request
from sqlalchemy import bindparam, select

from chatbot.dialogue.options import SiteOptions
from chatbot.errors import AccessError, InputError, NotFoundError
from chatbot.records.conversations import State, no_conversation
from chatbot.records.tables import Conversation, Site, Visitor
from web.context import parts
from web.return_links import opens

TOKEN_BYTES = 32
CORS_HEADERS = {
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Expose-Headers": "Retry-After",
    "Access-Control-Max-Age": "600",
}
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Caller:
    """The conversation that the request's token opens, as it was when the request came in."""

    conversation_id: int
    public_id: str
    state: State
    locale: str
    site_key: str
    options: SiteOptions


# --- tokens ----------------------------------------------------------------------------------------------


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """SHA-256 as hex. The token is random, so neither a salt nor a slow hash adds anything."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def bearer_token() -> str | None:
    """The token in the Authorization header (RFC 6750, section 2.1), None where there is none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


_OPENED = (  # asked for every request of a visitor: made once
    select(Conversation, Site, Visitor.email)
    .join(Site, Site.id == Conversation.site_id)
    .join(Visitor, Visitor.id == Conversation.visitor_id)
    .where(Conversation.public_id == bindparam("public_id"))
)


def open_conversation(public_id: str) -> Caller:
    """The caller's conversation. Raises NotFoundError where there is none, AccessError (401) for a missing or wrong
    token, AccessError (403) for a page of a foreign origin."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFoundError("No such conversation", field="conversation", value=public_id)
    with parts().database.read(alone=True) as session:
        found = session.execute(_OPENED, {"public_id": public_id}).one_or_none()
    if found is None:
        raise no_conversation(public_id)
    conversation, site, email = found
    token = bearer_token()
    if token is None:
        raise AccessError(
            "The conversation's token is missing",
            code="no_token",
            status=401,
            remedy="Send it as Authorization: Bearer <token>",
        )
    mailed = opens(token, key=current_app.config["SECRET_KEY"], public_id=conversation.public_id, email=email)
    if not mailed and not hmac.compare_digest(token_hash(token), conversation.token_hash):
        raise AccessError(
            "This token does not open this conversation",
            code="wrong_token",
            status=401,
            remedy="Use the token that came with the conversation, or start a new one",
        )
    check_origin(site.allowed_origins)
    return Caller(
        conversation_id=conversation.id,
        public_id=conversation.public_id,
        state=cast(State, conversation.state),
        locale=conversation.locale,
        site_key=site.key,
        options=SiteOptions.from_json(site.options),
    )


def caller() -> Caller:
    """The caller that the chat API's guard has let in."""
    return cast(Caller, g.caller)


def visitor_key() -> str:
    """What a visitor's requests are counted under: his token, or his address before he has one."""
    token = bearer_token()
    return f"token:{token_hash(token)[:32]}" if token else f"address:{request.remote_addr}"


# --- origins ---------------------------------------------------------------------------------------------


def own_origin() -> str:
    return request.host_url.rstrip("/").lower()


def clean_origin(text: str) -> str:
    """An allowed origin as an admin writes it, in the form that is stored: ``https://shop.example``,
    ``https://*.shop.example``, or ``*`` for any page. Raises InputError for anything else.
    """
    text = text.strip().lower()
    if text == "*":
        return text
    split = urlsplit(text if "//" in text else f"https://{text}")
    origin = f"{split.scheme}://{split.netloc}"
    default = {"https": ":443", "http": ":80"}.get(split.scheme, "")
    origin = origin.removesuffix(default) if default else origin
    if not _ORIGIN.fullmatch(origin) or split.path not in ("", "/") or split.query or split.fragment:
        raise InputError(
            "Not an origin",
            field="allowed_origins",
            value=text,
            remedy="Write scheme and host, for example https://www.shop.example",
        )
    return origin


def origin_allowed(origin: str, allowed: Iterable[str]) -> bool:
    """Whether a page of ``origin`` may use the chat: named, below a named ``*.`` domain, or any by ``*``."""
    origin = origin.lower()
    for entry in allowed:
        if entry in ("*", origin):
            return True
        scheme, wildcard, domain = str(entry).partition("://*.")
        if wildcard and origin.startswith(f"{scheme}://") and origin.endswith(f".{domain}"):
            return True
    return False


def check_origin(allowed: Iterable[str]) -> None:
    """Raises AccessError where a browser says that a page of a foreign origin asks. Other clients send no Origin;
    the installation's own pages, the widget's frame among them, always may."""
    origin = request.headers.get("Origin")
    if origin is None or origin.lower() == own_origin() or origin_allowed(origin, allowed):
        g.cors_origin = origin
        return
    raise AccessError(
        "Pages of this origin may not use this chat",
        code="foreign_origin",
        value=origin,
        remedy="Add it to the site's allowed origins in the admin area",
    )


def answer_preflight() -> Response:
    """A browser asks before it sends a request of another origin (Fetch standard, section 3.3.5). The preflight
    names no site: it may go on where any site allows the origin, and the request itself is held to its own."""
    origin = request.headers.get("Origin", "")
    with parts().database.read() as session:
        allowed = [entry for row in session.scalars(select(Site.allowed_origins)) for entry in row]
    response = Response(status=204)
    if origin and (origin.lower() == own_origin() or origin_allowed(origin, allowed)):
        g.cors_origin = origin
    return response


def add_cors(response: Response) -> Response:
    """Let the page read the answer where its origin was found to be allowed."""
    response.vary.add("Origin")
    origin = g.get("cors_origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers.update(CORS_HEADERS)
    return response


def frame_ancestors(allowed: Iterable[str]) -> str:
    """Value of CSP's frame-ancestors: who may show the widget's frame (CSP Level 3, section 6.4.2)."""
    return " ".join(["'self'", *dict.fromkeys(str(entry) for entry in allowed)])
