"""Writing the knowledge: articles, their passages, other ways of asking for them, and the log that tells every
serving process what changed.

A writer raises the clock before anything else, which on either database makes the next writer wait until this one
has committed: revisions become visible in their order, and who has read revision n has missed nothing before it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from chatbot.language.normalise import fold
from chatbot.language.redaction import RedactionRules, order_pattern
from chatbot.records.published_values import published_values
from chatbot.records.tables import (
    Article,
    ArticleQuestion,
    KnowledgeChange,
    KnowledgeClock,
    Passage,
    Site,
    utcnow,
)

Change = Literal["created", "updated", "overwritten", "unchanged"]
_WITHDRAWN = (
    ""  # content hash of an article whose source no longer has it: whatever comes back differs from it
)


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A piece of an article that is found and quoted by itself."""

    title_path: str
    text: str


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """An article to be stored: ``body`` is Markdown, ``passages`` its pieces in order."""

    slug: str
    lang: str
    title: str
    body: str
    passages: tuple[PassageDraft, ...]
    section: str = ""
    url: str = ""
    source: str = ""
    questions: tuple[str, ...] = ()
    status: str = "live"
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def begin_revision(session: Session) -> int:
    """Raise the knowledge clock, once a transaction; the revision that this transaction makes."""
    held = session.info.get("knowledge_revision")
    if held is not None and held[0] is session.get_transaction():
        return int(held[1])
    session.execute(update(KnowledgeClock).values(revision=KnowledgeClock.revision + 1))
    revision = session.scalar(select(KnowledgeClock.revision))
    if revision is None:
        session.add(KnowledgeClock(id=1, revision=1))
        session.flush()
        revision = 1
    session.info["knowledge_revision"] = (session.get_transaction(), revision)
    return revision


def current_revision(session: Session) -> int:
    return session.scalar(select(KnowledgeClock.revision)) or 0


def put_article(session: Session, draft: ArticleDraft) -> tuple[Article, Change]:
    """Insert an article or replace the one of the same slug and language.

    The same content again changes nothing and makes no revision. Passages that are in both versions keep their ids;
    of the given questions those with source ``import`` are replaced, the others stay. What a person did stays too: an
    edited passage stands for the pieces it was made of until these change (then it is switched off and flagged, and
    the new pieces are quoted), and an article that was switched off stays off. What a person made of the whole article
    stays while its source says the same as before; where the source has changed, it is ``overwritten``.
    """
    article = session.scalar(select(Article).where(Article.slug == draft.slug, Article.lang == draft.lang))
    content_hash = article_hash(draft)
    if article is not None and article.content_hash == content_hash:
        return article, "unchanged"
    begin_revision(session)
    change: Change = "created" if article is None else "overwritten" if article.edited else "updated"
    if article is None:
        article = Article(slug=draft.slug, lang=draft.lang)
        session.add(article)
    shown_before = (article.title, article.url, article.status)
    article.title, article.body, article.section = draft.title, draft.body, draft.section
    article.url, article.source, article.edited = draft.url, draft.source, False
    if article.status != "off" or article.content_hash == _WITHDRAWN:
        article.status = draft.status
    article.valid_from = draft.valid_from or article.valid_from
    article.valid_until = draft.valid_until or article.valid_until
    article.content_hash = content_hash
    session.flush()
    moved = change != "created" and shown_before != (article.title, article.url, article.status)
    _put_passages(session, article, draft.passages, touch_all=moved)
    set_questions(session, article, draft.questions, source="import")
    return article, change


def rewrite_article(session: Session, article: Article, draft: ArticleDraft) -> None:
    """Give an article the words of a person: title, body, section, address, period and questions of ``draft``.

    Name, language, source and status stay, and so do the passages as `put_article` keeps them. Its source finds it
    again and leaves it alone until it says something else than it did.
    """
    begin_revision(session)
    shown_before = (article.title, article.url)
    article.title, article.body, article.section = draft.title, draft.body, draft.section
    article.url, article.edited = draft.url, True
    article.valid_from, article.valid_until = draft.valid_from, draft.valid_until
    session.flush()
    _put_passages(session, article, draft.passages, touch_all=shown_before != (article.title, article.url))
    set_questions(session, article, draft.questions, replacing=("admin", "import"))


def put_passages_anew(session: Session, article: Article, drafts: Sequence[PassageDraft]) -> None:
    """Cut the article into ``drafts`` whatever a person made of its passages before.

    A question that asked for one of them asks for the piece that it was made of, where that is one and in the article
    still, else for the whole article.
    """
    edited = session.scalars(select(Passage).where(Passage.article_id == article.id, Passage.edited)).all()
    made_of = {
        passage.id: (passage.origin or [""])[0] for passage in edited if len(passage.origin or ()) == 1
    }
    asked = session.scalars(select(ArticleQuestion).where(ArticleQuestion.passage_id.in_(made_of))).all()
    wanted = {question: made_of[question.passage_id] for question in asked if question.passage_id is not None}
    remove_passages(session, edited)
    _put_passages(session, article, drafts, touch_all=False)
    pieces = {
        passage.content_hash: passage
        for passage in session.scalars(select(Passage).where(Passage.article_id == article.id))
    }
    bound = [question for question, digest in wanted.items() if digest in pieces]
    for question in bound:
        question.passage_id, question.lang = pieces[wanted[question]].id, pieces[wanted[question]].lang
    session.flush()
    log_change(session, "question", [question.id for question in bound], "upsert")


