"""Passages as people change them: edited, split, joined, switched off, with questions, a language and a period of
their own.

What a person changed is theirs (`Passage.edited`) and stands for the imported pieces it was made of
(`Passage.origin`). Reading the article again leaves it alone while those pieces are unchanged; when they change, it is
switched off and flagged (`Passage.source_changed`), the new text is quoted, and a person decides
(chatbot/records/knowledge.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records.knowledge import begin_revision, log_change, mark_edited, passage_hash, question_hash
from chatbot.records.tables import Article, ArticleQuestion, Passage

MAX_TEXT = 20_000  # characters
MAX_TITLE_PATH = 1000
MAX_QUESTIONS = 200
PATH = " › "
_HEADING = re.compile(r"#{1,6}[ \t]+(?P<title>[^\n]*\S)[ \t]*\n\s*(?=\S)")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class PassageForm:
    """Everything that a person may change of a passage. ``texts``: one, or the parts that it is split into; a part that
    begins with a heading (``## Cost``) has that as its place below the title."""

    title_path: str
    texts: tuple[str, ...]
    lang: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def open_passage(session: Session, article_id: int, passage_id: int, *, seen: str | None = None) -> Passage:
    """A passage to be changed in this transaction; other writers of knowledge wait until it has ended.

    Raises NotFoundError where the article has no such passage, and ConflictError where it is no longer as whoever
    changes it saw it (``seen`` is its `version_of` then).
    """
    begin_revision(session)
    passage = session.get(Passage, passage_id)
    if passage is None or passage.article_id != article_id:
        raise NotFoundError("There is no such passage", field="passage", value=passage_id)
    if seen and seen != version_of(passage, _asked(session, passage)):
        raise ConflictError(
            "The passage was changed meanwhile",
            field="passage",
            value=passage.id,
            remedy="Load the page again, look at the new text, and make your change there",
        )
    return passage


def version_of(passage: Passage, asked: Iterable[ArticleQuestion]) -> str:
    """What tells whether a passage, with the questions that ask for it alone, is still as somebody saw it: all that
    a person may change, so that nobody overwrites what another has set meanwhile."""
    period = [moment.isoformat() if moment else None for moment in (passage.valid_from, passage.valid_until)]
    questions = sorted(question.text for question in asked)
    state = [passage.content_hash, passage.lang, period, passage.enabled, passage.source_changed, questions]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]


def edit_passage(session: Session, passage: Passage, form: PassageForm) -> list[Passage]:
    """Change a passage, and split it where the form holds several texts; the passages it became, in order.

    Raises InputError for an empty or too long text or title, a language or period that cannot be.
    """
    form = _checked(form)
    if form == PassageForm(
        passage.title_path, (passage.text,), passage.lang, passage.valid_from, passage.valid_until
    ):
        return [passage]
    origin = passage.origin if passage.edited else [passage.content_hash]
    parts = [passage]
    if len(form.texts) > 1:
        _make_room(session, passage, len(form.texts) - 1)
        for place, _ in enumerate(form.texts[1:], 1):
            part = Passage(
                article_id=passage.article_id,
                position=passage.position + place,
                enabled=passage.enabled,
                source_changed=passage.source_changed,
            )
            parts.append(part)
    for part, written in zip(parts, form.texts, strict=True):
        title_path, text = _placed(form.title_path, written) if len(parts) > 1 else (form.title_path, written)
        part.edited, part.origin = True, origin
        part.title_path, part.text, part.lang = title_path, text, form.lang
        part.valid_from, part.valid_until = form.valid_from, form.valid_until
        part.content_hash = passage_hash(title_path, text)
    session.add_all(parts)
    asked = session.scalars(
        select(ArticleQuestion).where(
            ArticleQuestion.passage_id == passage.id, ArticleQuestion.lang != form.lang
        )
    ).all()
    for question in asked:
        question.lang = form.lang  # a question is searched beside the passage that it asks for
    session.flush()
    log_change(session, "question", [question.id for question in asked], "upsert")
    _log_shown(session, parts)
    return parts


