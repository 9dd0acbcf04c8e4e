"""For visitors whom nobody can take just now: when people are there, and where an answer reaches them."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, jsonify, make_response
from flask_openapi3 import Tag
from pydantic import BaseModel, Field, StringConstraints

from chatbot.dialogue.absence import leave_contact
from chatbot.dialogue.hours import closes_at, in_words, is_open, opens_at
from chatbot.dialogue.options import SiteOptions
from chatbot.records.conversations import find_conversation, find_site
from chatbot.records.tables import utcnow
from web.api.guards import TOKEN, visitor_blueprint
from web.api.models import Body, ConversationPath, StateAnswer
from web.context import parts
from web.exchange import primary
from web.visitors import caller, check_origin

api = visitor_blueprint(
    "waiting", __name__, tag=Tag(name="waiting", description="When nobody is there just now.")
)


class HoursQuery(BaseModel):
    site: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="The site's key; without it the first site, `default`."
    )
    locale: Annotated[str, StringConstraints(max_length=16)] = Field(
        "en", description="Language of `opens_in_words`."
    )


class HoursAnswer(BaseModel):
    open: bool = Field(description="Whether somebody is there now. Without opening hours always.")
    opens_at: str | None = Field(None, description="ISO 8601, while it is closed.")
    closes_at: str | None = Field(None, description="ISO 8601, while it is open and will close.")
    opens_in_words: str | None = Field(None, examples=["Monday at 09:00"])
    zone: str | None = Field(None, examples=["Europe/Berlin"])
    hide: bool = Field(False, description="The site wants no chat button just now.")


class ContactBody(Body):
    email: Annotated[str, StringConstraints(max_length=320)] = Field(examples=["ana@example.com"])
    name: Annotated[str, StringConstraints(max_length=200)] = ""


@api.get("/hours", responses={200: HoursAnswer}, summary="Opening hours of a site")
def hours(query: HoursQuery) -> Response:
    """Outside them a handover is a message left: the visitor is told when it opens again."""
    with parts().database.read() as session:
        site = find_site(session, query.site)
        check_origin(site.allowed_origins)
        options = SiteOptions.from_json(site.options)
    kept, now = options.opening_hours, utcnow()
    body: dict[str, Any] = {"open": is_open(kept, now)}
    if kept is not None:
        opening = None if body["open"] else opens_at(kept, now)
        closing = closes_at(kept, now) if body["open"] else None
        body |= {
            "zone": kept.zone,
            "hide": options.hide_closed and not body["open"],
            "opens_at": opening.isoformat() if opening else None,
            "closes_at": closing.isoformat() if closing else None,
            "opens_in_words": in_words(opening, kept, now=now, lang=primary(query.locale))
            if opening
            else None,
        }
    return make_response(jsonify(body))


@api.post(
    "/conversations/<conversation_id>/contact",
    responses={200: StateAnswer},
    security=TOKEN,
    summary="Where an answer reaches the visitor",
)
def contact(path: ConversationPath, body: ContactBody) -> Response:
    """Agents' replies go there once the visitor has left. While he waits for a person it makes his messages stay in
    the inbox whatever he does next."""
    with parts().database.write() as session:
        conversation = find_conversation(session, caller().public_id, lock=True)
        leave_contact(session, conversation, email=body.email, name=body.name)
    return make_response(jsonify({"state": conversation.state}))