def withdraw_missing(
    session: Session, drafts: Iterable[ArticleDraft], *, source: str
) -> tuple[list[Article], list[Article]]:
    """Switch off the articles that an earlier file of this name held and the present one does not: (those articles,
    those that the present one does not hold either and that stay live).

    Another file that happens to have the same name takes nothing away: at least half of the earlier articles of a
    language must be in the present one. An article that comes back in a later file is quoted again.
    """
    present: dict[str, set[str]] = defaultdict(set)
    for draft in drafts:
        present[draft.lang].add(draft.slug)
    gone: list[Article] = []
    stay: list[Article] = []
    for lang, slugs in present.items():
        held = session.scalars(
            select(Article).where(
                Article.source == source, Article.lang == lang, Article.content_hash != _WITHDRAWN
            )
        ).all()
        missing = [article for article in held if article.slug not in slugs]
        if 2 * len(missing) <= len(held):
            gone += missing
        else:
            stay += [article for article in missing if article.status == "live"]
    for article in gone:
        withdraw_article(session, article)
    return gone, stay


def withdraw_article(session: Session, article: Article) -> None:
    """Switch an article off because its source no longer has it; the source may bring it back."""
    set_article_status(session, article, "off")
    article.content_hash = _WITHDRAWN


def delete_article(session: Session, article: Article) -> None:
    """Remove an article with its passages and questions, in this revision."""
    passages = session.scalars(select(Passage.id).where(Passage.article_id == article.id)).all()
    questions = session.scalars(
        select(ArticleQuestion.id).where(ArticleQuestion.article_id == article.id)
    ).all()
    log_change(session, "passage", passages, "delete")
    log_change(session, "question", questions, "delete")
    session.execute(
        delete(Article).where(Article.id == article.id)
    )  # the rest goes with it, by the foreign keys
    session.expunge(article)


def set_questions(
    session: Session,
    article: Article,
    texts: Iterable[str],
    *,
    source: str = "admin",
    lang: str | None = None,
    replacing: Sequence[str] = (),
) -> int:
    """Make ``texts`` the article's questions of this ``source``; returns how many rows changed.

    A question that another source has already is left to it. ``replacing``: the sources whose other questions go, where
    not those of ``source`` alone.
    """
    wanted = {question_hash(text): text.strip() for text in texts if text.strip()}
    rows = session.scalars(select(ArticleQuestion).where(ArticleQuestion.article_id == article.id)).all()
    present = {row.content_hash for row in rows}
    stale = [
        row.id
        for row in rows
        if row.source in (replacing or (source,))
        and row.passage_id is None
        and row.content_hash not in wanted
    ]
    fresh = [
        {
            "article_id": article.id,
            "text": text,
            "lang": lang or article.lang,
            "source": source,
            "content_hash": digest,
            "enabled": True,
        }
        for digest, text in wanted.items()
        if digest not in present
    ]
    if stale:
        log_change(session, "question", stale, "delete")
        session.execute(delete(ArticleQuestion).where(ArticleQuestion.id.in_(stale)))
    if fresh:
        statement = insert(ArticleQuestion).returning(ArticleQuestion.id, sort_by_parameter_order=True)
        log_change(session, "question", session.scalars(statement, fresh).all(), "upsert")
    return len(stale) + len(fresh)


def enable_passage(session: Session, passage: Passage, *, enabled: bool) -> None:
    """Let the bot see a passage, or keep it from it."""
    if passage.enabled != enabled:
        mark_edited(passage)
        passage.enabled = enabled
        log_change(session, "passage", [passage.id], "upsert" if enabled else "delete")


def mark_edited(passage: Passage) -> None:
    """From now on the passage is a person's: it stands for the imported pieces that it is made of."""
    if not passage.edited:
        passage.edited, passage.origin = True, [passage.content_hash]


def set_article_status(session: Session, article: Article, status: str) -> None:
    """live, draft or off; what is not live leaves the search."""
    if article.status == status:
        return
    article.status = status
    ids = session.scalars(select(Passage.id).where(Passage.article_id == article.id, Passage.enabled)).all()
    questions = session.scalars(
        select(ArticleQuestion.id).where(ArticleQuestion.article_id == article.id)
    ).all()
    operation = "upsert" if status == "live" else "delete"
    log_change(session, "passage", ids, operation)
    log_change(session, "question", questions, operation)