def join_with_next(session: Session, passage: Passage) -> Passage:
    """Join a passage with the one after it in the article. The questions of both ask for the whole.

    Raises ConflictError where it is the last, or the two differ in language, in being quoted, or in being outdated.
    """
    following = session.scalar(
        select(Passage)
        .where(Passage.article_id == passage.article_id, Passage.position > passage.position)
        .order_by(Passage.position, Passage.id)
        .limit(1)
    )
    if following is None:
        raise ConflictError("This is the last passage of the article", field="passage", value=passage.id)
    if (passage.lang, passage.enabled, passage.source_changed) != (
        following.lang,
        following.enabled,
        following.source_changed,
    ):
        raise ConflictError(
            "The two passages differ in language or in being quoted",
            field="passage",
            value=f"{passage.id} and {following.id}",
            remedy="Make them equal first",
        )
    mark_edited(passage)
    mark_edited(following)
    heading = following.title_path.rpartition(PATH)[2] if following.title_path != passage.title_path else ""
    text = "\n\n".join(part for part in (passage.text, f"{heading}\n{following.text}".strip()) if part)
    if len(text) > MAX_TEXT:
        raise _too_long(text)
    passage.text = text
    passage.origin = list(dict.fromkeys([*(passage.origin or ()), *(following.origin or ())]))
    passage.content_hash = passage_hash(passage.title_path, text)
    starts = [one for one in (passage.valid_from, following.valid_from) if one]
    ends = [one for one in (passage.valid_until, following.valid_until) if one]
    passage.valid_from, passage.valid_until = max(starts, default=None), min(ends, default=None)
    session.flush()
    asked = _asked(session, following)
    for question in asked:
        question.passage_id = passage.id
    session.flush()
    log_change(session, "question", [question.id for question in asked], "upsert")
    _delete(session, following)
    _log_shown(session, [passage])
    return passage


def keep_outdated(session: Session, passage: Passage) -> None:
    """Quote a flagged passage again, beside what the article says now.

    Raises ConflictError for one that is not flagged.
    """
    _check_flagged(passage)
    passage.source_changed, passage.enabled, passage.origin = False, True, []
    session.flush()
    log_change(session, "passage", [passage.id], "upsert")


def drop_outdated(session: Session, passage: Passage) -> None:
    """Delete a flagged passage. Raises ConflictError for one that is not flagged."""
    _check_flagged(passage)
    asked = _asked(session, passage)
    for question in asked:
        question.passage_id = None
    session.flush()
    log_change(session, "question", [question.id for question in asked], "upsert")
    _delete(session, passage)


def set_passage_questions(session: Session, passage: Passage, texts: Iterable[str]) -> int:
    """Make ``texts`` the questions that ask for this passage alone; returns how many rows changed.

    A question that the article has already is bound to the passage. One that is no longer wanted is deleted where a
    person wrote it, and asks for the whole article again where it was imported. Raises InputError for too many.
    """
    wanted = {question_hash(text): text.strip() for text in texts if text.strip()}
    if len(wanted) > MAX_QUESTIONS:
        raise InputError(
            "Too many questions for one passage",
            field="questions",
            value=len(wanted),
            remedy=f"Keep at most {MAX_QUESTIONS}",
        )
    rows = session.scalars(
        select(ArticleQuestion).where(ArticleQuestion.article_id == passage.article_id)
    ).all()
    present = {row.content_hash for row in rows}
    deleted = [
        row
        for row in rows
        if row.passage_id == passage.id and row.content_hash not in wanted and row.source == "admin"
    ]
    changed: list[ArticleQuestion] = []
    for row in rows:
        bound = row.passage_id == passage.id
        if bound != (row.content_hash in wanted) and row not in deleted:
            row.passage_id = None if bound else passage.id
            changed.append(row)
    for digest, text in wanted.items():
        if digest not in present:
            row = ArticleQuestion(
                article_id=passage.article_id,
                passage_id=passage.id,
                text=text,
                lang=passage.lang,
                source="admin",
                content_hash=digest,
            )
            session.add(row)
            changed.append(row)
    session.flush()
    gone = [row.id for row in deleted]
    if gone:
        session.execute(delete(ArticleQuestion).where(ArticleQuestion.id.in_(gone)))
        log_change(session, "question", gone, "delete")
    log_change(session, "question", [row.id for row in changed], "upsert")
    return len(gone) + len(changed)


