"""Articles written, changed as a whole and deleted by a person. What is refused comes back with the form, and is not
lost.

Each view takes a form from the page or a JSON object with the same names, as those of passages.py do.
"""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import ConflictError, FrontdeskError
from chatbot.records import article_changes
from chatbot.records.article_changes import ArticleChange, state_of, version_of
from chatbot.records.article_search import read_article
from chatbot.records.example_changes import Decider
from chatbot.records.knowledge import ArticleDraft
from chatbot.records.tables import Article
from ingest.articles.written import MAX_BODY, MAX_SECTION, MAX_TITLE, MAX_URL, written_article
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.bodies import ArticleBody, SeenBody, given
from web.context import parts
from web.language import LANGUAGES, gettext
from web.periods import beginning, end, first_day, last_day


@blueprint.get("/articles/new")
@requires("editor")
def new_article() -> BaseResponse:
    return _form(ArticleBody(live=True))


@blueprint.post("/articles/new")
@requires("editor")
def write_article() -> BaseResponse:
    body = given(ArticleBody)
    try:
        draft = _draft(body, None)
        with parts().database.write() as records:
            change = article_changes.write(records, draft, by=_decider())
    except FrontdeskError as error:
        return _refused(body, error)
    return _done(change, gettext("The article is written. It counts for the next message."))


@blueprint.get("/articles/<int:article_id>/edit")
@requires("editor")
def edit_article(article_id: int) -> BaseResponse:
    with parts().database.read() as records:
        article = read_article(records, article_id).article
        state = state_of(records, article)
    return _form(
        ArticleBody(
            version=version_of(state),
            title=article.title,
            body=article.body,
            lang=article.lang,
            section=article.section,
            url=article.url,
            questions=[row["text"] for row in state["questions"] if row["passage"] is None],
            valid_from=first_day(article.valid_from),
            valid_until=last_day(article.valid_until),
            live=article.status == "live",
        ),
        article,
    )


@blueprint.post("/articles/<int:article_id>/edit")
@requires("editor")
def rewrite_article(article_id: int) -> BaseResponse:
    """``live`` switches an article on that the bot does not quote; it switches none off."""
    body = given(ArticleBody)
    with parts().database.read() as records:
        article = read_article(records, article_id).article
    try:
        draft = _draft(body, article)
        with parts().database.write() as records:
            change = article_changes.rewrite(
                records,
                article_id,
                draft,
                seen=body.version or None,
                status="live" if body.live else None,
                by=_decider(),
            )
    except FrontdeskError as error:
        return _refused(body, error, article)
    told = gettext("The article is saved. It counts for the next message.")
    if change.outdated:
        told += " " + gettext(
            "Passages that were changed by hand and fit no more: {number}. The bot quotes the new text; decide below."
        ).format(number=change.outdated)
    return _done(change, told)


@blueprint.post("/articles/<int:article_id>/delete")
@requires("editor")
def delete_article(article_id: int) -> BaseResponse:
    body = given(SeenBody)
    with parts().database.write() as records:
        change = article_changes.delete(records, article_id, seen=body.version or None, by=_decider())
    return _done(change, gettext("The article is deleted."))


@blueprint.post("/articles/changes/<int:change_id>/undo")
@requires("editor")
def undo_article(change_id: int) -> BaseResponse:
    with parts().database.write() as records:
        change = article_changes.undo(records, change_id, by=_decider())
    return _done(change, gettext("Taken back."), undone=True)


def _draft(body: ArticleBody, article: Article | None) -> ArticleDraft:
    """Name and language of an article that is there stay."""
    return written_article(
        title=body.title,
        body=body.body.replace("\r\n", "\n"),
        slug=article.slug if article else "",
        lang=article.lang if article else body.lang,
        section=body.section,
        url=body.url,
        questions=body.questions,
        valid_from=beginning(body.valid_from, before=article.valid_from if article else None),
        valid_until=end(body.valid_until, before=article.valid_until if article else None),
        status="live" if body.live else "off",
    )


def _refused(body: ArticleBody, error: FrontdeskError, article: Article | None = None) -> BaseResponse:
    if request.is_json:
        raise error
    if isinstance(error, ConflictError) and article is not None:
        with parts().database.read() as records:  # who saves again knows what the article says by then
            state = state_of(records, read_article(records, article.id).article)
        body = body.model_copy(update={"version": version_of(state)})
    return _form(body, article, error)


def _form(
    body: ArticleBody, article: Article | None = None, error: FrontdeskError | None = None
) -> BaseResponse:
    page = render_template(
        "admin/article_form.html",
        values=body,
        article=article,
        error=error,
        conflict=isinstance(error, ConflictError) and article is not None,
        languages_offered=sorted({*LANGUAGES, *([body.lang] if body.lang else [])}),
        most={"title": MAX_TITLE, "body": MAX_BODY, "url": MAX_URL, "section": MAX_SECTION},
    )
    return make_response(page, error.status if error else 200)


def _done(change: ArticleChange, told: str, *, undone: bool = False) -> BaseResponse:
    """To the article, or the list where it is gone, with what takes the change back."""
    if request.is_json:
        values: dict[str, Any] = {"change": change.entry, "article": change.article}
        return jsonify(values | {"outdated": change.outdated})
    undo = url_for("admin.undo_article", change_id=change.entry) if change.entry and not undone else ""
    flash(told, undo or "message")
    if change.article is None:
        return redirect(url_for("admin.articles"), code=303)
    return redirect(url_for("admin.article", article_id=change.article), code=303)


def _decider() -> Decider:
    return Decider(person_id())
