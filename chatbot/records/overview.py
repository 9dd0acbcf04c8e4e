"""The state of the installation in a few numbers: what the first page of the admin area shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from chatbot.records.inbox import counts
from chatbot.records.tables import (
    Answer,
    Article,
    Conversation,
    Example,
    Intent,
    Passage,
    Promotion,
    Release,
    Site,
    Transcript,
    Turn,
)


@dataclass(frozen=True, slots=True)
class Knowledge:
    articles: int
    articles_by_language: dict[str, int]
    passages: int
    intents: int
    approved_answers: int
    drafts: int
    transcripts: int
    labelled_examples: int
    unreviewed_examples: int

    @property
    def empty(self) -> bool:
        return not (self.articles or self.transcripts or self.intents)


@dataclass(frozen=True, slots=True)
class LiveRelease:
    id: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    live: LiveRelease | None
    candidate: str | None  # a release that waits for a person's decision
    knowledge: Knowledge
    conversations_today: int
    waiting: int  # handovers that nobody has taken yet
    with_people: int
    talked: bool  # whether a customer has ever written

    @property
    def first_run(self) -> bool:
        """Whether a step from the upload to a live bot is still to be taken."""
        return not (self.knowledge.articles and self.live and self.talked)


def overview(session: Session, *, today: datetime, site: Site | None = None) -> Overview:
    """``today`` is midnight of the reader's day, as an aware time. ``site``: its conversations alone."""
    here = [] if site is None else [Conversation.site_id == site.id]
    states = _tally(
        session,
        select(Conversation.state, func.count())
        .where(Conversation.state.in_(("waiting", "human")), *here)
        .group_by(Conversation.state),
    )
    return Overview(
        live=_live(session),
        candidate=waiting_release(session),
        knowledge=_knowledge(session),
        conversations_today=_count(
            session,
            select(func.count()).select_from(Conversation).where(Conversation.created_at >= today, *here),
        ),
        waiting=states.get("waiting", 0),
        with_people=states.get("human", 0),
        talked=session.scalar(select(Turn.id).where(Turn.role == "customer").limit(1)) is not None,
    )


def waiting_count(session: Session) -> int:
    """Handovers and messages left that nobody has taken yet: the number beside the menu entry."""
    return counts(session, person_id=0)["waiting"]


def _live(session: Session) -> LiveRelease | None:
    row = session.scalar(select(Promotion).order_by(Promotion.id.desc()).limit(1))
    return LiveRelease(row.release_id, row.created_at, row.reason) if row else None


def waiting_release(session: Session) -> str | None:
    """The newest release, where a person is to decide on it."""
    newest = session.scalar(select(Release).order_by(Release.created_at.desc(), Release.id.desc()).limit(1))
    return newest.id if newest is not None and newest.status == "candidate" else None


def _knowledge(session: Session) -> Knowledge:
    languages = _tally(
        session, select(Article.lang, func.count()).where(Article.status == "live").group_by(Article.lang)
    )
    answers = _tally(session, select(Answer.status, func.count()).group_by(Answer.status))
    count = func.count()
    return Knowledge(
        articles=sum(languages.values()),
        articles_by_language=languages,
        passages=_count(session, select(count).select_from(Passage).where(Passage.enabled)),
        intents=_count(session, select(count).select_from(Intent).where(Intent.status != "retired")),
        approved_answers=answers.get("approved", 0),
        drafts=answers.get("draft", 0),
        transcripts=_count(session, select(count).select_from(Transcript)),
        labelled_examples=_count(
            session, select(count).select_from(Example).where(Example.intent_id.is_not(None))
        ),
        unreviewed_examples=_count(
            session, select(count).select_from(Example).where(Example.status == "unreviewed")
        ),
    )


def _tally(session: Session, query: Select[*tuple[Any, ...]]) -> dict[str, int]:
    return {str(name): number for name, number in session.execute(query)}


def _count(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    return session.scalar(query) or 0
