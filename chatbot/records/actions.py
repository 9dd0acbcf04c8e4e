"""Actions as an admin keeps them, and what came of each request.

Every function works inside the caller's session. Saving an action approves its texts: who and when stands beside it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from chatbot.dialogue import actions as plain
from chatbot.dialogue.actions import Action, Outcome, Talk
from chatbot.dialogue.cards import check_images
from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records import tables
from chatbot.records.tables import ActionCall, Conversation, Intent, utcnow


@dataclass(frozen=True, slots=True)
class Draft:
    """An action as a form or the API brings it; ``templates`` as text by language."""

    name: str
    intent: str
    url: str
    slots: Sequence[Mapping[str, Any]]
    templates: Mapping[str, str]
    proof: Mapping[str, Any]
    changes: bool = False
    seconds: float = 4.0
    enabled: bool = True


def new_secret() -> str:
    """256 random bits."""
    return "fda_" + secrets.token_urlsafe(32)


def list_actions(session: Session) -> list[tuple[tables.Action, str]]:
    """All of them with their intents' names, by name."""
    rows = session.execute(
        select(tables.Action, Intent.name)
        .join(Intent, Intent.id == tables.Action.intent_id)
        .order_by(tables.Action.name)
    ).all()
    return [(row, name) for row, name in rows]


def get_action(session: Session, action_id: int) -> tuple[tables.Action, str]:
    """Raises NotFoundError."""
    row = session.get(tables.Action, action_id)
    if row is None:
        raise NotFoundError("No such action", field="action", value=action_id)
    return row, session.get_one(Intent, row.intent_id).name


def _bound(of: ColumnElement[bool]) -> Select[tables.Action, str]:
    """Asked for every message: made once."""
    return (
        select(tables.Action, Intent.name)
        .join(Intent, Intent.id == tables.Action.intent_id)
        .where(of, tables.Action.enabled, Intent.status != "retired")
        .order_by(Intent.id)
        .limit(1)
    )


_BOUND = (_bound(Intent.name == bindparam("intent")), _bound(Intent.article_slug == bindparam("slug")))


def bound_to(session: Session, intent: str | None, article_slug: str | None) -> Action | None:
    """The action that is switched on for a live intent; without an intent, for the one that the article belongs to."""
    if intent is None and article_slug is None:
        return None
    by_name, by_article = _BOUND
    found = (
        session.execute(by_name, {"intent": intent})
        if intent is not None
        else session.execute(by_article, {"slug": article_slug})
    ).first()
    return as_action(found[0], found[1], id=found[0].id) if found else None


def enabled_action(session: Session, name: str) -> Action | None:
    found = session.execute(
        select(tables.Action, Intent.name)
        .join(Intent, Intent.id == tables.Action.intent_id)
        .where(tables.Action.name == name, tables.Action.enabled)
    ).first()
    return as_action(found[0], found[1], id=found[0].id) if found else None


def enabled_actions(session: Session) -> list[Action]:
    """Those that are switched on for a live intent, in the order of the intents."""
    rows = session.execute(
        select(tables.Action, Intent.name)
        .join(Intent, Intent.id == tables.Action.intent_id)
        .where(tables.Action.enabled, Intent.status != "retired")
        .order_by(Intent.id)
    )
    return [as_action(row, intent, id=row.id) for row, intent in rows]


def action_titles(session: Session, lang: str) -> dict[str, str]:
    """What each action's intent is called in ``lang``, else in English, by the action's name."""
    rows = session.execute(
        select(tables.Action.name, Intent.titles).join(Intent, Intent.id == tables.Action.intent_id)
    )
    return {name: str(titles.get(lang) or titles.get("en") or name) for name, titles in rows}


def as_action(kept: tables.Action | Draft, intent: str, *, id: int) -> Action:
    """Raises InputError for what cannot be, or what is stored and can no longer be."""
    return Action(
        id=id,
        name=kept.name,
        intent=intent,
        url=kept.url,
        slots=plain.slots_from(kept.slots),
        templates=plain.templates_from(kept.templates),
        proof=plain.proof_from(kept.proof),
        changes=kept.changes,
        seconds=kept.seconds,
    )


