"""Articles as a person or a program changes them as a whole: written, rewritten, deleted, and each of these taken back.

The audit entry of a change holds the article as it was, with its passages as people had made them, and the version
that came of it: taking the change back needs nothing else, and sees whether anything was changed since. Questions that
were learned from conversations are not in it: they may have to be erased, and the next training finds them again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, NotFoundError
from chatbot.records import audit
from chatbot.records.example_changes import Decider
from chatbot.records.knowledge import (
    ArticleDraft,
    Change,
    begin_revision,
    delete_article,
    log_change,
    put_article,
    remove_passages,
    rewrite_article,
    set_article_status,
    set_questions,
)
from chatbot.records.tables import Article, ArticleQuestion, AuditEntry, Passage

LEARNED = "transcript"  # the source of questions out of conversations
_ACTIONS = ("article.write", "article.rewrite", "article.delete", "article.overwrite", "article.undo")
_PLAIN = ("title", "body", "section", "url", "source", "content_hash", "status", "edited")
_OF_PASSAGE = ("title_path", "text", "lang", "content_hash", "enabled", "edited", "origin", "source_changed")
_OF_QUESTION = ("text", "lang", "source", "content_hash", "enabled")
_TIMES = ("valid_from", "valid_until")

State = dict[str, Any]  # an article with passages and questions, as JSON


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """``entry``: the audit entry by which it is taken back, None where nothing had to be changed. ``article``: its id,
    None where it is gone. ``outdated``: passages that a person had changed and that fit the new text no more."""

    entry: int | None
    article: int | None
    outdated: int = 0


def write(session: Session, draft: ArticleDraft, *, by: Decider) -> ArticleChange:
    """A new article. Raises ConflictError where its name is taken in its language."""
    begin_revision(session)
    _check_free(session, draft.slug, draft.lang)
    article, _ = put_article(session, replace(draft, questions=()))
    article.edited = True
    set_questions(session, article, draft.questions)  # a person's: no file that comes later replaces them
    return _noted(session, "article.write", article, None, by)


def rewrite(
    session: Session,
    article_id: int,
    draft: ArticleDraft,
    *,
    seen: str | None = None,
    status: str | None = None,
    by: Decider,
) -> ArticleChange:
    """Give an article other words; its name and language stay. ``status``: live or off, where that changes too.

    Passages that a person changed stay while their pieces of the text do; where these changed, the new text is quoted
    and the passage waits, switched off, for a decision. Raises NotFoundError, and ConflictError where the article is
    not what ``seen`` (a version) says.
    """
    article, before = _opened(session, article_id, seen)
    flagged = _flagged(session, article)
    rewrite_article(session, article, draft)
    if status is not None:
        set_article_status(session, article, status)
    if _read_again(session, article) == before | {"edited": True}:
        article.edited = before["edited"]  # saved as it was
    return _noted(session, "article.rewrite", article, before, by, flagged=flagged)


def delete(session: Session, article_id: int, *, seen: str | None = None, by: Decider) -> ArticleChange:
    """Remove an article with its passages and questions. Raises like ``rewrite``."""
    article, before = _opened(session, article_id, seen)
    subject = _subject(article)
    delete_article(session, article)
    return ArticleChange(_entry(session, "article.delete", subject, before, None, by), None)


def undo(session: Session, change: int, *, by: Decider) -> ArticleChange:
    """Everything as before the change. Raises NotFoundError where there was no such change, ConflictError where the
    article was changed again since, or its name is taken by another."""
    begin_revision(session)
    entry = session.get(AuditEntry, change)
    if entry is None or entry.action not in _ACTIONS or "after" not in entry.detail:
        raise NotFoundError("There is no such change of an article", field="change", value=change)
    before, after = entry.detail["before"], entry.detail["after"]
    slug, lang = entry.detail["name"]
    article = find(session, slug, lang)
    now = state_of(session, article) if article is not None else None
    if (version_of(now) if now else None) != after:
        raise ConflictError(
            "The article was changed again since",
            field="change",
            value=change,
            remedy="Look at what it says now, and change that",
        )
    if before is None and article is not None:
        subject = _subject(article)
        delete_article(session, article)
        return ArticleChange(_entry(session, "article.undo", subject, now, None, by), None)
    restored = _restore(session, article, slug, lang, before)
    return _noted(session, "article.undo", restored, now, by)


def take_in(session: Session, draft: ArticleDraft) -> Change:
    """`put_article` for a source. What a person had written and the source now overwrites can be brought back."""
    held = find(session, draft.slug, draft.lang)
    before = state_of(session, held) if held is not None and held.edited else None
    article, change = put_article(session, draft)
    if change == "overwritten":
        _noted(session, "article.overwrite", article, before, Decider(None))
    return change


def find(session: Session, slug: str, lang: str) -> Article | None:
    return session.scalar(select(Article).where(Article.slug == slug, Article.lang == lang))


def state_of(session: Session, article: Article) -> State:
    """All that a person or its source made of an article."""
    passages = session.scalars(
        select(Passage).where(Passage.article_id == article.id).order_by(Passage.position, Passage.id)
    ).all()
    places = {passage.id: place for place, passage in enumerate(passages)}
    questions = session.scalars(
        select(ArticleQuestion)
        .where(ArticleQuestion.article_id == article.id, ArticleQuestion.source != LEARNED)
        .order_by(ArticleQuestion.id)
    )
    return {
        "slug": article.slug,
        "lang": article.lang,
        **{name: getattr(article, name) for name in _PLAIN},
        **_times(article),
        "passages": [
            {name: getattr(passage, name) for name in _OF_PASSAGE} | _times(passage) for passage in passages
        ],
        "questions": [
            {name: getattr(question, name) for name in _OF_QUESTION}
            | {"passage": places.get(question.passage_id) if question.passage_id is not None else None}
            for question in questions
        ],
    }


def version_of(state: State) -> str:
    """What tells whether an article is still as it was when somebody looked at it."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:20]


