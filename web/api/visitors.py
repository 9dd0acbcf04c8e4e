"""One visitor for programs, with an API key: who it is, from where, and every conversation with what came of it."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from chatbot.records.visitor_history import SentFile, Talk, files_in, read_visitor, talks_of
from web.api.guards import request_rate
from web.api.keys import KEY, from_cursor, key_rate_key, require_key, to_cursor
from web.api.models import ErrorAnswer, FileAnswer, Id
from web.api.reading import PageQuery
from web.context import parts
from web.limits import limiter

api = APIBlueprint(
    "visitors",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="reading", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 422, 429), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)


@api.before_request
def guarded() -> None:
    """Before a path is looked at: a stranger learns nothing about it."""
    require_key("conversations:read")


class VisitorPath(BaseModel):
    visitor_id: Id


class VisitorRow(BaseModel):
    id: int
    site: str
    identity: str | None = Field(description="The company's own id, signed by its server. null: anonymous.")
    name: str | None
    email: str | None
    details: dict[str, Any] = Field(description="What else he told before a chat.")
    locale: str | None
    first_seen_at: str
    last_seen_at: str
    conversations: int
    languages: dict[str, int] = Field(
        description="Number of conversations by the language of his first message."
    )
    pages: dict[str, int] = Field(
        description="The ten pages of the website on which most of his conversations began, with how many."
    )


class TalkRow(BaseModel):
    id: str
    state: str
    locale: str
    channel: str
    page: str | None
    created_at: str
    last_activity_at: str
    first_text: str
    messages: int
    agent: str | None
    outcome: str | None = Field(description="What an agent said of it when closing.")
    csat: int | None
    csat_comment: str | None
    disliked: bool = Field(description="Whether some answer got a thumb down.")
    files: list[FileAnswer]


class VisitorAnswer(BaseModel):
    visitor: VisitorRow
    conversations: list[TalkRow]
    next_cursor: str | None = Field(description="null: that was the last page of conversations.")


@api.get("/visitors/<visitor_id>", responses={200: VisitorAnswer}, security=KEY, summary="Read a visitor")
def visitor(path: VisitorPath, query: PageQuery) -> Response:
    """With his conversations, newest first. The list of conversations names visitors' ids. Scope
    `conversations:read`."""
    with parts().database.read() as session:
        view = read_visitor(session, path.visitor_id)
        page = talks_of(session, path.visitor_id, before=from_cursor(query.cursor), limit=query.limit)
        files = files_in(session, [talk.id for talk in page.talks])
    one = view.visitor
    told = {
        "id": one.id,
        "site": view.site.key,
        "identity": one.identity,
        "name": one.name,
        "email": one.email,
        "details": one.details or {},
        "locale": one.locale,
        "first_seen_at": one.created_at.isoformat(timespec="milliseconds"),
        "last_seen_at": one.last_seen_at.isoformat(timespec="milliseconds"),
        "conversations": view.conversations,
        "languages": dict(view.languages),
        "pages": dict(view.pages.most),
    }
    return make_response(
        jsonify(
            {
                "visitor": told,
                "conversations": [_talk(talk, files.get(talk.id, ())) for talk in page.talks],
                "next_cursor": to_cursor(page.older) if page.older is not None else None,
            }
        )
    )


def _talk(talk: Talk, files: tuple[SentFile, ...]) -> dict[str, Any]:
    return {
        "id": talk.public_id,
        "state": talk.state,
        "locale": talk.locale,
        "channel": talk.channel,
        "page": talk.page,
        "created_at": talk.started.isoformat(timespec="milliseconds"),
        "last_activity_at": talk.last_activity.isoformat(timespec="milliseconds"),
        "first_text": talk.first_text,
        "messages": talk.turns,
        "agent": talk.agent,
        "outcome": talk.outcome,
        "csat": talk.csat,
        "csat_comment": talk.csat_comment,
        "disliked": talk.disliked,
        "files": [
            {"id": file.public_id, "name": file.name, "type": file.media_type, "bytes": file.size}
            for file in files
        ],
    }
