"""Reading for programs, with an API key: conversations and articles, newest first, page by page."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from chatbot.records.conversations import PAGE, find_conversation, turns_after
from chatbot.records.tables import Article, Conversation, Visitor
from web.api.guards import request_rate
from web.api.keys import KEY, from_cursor, key_rate_key, require_key, to_cursor
from web.api.models import AfterQuery, ConversationPath, ErrorAnswer, TurnsAnswer
from web.context import parts
from web.limits import limiter
from web.streaming import turn_json
from web.visitors import own_origin

api = APIBlueprint(
    "reading",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="reading", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 422, 429), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)


class PageQuery(BaseModel):
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        None, description="`next_cursor` of the page before; left out: the newest."
    )
    limit: int = Field(50, ge=1, le=200, description="Rows of a page.")


class ConversationsQuery(PageQuery):
    state: Literal["bot", "waiting", "human", "closed"] | None = None


class ArticlesQuery(PageQuery):
    lang: Annotated[str, StringConstraints(max_length=16)] | None = None


class ConversationRow(BaseModel):
    id: str
    state: str
    locale: str
    channel: str
    page: str | None = Field(description="Where on the website it began.")
    created_at: str
    last_activity_at: str
    handover_reason: str | None
    csat: int | None
    visitor: dict[str, Any] = Field(description="`id`; `identity`, `name` and `email` where they are known.")


class ConversationsAnswer(BaseModel):
    conversations: list[ConversationRow]
    next_cursor: str | None = Field(description="null: that was the last page.")


class ArticleRow(BaseModel):
    id: int
    slug: str
    lang: str
    title: str
    body: str
    section: str
    url: str
    status: str
    updated_at: str


class ArticlesAnswer(BaseModel):
    articles: list[ArticleRow]
    next_cursor: str | None


def _page(id_column: InstrumentedAttribute[int], query: PageQuery, statement: Any) -> Any:
    """The statement for one page and one row more, which tells whether there is another page."""
    before = from_cursor(query.cursor)
    if before is not None:
        statement = statement.where(id_column < before)
    return statement.order_by(id_column.desc()).limit(query.limit + 1)


@api.get("/conversations", responses={200: ConversationsAnswer}, security=KEY, summary="List conversations")
def conversations(query: ConversationsQuery) -> Response:
    """Newest first. Scope `conversations:read`."""
    require_key("conversations:read")
    statement = select(Conversation, Visitor).join(Visitor, Visitor.id == Conversation.visitor_id)
    if query.state:
        statement = statement.where(Conversation.state == query.state)
    with parts().database.read() as session:
        rows = session.execute(_page(Conversation.id, query, statement)).all()
    shown = rows[: query.limit]
    listed = [
        {
            "id": row.public_id,
            "state": row.state,
            "locale": row.locale,
            "channel": row.channel,
            "page": row.page,
            "created_at": row.created_at.isoformat(timespec="milliseconds"),
            "last_activity_at": row.last_activity_at.isoformat(timespec="milliseconds"),
            "handover_reason": row.handover_reason,
            "csat": row.csat,
            "visitor": {
                name: getattr(visitor, name)
                for name in ("id", "identity", "name", "email")
                if getattr(visitor, name) is not None
            },
        }
        for row, visitor in shown
    ]
    more = to_cursor(shown[-1][0].id) if len(rows) > query.limit else None
    return make_response(jsonify({"conversations": listed, "next_cursor": more}))


@api.get(
    "/conversations/<conversation_id>/transcript",
    responses={200: TurnsAnswer},
    security=KEY,
    summary="Read a conversation",
)
def transcript(path: ConversationPath, query: AfterQuery) -> Response:
    """Customer, bot and agent turns in order, without notes. Scope `conversations:read`."""
    require_key("conversations:read")
    with parts().database.read() as session:
        conversation = find_conversation(session, path.conversation_id)
        turns = turns_after(session, conversation.id, after=query.after, limit=PAGE + 1)
    return make_response(
        jsonify(
            {
                "state": conversation.state,
                "turns": [turn_json(turn, origin=own_origin()) for turn in turns[:PAGE]],
                "more": len(turns) > PAGE,
            }
        )
    )


@api.get("/articles", responses={200: ArticlesAnswer}, security=KEY, summary="List articles")
def articles(query: ArticlesQuery) -> Response:
    """Newest first, whatever their status. Scope `knowledge:read`."""
    require_key("knowledge:read")
    statement = select(Article)
    if query.lang:
        statement = statement.where(Article.lang == query.lang)
    with parts().database.read() as session:
        rows = list(session.scalars(_page(Article.id, query, statement)))
    shown = rows[: query.limit]
    listed = [
        {
            "id": row.id,
            "slug": row.slug,
            "lang": row.lang,
            "title": row.title,
            "body": row.body,
            "section": row.section,
            "url": row.url,
            "status": row.status,
            "updated_at": row.updated_at.isoformat(timespec="milliseconds"),
        }
        for row in shown
    ]
    more = to_cursor(shown[-1].id) if len(rows) > query.limit else None
    return make_response(jsonify({"articles": listed, "next_cursor": more}))
