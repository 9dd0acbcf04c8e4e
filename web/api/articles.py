"""Articles for programs, with an API key: one read by its name, written, changed, deleted, each change taken back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, g, jsonify, make_response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.orm import Session

from chatbot.errors import NotFoundError
from chatbot.records import article_changes
from chatbot.records.article_changes import ArticleChange
from chatbot.records.example_changes import Decider
from chatbot.records.knowledge import ArticleDraft
from chatbot.records.tables import ApiKey, Article
from ingest.articles.written import MAX_BODY, MAX_QUESTIONS, MAX_TITLE, written_article
from web.api.guards import request_rate
from web.api.keys import KEY, key_rate_key, require_key
from web.api.models import Body, ErrorAnswer, Id
from web.context import parts
from web.limits import limiter
from web.periods import beginning, end

api = APIBlueprint(
    "articles",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="articles", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 409, 422, 429), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)

Slug = Annotated[str, StringConstraints(max_length=200)]
Language = Annotated[str, StringConstraints(max_length=16)]
Day = Annotated[str, StringConstraints(max_length=40)]


@api.before_request
def guarded() -> None:
    """Before a body is looked at: a stranger learns nothing about it."""
    require_key("knowledge:read" if request.method == "GET" else "knowledge:write")


class ArticlePath(BaseModel):
    lang: Language
    slug: Slug


class ArticleChangePath(BaseModel):
    change: Id


class ArticleText(Body):
    title: str = Field(description=f"At most {MAX_TITLE} characters.", examples=["Gift cards"])
    body: str = Field(
        description=f"Markdown, at most {MAX_BODY} characters; its headings part it into passages.",
        examples=["A gift card is valid for two years.\n\n## Lost\n\nA lost card is blocked and replaced."],
    )
    section: str = Field("", examples=["Paying"])
    url: str = Field("", description="Where it stands on your website; answers link to it.")
    questions: list[str] = Field(
        default_factory=list,
        description=f"Other ways to ask for it, at most {MAX_QUESTIONS}.",
        examples=[["how long can I use a gift card?"]],
    )
    status: Literal["live", "off"] | None = Field(
        None, description="`off`: the bot does not quote it. Left out: as it is; a new one is live."
    )
    valid_from: Day | None = Field(None, description="A day, or a time with a zone.")
    valid_until: Day | None = Field(None, description="A day that still counts, or a time with a zone.")


class NewArticle(ArticleText):
    slug: Slug = Field("", description="Its name. Left out: made of the title.", examples=["gift-cards"])
    lang: Language = Field("", description="Left out: told by the text.", examples=["en"])


class PutArticle(ArticleText):
    version: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="As it was read; an article that was changed since is refused (409)."
    )


class ArticleVersion(BaseModel):
    version: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="As it was read; an article that was changed since is not deleted (409)."
    )


class WholeArticle(BaseModel):
    slug: str
    lang: str
    title: str
    body: str
    section: str
    url: str
    questions: list[str]
    status: str
    source: str = Field(description="The file or page that it came from.")
    edited: bool = Field(description="A person or a program has written it, or changed it as a whole.")
    valid_from: str | None
    valid_until: str | None
    passages: int
    outdated: int = Field(description="Passages that were changed by hand and wait for a decision.")
    updated_at: str
    version: str


class ChangedArticle(WholeArticle):
    change: int | None = Field(description="What takes it back; null where nothing had to be done.")


class GoneArticle(BaseModel):
    change: int = Field(description="What takes it back.")


class UndoneArticle(BaseModel):
    change: int | None = Field(description="What takes this back in turn.")
    article: WholeArticle | None = Field(description="As it is again; null where it is gone again.")


@api.get("/articles/<lang>/<slug>", responses={200: WholeArticle}, security=KEY, summary="Read an article")
def read(path: ArticlePath) -> Response:
    """By its language and name. Scope `knowledge:read`."""
    with parts().database.read() as session:
        return make_response(jsonify(_as_json(session, _found(session, path))))


@api.post("/articles", responses={201: ChangedArticle}, security=KEY, summary="Write an article")
def write(body: NewArticle) -> Response:
    """It is cut into passages as a file is, and quoted for the next message. Scope `knowledge:write`."""
    draft = _draft(body, slug=body.slug, lang=body.lang)
    with parts().database.write() as session:
        change = article_changes.write(session, draft, by=_decider())
        return make_response(jsonify(_changed(session, change)), 201)


@api.put(
    "/articles/<lang>/<slug>",
    responses={200: ChangedArticle, 201: ChangedArticle},
    security=KEY,
    summary="Write an article under its name, or change it",
)
def put(path: ArticlePath, body: PutArticle) -> Response:
    """Whole: what is left out is empty, but for `status`. Passages that a person changed stay while the text that they
    were made of does; the others wait, switched off, for a decision (`outdated`). Scope `knowledge:write`."""
    draft = _draft(body, slug=path.slug, lang=path.lang)
    with parts().database.write() as session:
        article = article_changes.find(session, path.slug, path.lang)
        if article is None and not body.version:
            change, status = article_changes.write(session, draft, by=_decider()), 201
        else:
            change, status = (
                article_changes.rewrite(
                    session,
                    _found(session, path).id,
                    draft,
                    seen=body.version,
                    status=body.status,
                    by=_decider(),
                ),
                200,
            )
        return make_response(jsonify(_changed(session, change)), status)


@api.delete(
    "/articles/<lang>/<slug>", responses={200: GoneArticle}, security=KEY, summary="Delete an article"
)
def delete(path: ArticlePath, query: ArticleVersion) -> Response:
    """With its passages and questions; from the next message on nothing of it is quoted. Scope `knowledge:write`."""
    with parts().database.write() as session:
        change = article_changes.delete(session, _found(session, path).id, seen=query.version, by=_decider())
    return make_response(jsonify({"change": change.entry}))


@api.post(
    "/articles/changes/<change>/undo",
    responses={200: UndoneArticle},
    security=KEY,
    summary="Take a change of an article back",
)
def undo(path: ArticleChangePath) -> Response:
    """Exactly as before; refused where the article was changed again since. Scope `knowledge:write`."""
    with parts().database.write() as session:
        change = article_changes.undo(session, path.change, by=_decider())
        article = session.get(Article, change.article) if change.article is not None else None
        body = _as_json(session, article) if article is not None else None
    return make_response(jsonify({"change": change.entry, "article": body}))


def _draft(body: ArticleText, *, slug: str, lang: str) -> ArticleDraft:
    return written_article(
        title=body.title,
        body=body.body,
        slug=slug,
        lang=lang,
        section=body.section,
        url=body.url,
        questions=body.questions,
        valid_from=beginning(body.valid_from),
        valid_until=end(body.valid_until),
        status=body.status or "live",
    )


def _found(session: Session, path: ArticlePath) -> Article:
    article = article_changes.find(session, path.slug, path.lang)
    if article is None:
        raise NotFoundError("There is no such article", field="article", value=f"{path.lang}/{path.slug}")
    return article


def _decider() -> Decider:
    key: ApiKey = g.api_key
    return Decider(key.created_by_id, key=key.prefix)


def _changed(session: Session, change: ArticleChange) -> dict[str, Any]:
    return {**_as_json(session, session.get_one(Article, change.article)), "change": change.entry}


def _as_json(session: Session, article: Article) -> dict[str, Any]:
    state = article_changes.state_of(session, article)
    plain = ("slug", "lang", "title", "body", "section", "url", "status", "source", "edited")
    return {
        **{name: state[name] for name in (*plain, "valid_from", "valid_until")},
        "questions": [row["text"] for row in state["questions"] if row["passage"] is None],
        "passages": len(state["passages"]),
        "outdated": sum(row["source_changed"] for row in state["passages"]),
        "updated_at": article.updated_at.isoformat(timespec="milliseconds"),
        "version": article_changes.version_of(state),
    }
