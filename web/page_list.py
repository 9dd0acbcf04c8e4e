"""Every page there is, with an address of this installation: for pictures of them and for what is checked on each.

A route that answers a browser is here, or in ``NO_PAGES`` with the reason; tests/web/test_page_list.py walks them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.records.database import Database
from chatbot.records.tables import (
    Action,
    Article,
    Conversation,
    Intent,
    Job,
    Proposal,
    Release,
    Transcript,
    Turn,
    Visitor,
)
from web.context import parts

PAGES = frozenset({"access", "admin", "inbox", "widget"})  # blueprints that answer browsers
NO_PAGES = {
    "access.session_state": "JSON",
    "admin.article_passages": "JSON",
    "admin.attachment": "a download",
    "admin.charts_style": "a style sheet",
    "admin.figures_csv": "a download",
    "admin.job_state": "JSON",
    "admin.release_card": "a download",
    "admin.release_figures": "JSON",
    "admin.replay_changes": "JSON",
    "admin.static": "style sheets and scripts",
    "admin.turn_words": "a piece of the answer's page",
    "admin.widget_preview": "the frame inside the theme builder",
    "inbox.articles": "JSON",
    "inbox.canned_for": "JSON",
    "inbox.conversation": "JSON",
    "inbox.events": "a stream",
    "inbox.snapshot": "JSON",
    "inbox.static": "style sheets and scripts",
    "inbox.suggested": "JSON",
    "widget.asset": "scripts of the widget",
    "widget.favicon": "an icon",
    "widget.frame": "the frame inside the widget",
    "widget.loader": "a script",
    "widget.locale": "JSON",
    "widget.picture": "a picture of a card",
}
STEPS = {  # pages that no address opens by itself
    "access.set_up": "opened by a one-time link",
    "access.sign_in_code": "comes after the password",
    "admin.choose_encoding": "comes after an upload whose encoding is doubtful",
    "access.second_step_page": "begins with a button on one's account",
}


@dataclass(frozen=True, slots=True)
class Page:
    """``path`` has ``{lang}`` where a page of visitors says its language in the address."""

    name: str
    title: str
    path: str
    endpoint: str
    public: bool = False


def listed(app: Flask, database: Database) -> list[Page]:
    """The pages of visitors, those of the menu, and one of each kind behind a list that has one."""
    with app.test_request_context():
        return [*_public(app, database), *_menu(app, database), *_behind(app, database)]


def _public(app: Flask, database: Database) -> Iterator[Page]:
    yield Page(
        "help", "The company's help page with the widget", "/?locale={lang}", "widget.home", public=True
    )
    with database.read() as session:
        article = session.scalars(
            select(Article).where(Article.status == "live").order_by(Article.lang != "en", Article.id)
        ).first()
    if article is not None:
        path = app.url_for("widget.help_article", language=article.lang, slug=article.slug)
        yield Page("help-article", "A help article", path, "widget.help_article", public=True)
    yield Page("chat", "The chat as a page of its own", "/chat?locale={lang}", "widget.chat", public=True)
    yield Page("sign-in", "Signing in", app.url_for("access.sign_in"), "access.sign_in", public=True)


def _menu(app: Flask, database: Database) -> Iterator[Page]:
    from web.admin.blueprint import MENU

    with database.read() as session:
        waiting = session.scalar(
            select(Conversation.id)
            .where(Conversation.state == "waiting")
            .order_by(Conversation.locale != "en", Conversation.handover_at)
        )
    for entry in MENU:
        blueprint, _, name = entry.endpoint.partition(".")
        path = app.url_for(entry.endpoint)
        if entry.endpoint == "inbox.home":
            name = blueprint
            path += f"?open={waiting}" if waiting else ""
        yield Page(name.replace("_", "-").removesuffix("-page"), entry.text, path, entry.endpoint)


def cited_answer(session: Session) -> Turn | None:
    """The first answer taken from a passage, an English one where there is any: the answer that is looked at."""
    found = select(Turn).where(Turn.role == "bot", Turn.kind == "passage")
    return session.scalars(found.order_by(Turn.lang != "en", Turn.id)).first()


def _behind(app: Flask, database: Database) -> Iterator[Page]:
    with database.read() as session:
        answer = cited_answer(session)
        article = session.scalar(
            select(Article.id)
            .where(Article.status == "live")
            .order_by(Article.lang != "en", Article.id)
            .limit(1)
        )
        talk = session.scalar(select(Transcript.id).order_by(Transcript.lang != "en", Transcript.id).limit(1))
        intent = session.scalar(select(Intent.id).where(Intent.status == "live").order_by(Intent.id).limit(1))
        visitor = session.scalar(
            select(Visitor.id).order_by(Visitor.identity.is_(None), Visitor.id.desc()).limit(1)
        )
        action = session.scalar(select(Action.id).order_by(Action.id).limit(1))
        proposal = session.scalar(
            select(Proposal.id).order_by(Proposal.status != "open", Proposal.id).limit(1)
        )
        release = session.scalar(select(Release.id).order_by(Release.created_at.desc()).limit(1))
        job = session.scalar(select(Job.id).order_by(Job.kind != "import_articles", Job.id.desc()).limit(1))
    kinds = (
        ("article", "One article with its passages", "admin.article", "article_id", article),
        ("edit-article", "An article changed as a whole", "admin.edit_article", "article_id", article),
        (
            "conversation",
            "One conversation",
            "admin.conversation",
            "conversation_id",
            answer.conversation_id if answer else None,
        ),
        (
            "transcript",
            "A past conversation and what was learned from it",
            "admin.transcript",
            "transcript_id",
            talk,
        ),
        (
            "visitor",
            "One visitor: who it is and what was said before",
            "admin.visitor",
            "visitor_id",
            visitor,
        ),
        ("answer", "Why this answer?", "admin.turn", "turn_id", answer.id if answer else None),
        ("intent", "One intent with its answers", "admin.intent", "intent_id", intent),
        ("action", "One action", "admin.action", "action_id", action),
        ("proposal", "One proposed intent", "admin.proposal", "proposal_id", proposal),
        ("release", "One release with its model card", "admin.release", "release_id", release),
        ("replay", "What another release would change", "admin.replayed", "release_id", release),
        ("job", "An import's report", "admin.job", "job_id", job),
    )
    for name, title, endpoint, argument, which in kinds:
        if which is not None:
            values: dict[str, Any] = {argument: which}
            yield Page(name, title, app.url_for(endpoint, **values), endpoint)
    table = uploaded_table(parts().settings.uploads)
    if table:
        path = app.url_for("admin.check_upload") + "?" + urlencode({"files": table})
        yield Page("upload-check", "Before an import: what the columns are", path, "admin.check_upload")
    for name, title, endpoint in (
        ("try-search", "Try the search", "admin.try_search"),
        ("new-article", "Write an article", "admin.new_article"),
        ("new-action", "A new action", "admin.new_action"),
        ("new-provisional", "A new provisional intent", "admin.new_provisional"),
        ("canned", "Canned replies", "inbox.canned"),
        ("chatwoot", "Connecting Chatwoot", "inbox.chatwoot"),
        ("account", "One's own account", "access.account"),
        ("style", "Style guide", "admin.style"),
    ):
        yield Page(name, title, app.url_for(endpoint), endpoint)


def uploaded_table(uploads: Path) -> str | None:
    """A table that somebody has uploaded and not imported yet, as its page names it."""
    stored = re.compile(r"[0-9a-f]{32}")
    found = (path for path in sorted(uploads.glob("*/*.csv")) if stored.fullmatch(path.parent.name))
    return next((f"{path.parent.name}/{path.name}" for path in found), None)