def redaction_rules(session: Session) -> RedactionRules:
    """What counts as personal here: order numbers as any of the sites writes them, not what the company publishes.

    In a process that has not read the articles yet this takes seconds where there are many: ask for it once in a
    reading session before a writing one.
    """
    own = [str(options.get("order_pattern") or "") for options in session.scalars(select(Site.options))]
    return RedactionRules(order_pattern=order_pattern(own), keep=published_values(session))


def article_hash(draft: ArticleDraft) -> str:
    """What tells whether an article is the same as before, wherever it comes from."""
    parts = [draft.slug, draft.lang, draft.title, draft.body, draft.section, draft.url, draft.status]
    parts += [f"{draft.valid_from}", f"{draft.valid_until}", *draft.questions]
    parts += [f"{passage.title_path}\x1f{passage.text}" for passage in draft.passages]
    return _hash("\x1e".join(parts))


def passage_hash(title_path: str, text: str) -> str:
    """What a piece of an article is known by when the article is read again."""
    return _hash(f"{title_path}\n{text}")


def question_hash(text: str) -> str:
    return _hash(fold(text))


def _put_passages(
    session: Session, article: Article, drafts: Sequence[PassageDraft], *, touch_all: bool
) -> None:
    rows = session.scalars(
        select(Passage).where(Passage.article_id == article.id).order_by(Passage.position)
    ).all()
    digests = [passage_hash(draft.title_path, draft.text) for draft in drafts]
    standing, outdated = _edits([row for row in rows if row.edited], set(digests))
    for row in outdated:
        if row.enabled:
            row.enabled = False
            log_change(session, "passage", [row.id], "delete")
        row.source_changed = True
    unused: dict[str, list[Passage]] = defaultdict(list)
    for row in rows:
        if not row.edited:
            unused[row.content_hash].append(row)
    placed: dict[Passage, None] = {}
    fresh: list[Passage] = []
    for digest, draft in zip(digests, drafts, strict=True):
        if digest in standing:
            placed.update(dict.fromkeys(standing[digest]))
            continue
        if unused[digest]:
            row = unused[digest].pop(0)
        else:
            row = Passage(
                article_id=article.id,
                title_path=draft.title_path[:1000],
                text=draft.text,
                lang=article.lang,
                content_hash=digest,
            )
            fresh.append(row)
        placed[row] = None
    placed.update(dict.fromkeys(row for row in rows if row.edited))  # those that stand for nothing in it
    for position, row in enumerate(placed):
        row.position = position
    remove_passages(session, [row for left in unused.values() for row in left])
    session.add_all(fresh)
    session.flush()
    kept = [row.id for row in placed if touch_all and row.enabled and row not in fresh]
    log_change(session, "passage", [row.id for row in fresh] + kept, "upsert")


def _edits(rows: Sequence[Passage], digests: set[str]) -> tuple[dict[str, list[Passage]], list[Passage]]:
    """Which edited passages stand for which pieces of the article, and those whose pieces are not all there any more.

    What was split or joined stands or falls together: were one half outdated and the other not, the text of a piece
    that both came from would be missing.
    """
    live = [row for row in rows if row.origin and not row.source_changed]
    missing = {digest for row in live for digest in row.origin or ()} - digests
    outdated: list[Passage] = []
    while True:
        fallen = [row for row in live if row not in outdated and missing.intersection(row.origin or ())]
        if not fallen:
            break
        outdated += fallen
        missing.update(digest for row in fallen for digest in row.origin or ())
    standing: dict[str, list[Passage]] = defaultdict(list)
    for row in live:
        if row not in outdated:
            for digest in row.origin or ():
                standing[digest].append(row)
    return dict(standing), outdated


def remove_passages(session: Session, rows: Sequence[Passage]) -> None:
    """Delete passages; a question that asked for one of them asks for the whole article again."""
    if not rows:
        return
    ids = [row.id for row in rows]
    freed = session.scalars(select(ArticleQuestion).where(ArticleQuestion.passage_id.in_(ids))).all()
    for question in freed:
        question.passage_id = None
    session.flush()
    log_change(session, "question", [question.id for question in freed], "upsert")
    log_change(session, "passage", ids, "delete")
    session.execute(delete(Passage).where(Passage.id.in_(ids)))


def log_change(session: Session, entry: str, ids: Sequence[int], operation: str) -> None:
    """Tell every serving process, in this transaction's revision. ``entry``: passage or question; ``operation``:
    upsert or delete."""
    if not ids:
        return
    revision = begin_revision(session)
    ids = sorted(ids)
    now = utcnow()
    session.execute(
        insert(KnowledgeChange),
        [
            {
                "revision": revision,
                "entry": entry,
                "entry_id": number,
                "operation": operation,
                "created_at": now,
            }
            for number in ids
        ],
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