def save(
    session: Session,
    draft: Draft,
    *,
    row: tables.Action | None = None,
    person_id: int | None = None,
    image_hosts: Sequence[str] = (),
    now: datetime | None = None,
) -> tables.Action:
    """Make an action, or change ``row``. The address has been checked by the caller (outbound.check_url).
    ``image_hosts`` may stand in the pictures of its cards.

    Raises InputError for what cannot be, ConflictError for a name or an intent that another action has.
    """
    now = now or utcnow()
    intent = session.scalar(select(Intent).where(Intent.name == draft.intent, Intent.status != "retired"))
    if intent is None:
        raise InputError(
            "No such intent", field="intent", value=draft.intent, remedy="Choose one of the live intents"
        )
    for column, value, what in (
        (tables.Action.name, draft.name, draft.name),
        (tables.Action.intent_id, intent.id, draft.intent),
    ):
        other = session.scalar(select(tables.Action).where(column == value))
        if other is not None and other is not row:
            raise ConflictError(
                "Another action has this already",
                field="action",
                value=what,
                remedy=f"Change {other.name} instead",
            )
    row = row or tables.Action(secret=new_secret(), created_at=now)
    action = as_action(draft, draft.intent, id=row.id or 0)
    plain.check_proven(action)
    for templates in action.templates.values():
        check_images((card for template in templates for card in template.cards), image_hosts)
    checked = plain.as_json(action)
    row.name, row.intent_id, row.url = draft.name, intent.id, draft.url
    row.slots, row.proof = checked["slots"], checked["proof"]
    row.templates = {lang: text for lang, text in draft.templates.items() if text.strip()}
    row.changes, row.seconds, row.enabled = draft.changes, draft.seconds, draft.enabled
    row.approved_by_id, row.approved_at = person_id, now
    session.add(row)
    session.flush()
    return row


# --- requests -----------------------------------------------------------------------------------------------


def note_call(
    session: Session,
    action_id: int,
    talk: Talk,
    *,
    key: str,
    subject: str,
    outcome: Outcome,
    now: datetime | None = None,
) -> None:
    """Keep what came of a request; one with a known key is the same request, made again."""
    row = session.scalar(select(ActionCall).where(ActionCall.idempotency_key == key))
    if row is None:
        conversation = session.scalar(
            select(Conversation.id).where(Conversation.public_id == talk.conversation)
        )
        row = ActionCall(
            action_id=action_id,
            conversation_id=conversation,
            turn_id=talk.turn_id,
            idempotency_key=key,
            subject=subject,
            attempts=0,
            created_at=now or utcnow(),
        )
        session.add(row)
    row.outcome, row.status, row.detail = outcome.result, outcome.status, outcome.detail[:500]
    row.attempts = (row.attempts or 0) + outcome.attempts
    row.milliseconds = outcome.milliseconds


def unsuccessful_calls(session: Session, action_id: int, public_id: str) -> int:
    """How many requests of this action led to nothing in a conversation since the last one that did."""
    outcomes = session.scalars(
        select(ActionCall.outcome)
        .join(Conversation, Conversation.id == ActionCall.conversation_id)
        .where(Conversation.public_id == public_id, ActionCall.action_id == action_id)
        .order_by(ActionCall.id.desc())
        .limit(20)
    ).all()
    return next((place for place, outcome in enumerate(outcomes) if outcome == "done"), len(outcomes))


def refused_lately(session: Session, action_id: int, subject: str, *, since: datetime) -> int:
    """How often a proof for the same thing was refused, in whatever conversation."""
    return cast(
        int,
        session.scalar(
            select(func.count())
            .select_from(ActionCall)
            .where(
                ActionCall.action_id == action_id,
                ActionCall.subject == subject,
                ActionCall.outcome == "refused",
                ActionCall.created_at >= since,
            )
        ),
    )


def recent_calls(
    session: Session, action_id: int, *, before: int | None = None, limit: int = 20
) -> list[ActionCall]:
    """The newest first; ``before`` is an id, for the next page."""
    query = select(ActionCall).where(ActionCall.action_id == action_id)
    if before is not None:
        query = query.where(ActionCall.id < before)
    return list(session.scalars(query.order_by(ActionCall.id.desc()).limit(limit)))