def _opened(session: Session, article_id: int, seen: str | None) -> tuple[Article, State]:
    begin_revision(session)  # first: other writers wait from here on
    article = session.get(Article, article_id)
    if article is None:
        raise NotFoundError("There is no such article", field="article", value=article_id)
    state = state_of(session, article)
    if seen and seen != version_of(state):
        raise ConflictError(
            "The article was changed meanwhile",
            field="version",
            value=seen[:40],
            remedy="Look at what it says now, then save your text again",
        )
    return article, state


def _restore(session: Session, article: Article | None, slug: str, lang: str, state: State) -> Article:
    if article is None:
        article = Article(slug=slug, lang=lang)
        session.add(article)
    for name in _PLAIN:
        setattr(article, name, state[name])
    _set_times(article, state)
    session.flush()
    remove_passages(session, session.scalars(select(Passage).where(Passage.article_id == article.id)).all())
    own = select(ArticleQuestion.id).where(
        ArticleQuestion.article_id == article.id, ArticleQuestion.source != LEARNED
    )
    gone = session.scalars(own).all()
    log_change(session, "question", gone, "delete")
    session.execute(delete_rows(ArticleQuestion).where(ArticleQuestion.id.in_(gone)))
    passages = [
        Passage(article_id=article.id, position=place, **{name: row[name] for name in _OF_PASSAGE})
        for place, row in enumerate(state["passages"])
    ]
    for passage, row in zip(passages, state["passages"], strict=True):
        _set_times(passage, row)
    session.add_all(passages)
    session.flush()
    learned = session.scalars(select(ArticleQuestion).where(ArticleQuestion.article_id == article.id)).all()
    taken = {question.content_hash for question in learned}
    questions = [
        ArticleQuestion(
            article_id=article.id,
            passage_id=passages[row["passage"]].id if row["passage"] is not None else None,
            **{name: row[name] for name in _OF_QUESTION},
        )
        for row in state["questions"]
        if row["content_hash"] not in taken
    ]
    session.add_all(questions)
    session.flush()
    log_change(session, "passage", [passage.id for passage in passages], "upsert")
    log_change(session, "question", [question.id for question in (*learned, *questions)], "upsert")
    return article


def _check_free(session: Session, slug: str, lang: str) -> None:
    if find(session, slug, lang) is not None:
        raise ConflictError(
            "There is an article of this name already",
            field="slug",
            value=slug,
            remedy="Change that one, or give this one another title",
        )


def _flagged(session: Session, article: Article) -> set[int]:
    return set(
        session.scalars(select(Passage.id).where(Passage.article_id == article.id, Passage.source_changed))
    )


def _noted(
    session: Session,
    action: str,
    article: Article,
    before: State | None,
    by: Decider,
    *,
    flagged: set[int] | None = None,
) -> ArticleChange:
    after = _read_again(session, article)
    if before == after:
        return ArticleChange(None, article.id)
    entry = _entry(session, action, _subject(article), before, after, by)
    outdated = len(_flagged(session, article) - flagged) if flagged is not None else 0
    return ArticleChange(entry, article.id, outdated)


def _read_again(session: Session, article: Article) -> State:
    """With what was changed in bulk."""
    session.flush()
    session.expire_all()
    return state_of(session, article)


def _entry(
    session: Session, action: str, subject: str, before: State | None, after: State | None, by: Decider
) -> int:
    named = after or before or {}
    entry = audit.record(
        session,
        action=action,
        subject=subject,
        person_id=by.person_id,
        detail={
            "name": [named["slug"], named["lang"]],
            "before": before,
            "after": version_of(after) if after else None,
            **by.noted,
        },
    )
    session.flush()
    return entry.id


def _subject(article: Article) -> str:
    return f"article {article.id}: {article.title}"


def _times(row: Article | Passage) -> dict[str, str | None]:
    return {name: when.isoformat() if (when := getattr(row, name)) else None for name in _TIMES}


def _set_times(row: Article | Passage, state: State) -> None:
    for name in _TIMES:
        setattr(row, name, datetime.fromisoformat(state[name]) if state[name] else None)
