"""Passages as an editor changes them: their text, where they begin and end, questions, language and period.

Each view takes a form from the page or a JSON object from a program with the same names (web/admin/bodies.py;
``X-CSRFToken`` for both, see web/access.py), and answers with the page again or with the article's passages as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Response, flash, jsonify, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from chatbot.records import audit
from chatbot.records.article_search import ArticleView, read_article
from chatbot.records.knowledge import begin_revision, put_passages_anew
from chatbot.records.passages import (
    PassageForm,
    drop_outdated,
    edit_passage,
    join_with_next,
    keep_outdated,
    open_passage,
    set_passage_questions,
)
from chatbot.records.tables import Passage
from ingest.articles.chunking import passages_of
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.bodies import OutdatedBody, PassageBody, SeenBody, given
from web.context import parts
from web.language import gettext
from web.periods import beginning, end

_SPLIT = re.compile(r"^[ \t]*-{3,}[ \t]*$", re.MULTILINE)


@blueprint.get("/articles/<int:article_id>/passages")
@requires("viewer")
def article_passages(article_id: int) -> Response:
    """The article's passages as JSON, in order, switched-off and outdated ones too."""
    with parts().database.read() as records:
        return jsonify(as_json(read_article(records, article_id)))


@blueprint.post("/articles/<int:article_id>/passages/<int:passage_id>/edit")
@requires("editor")
def change_passage(article_id: int, passage_id: int) -> BaseResponse:
    """Change a passage; a line of dashes in its text (or several ``texts``) splits it."""
    body = given(PassageBody)

    def change(records: Session, passage: Passage) -> str:
        made = edit_passage(records, passage, _form(passage, body))
        if body.questions is not None:
            set_passage_questions(records, passage, body.questions)
        return gettext("The passage is split in {count}.").format(count=len(made)) if made[1:] else ""

    return _changed(article_id, passage_id, body, "passage_edit", change)


@blueprint.post("/articles/<int:article_id>/passages/<int:passage_id>/join")
@requires("editor")
def join_passage(article_id: int, passage_id: int) -> BaseResponse:
    """Join a passage with the next one."""
    body = given(SeenBody)

    def change(records: Session, passage: Passage) -> str:
        join_with_next(records, passage)
        return gettext("The two passages are one now.")

    return _changed(article_id, passage_id, body, "passage_join", change)


@blueprint.post("/articles/<int:article_id>/passages/<int:passage_id>/outdated")
@requires("editor")
def decide_passage(article_id: int, passage_id: int) -> BaseResponse:
    """Keep or delete a passage whose place in the article has changed."""
    body = given(OutdatedBody)

    def change(records: Session, passage: Passage) -> str:
        (keep_outdated if body.keep else drop_outdated)(records, passage)
        return gettext("The bot quotes it again.") if body.keep else gettext("The passage is deleted.")

    return _changed(article_id, passage_id, body, "passage_keep" if body.keep else "passage_drop", change)


@blueprint.post("/articles/<int:article_id>/cut-anew")
@requires("editor")
def cut_article_anew(article_id: int) -> BaseResponse:
    """Forget what people made of the passages and cut the article's text again."""
    with parts().database.write() as records:
        begin_revision(records)
        article = read_article(records, article_id).article
        put_passages_anew(records, article, passages_of(article.title, article.body, base=article.url))
        audit.record(
            records,
            action="article.cut_anew",
            subject=f"article {article.id}: {article.title}"[:200],
            person_id=person_id(),
        )
    return answer(article_id, gettext("The article is cut anew."))


def as_json(view: ArticleView) -> dict[str, Any]:
    """An article with its passages, as programs see it."""
    return {
        "id": view.article.id,
        "slug": view.article.slug,
        "title": view.article.title,
        "lang": view.article.lang,
        "status": view.article.status,
        "passages": [
            {
                "id": passage.id,
                "version": view.version(passage),
                "title_path": passage.title_path,
                "text": passage.text,
                "lang": passage.lang,
                "enabled": passage.enabled,
                "edited": passage.edited,
                "outdated": passage.source_changed,
                "valid_from": _iso(passage.valid_from),
                "valid_until": _iso(passage.valid_until),
                "questions": [question.text for question in view.asked.get(passage.id, ())],
            }
            for passage in view.passages
        ],
    }


def _changed(
    article_id: int,
    passage_id: int,
    body: SeenBody,
    action: str,
    change: Callable[[Session, Passage], str],
) -> BaseResponse:
    with parts().database.write() as records:
        passage = open_passage(records, article_id, passage_id, seen=body.version or None)
        before = passage.text
        told = change(records, passage)
        audit.record(
            records,
            action=f"article.{action}",
            subject=f"passage {passage_id}: {passage.title_path}"[:200],
            person_id=person_id(),
            detail={"before": before},
        )
    return answer(article_id, told or gettext("The passage is saved. It counts for the next message."))


def answer(article_id: int, told: str) -> BaseResponse:
    """What was changed, for who sent a form; the article's passages for who sent JSON."""
    if request.is_json:
        return article_passages(article_id)
    flash(told)
    return redirect(url_for("admin.article", article_id=article_id), code=303)


def _form(passage: Passage, body: PassageBody) -> PassageForm:
    def or_before(name: str, before: str) -> str:
        return getattr(body, name) if name in body.model_fields_set else before

    texts = body.texts
    if "texts" not in body.model_fields_set:
        texts = _SPLIT.split(or_before("text", passage.text).replace("\r\n", "\n"))
    return PassageForm(
        title_path=or_before("title_path", passage.title_path),
        texts=tuple(texts),
        lang=or_before("lang", passage.lang),
        valid_from=beginning(body.valid_from, before=passage.valid_from)
        if "valid_from" in body.model_fields_set
        else passage.valid_from,
        valid_until=end(body.valid_until, before=passage.valid_until)
        if "valid_until" in body.model_fields_set
        else passage.valid_until,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