def outdated_passages(session: Session) -> Sequence[tuple[Article, int]]:
    """Articles with flagged passages, and how many each has."""
    rows = session.execute(
        select(Article, func.count())
        .join(Passage, Passage.article_id == Article.id)
        .where(Passage.source_changed)
        .group_by(Article.id)
        .order_by(Article.title)
    )
    return [(article, number) for article, number in rows]


def _asked(session: Session, passage: Passage) -> Sequence[ArticleQuestion]:
    """The questions that ask for this passage alone."""
    return session.scalars(
        select(ArticleQuestion).where(ArticleQuestion.passage_id == passage.id).order_by(ArticleQuestion.id)
    ).all()


def _checked(form: PassageForm) -> PassageForm:
    title_path = _title(form.title_path)
    texts = tuple(text.strip() for text in form.texts if text.strip())
    lang = form.lang.strip().lower()
    if not texts:
        raise InputError(
            "The passage is empty", field="text", remedy="Write its text, or switch the passage off"
        )
    for text in texts:
        if len(text) > MAX_TEXT:
            raise _too_long(text)
    check_language(lang)
    check_period(form.valid_from, form.valid_until)
    return PassageForm(title_path, texts, lang, form.valid_from, form.valid_until)


def _title(written: str) -> str:
    title_path = " ".join(written.split())
    if not title_path or len(title_path) > MAX_TITLE_PATH:
        raise InputError(
            "The title is empty or too long",
            field="title_path",
            value=title_path[:80],
            remedy=f"Write 1 to {MAX_TITLE_PATH} characters",
        )
    return title_path


def _placed(title_path: str, text: str) -> tuple[str, str]:
    """(title path, text) of a part of a passage: its own heading is the last of its path."""
    heading = _HEADING.match(text)
    if heading is None:
        return title_path, text
    own = heading["title"].rstrip("#").strip()
    return _title(f"{title_path}{PATH}{own}"), text[heading.end() :]


def check_language(lang: str) -> None:
    """Raises InputError for what is no primary tag."""
    if not _LANGUAGE.fullmatch(lang):
        raise InputError("No such language", field="lang", value=lang[:40], remedy="Write en, zh, de …")


def check_period(valid_from: datetime | None, valid_until: datetime | None) -> None:
    """Raises InputError for a period that ends before it begins."""
    if valid_from and valid_until and valid_from >= valid_until:
        raise InputError(
            "The period ends before it begins",
            field="valid_until",
            value=f"{valid_until:%Y-%m-%d %H:%M}",
            remedy="Give an end after the beginning, or none",
        )


def _too_long(text: str) -> InputError:
    return InputError(
        "The passage is too long",
        field="text",
        value=f"{len(text)} characters",
        remedy=f"Split it: at most {MAX_TEXT} characters",
    )


def _check_flagged(passage: Passage) -> None:
    if not passage.source_changed:
        raise ConflictError(
            "This passage is not outdated",
            field="passage",
            value=passage.id,
            remedy="Switch it off instead",
        )


def _make_room(session: Session, passage: Passage, places: int) -> None:
    session.execute(
        update(Passage)
        .where(Passage.article_id == passage.article_id, Passage.position > passage.position)
        .values(position=Passage.position + places)
    )


def _delete(session: Session, passage: Passage) -> None:
    log_change(session, "passage", [passage.id], "delete")
    session.delete(passage)
    session.flush()


def _log_shown(session: Session, passages: Iterable[Passage]) -> None:
    log_change(session, "passage", [passage.id for passage in passages if passage.enabled], "upsert")
