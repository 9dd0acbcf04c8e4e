"""What leaves the house: webhooks, e-mails, answers to another helpdesk. An outbox.

A delivery is a row, written in the transaction of what it tells: it cannot be lost when the process dies after the
commit, and it tells of nothing that was rolled back. A worker sends it afterwards and tries again with growing pauses.
Between taking and settling a row it is leased: a worker that dies leaves it to the next one, so a receiver may see the
same delivery twice (and tells by its id), but never none.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from chatbot.dialogue.cards import cards_of
from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records.tables import Conversation, Delivery, Site, Turn, Visitor, Webhook, utcnow

EVENTS = ("handover", "message", "closed", "alert")
PAUSES = (
    10,
    60,
    300,
    1_800,
    7_200,
    21_600,
)  # seconds before the second, third, … attempt; then it has failed
LEASE = timedelta(seconds=90)
EMAIL_AFTER = timedelta(seconds=60)  # an agent's reply that was not seen by then goes out by e-mail
KEEP = timedelta(days=14)  # of what was sent or given up
ERROR_LIMIT = 500  # characters


# --- events ----------------------------------------------------------------------------------------------


def tell(
    session: Session,
    event: str,
    conversation: Conversation,
    *,
    turn: Turn | None = None,
    by: str | None = None,
    now: datetime | None = None,
) -> None:
    """Put an event of a conversation into the outbox, once for each webhook that asks for it."""
    now = now or utcnow()
    hooks = _listening(session, event)
    if not hooks:
        return
    site = session.get_one(Site, conversation.site_id)
    payload: dict[str, Any] = {
        "conversation": {
            "id": conversation.public_id,
            "site": site.key,
            "state": conversation.state,
            "locale": conversation.locale,
            "channel": conversation.channel,
        },
    }
    if event == "handover":
        payload["reason"], payload["note"] = conversation.handover_reason, conversation.handover_note
    elif event == "closed":
        payload["outcome"], payload["csat"] = conversation.outcome, conversation.csat
    if turn is not None:
        payload["message"] = {
            "id": turn.id,
            "role": turn.role,
            "text": turn.text,
            "lang": turn.lang,
            "kind": turn.kind,
            "intent": turn.intent,
            "cards": cards_of(turn.role, turn.reply),
        }
    if by is not None:
        payload["by"] = by
    session.add_all(_to_webhook(hook, event, payload, now, conversation.id) for hook in hooks)


def tell_webhooks(session: Session, event: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Put an event that is of no conversation into the outbox, once for each webhook that asks for it."""
    session.add_all(_to_webhook(hook, event, payload, now) for hook in _listening(session, event))


def send_test(session: Session, hook: Webhook, *, now: datetime | None = None) -> None:
    """Put an event ``test`` for this webhook alone into the outbox, whatever it asks for."""
    session.add(_to_webhook(hook, "test", {}, now or utcnow()))


def _to_webhook(
    hook: Webhook, event: str, payload: dict[str, Any], now: datetime, conversation_id: int | None = None
) -> Delivery:
    return Delivery(
        kind="webhook",
        event=event,
        webhook_id=hook.id,
        conversation_id=conversation_id,
        payload={"event": event, "created_at": now.isoformat(timespec="milliseconds")} | payload,
        next_at=now,
        created_at=now,
    )


def _listening(session: Session, event: str) -> list[Webhook]:
    hooks = session.scalars(select(Webhook).where(Webhook.active))
    return [hook for hook in hooks if event in hook.events]


def mail_unless_seen(
    session: Session, conversation: Conversation, turn: Turn, *, origin: str, now: datetime
) -> bool:
    """Mail the agent's ``turn`` to the visitor unless he comes to see it within EMAIL_AFTER. Several replies in a row
    make one e-mail. False where he left no address. ``origin`` is this installation's, for the link back."""
    if not session.get_one(Visitor, conversation.visitor_id).email:
        return False
    pending = select(Delivery.id).where(
        Delivery.conversation_id == conversation.id,
        Delivery.kind == "email",
        Delivery.state == "due",
        Delivery.attempt == 0,
    )
    if session.scalar(pending) is None:
        session.add(
            Delivery(
                kind="email",
                event="reply",
                conversation_id=conversation.id,
                payload={"from_turn": turn.id, "origin": origin},
                next_at=now + EMAIL_AFTER,
                created_at=now,
            )
        )
    return True


def add_for_bridge(
    session: Session,
    conversation: Conversation,
    *,
    bridge_id: int,
    event: str,
    payload: dict[str, Any],
    now: datetime | None = None,
) -> None:
    """One request to a helpdesk; those of one conversation go out in their order."""
    session.add(
        Delivery(
            kind="chatwoot",
            event=event,
            bridge_id=bridge_id,
            conversation_id=conversation.id,
            payload=payload,
            next_at=now or utcnow(),
            created_at=now or utcnow(),
        )
    )
    session.flush()


# --- sending ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that this worker may try now; whatever it writes afterwards names the attempt."""

    id: int
    kind: str
    event: str
    attempt: int
    payload: dict[str, Any]
    webhook_id: int | None
    bridge_id: int | None
    conversation_id: int | None


def due(session: Session, *, now: datetime, limit: int = 20) -> list[int]:
    """Ids of what can be sent now, oldest first: due ones, and those whose worker did not come back."""
    earlier = aliased(Delivery)
    blocked = exists(
        select(earlier.id).where(
            earlier.conversation_id == Delivery.conversation_id,
            earlier.kind == "chatwoot",
            earlier.id < Delivery.id,
            earlier.state.in_(("due", "sending")),
        )
    )
    return list(
        session.scalars(
            select(Delivery.id)
            .where(
                Delivery.state.in_(("due", "sending")),
                Delivery.next_at <= now,
                (Delivery.kind != "chatwoot") | ~blocked,
            )
            .order_by(Delivery.next_at, Delivery.id)
            .limit(limit)
        )
    )


def take(session: Session, delivery_id: int, *, now: datetime) -> Taken | None:
    """Lease one for an attempt; None where another worker was quicker."""
    taken = _change(
        session,
        delivery_id,
        (Delivery.state.in_(("due", "sending")), Delivery.next_at <= now),
        state="sending",
        attempt=Delivery.attempt + 1,
        next_at=now + LEASE,
    )
    if not taken:
        return None
    row = session.get_one(Delivery, delivery_id, populate_existing=True)
    return Taken(
        row.id,
        row.kind,
        row.event,
        row.attempt,
        dict(row.payload),
        row.webhook_id,
        row.bridge_id,
        row.conversation_id,
    )


def sent(session: Session, taken: Taken, *, now: datetime) -> None:
    _settle(session, taken, state="sent", sent_at=now, error="")


def drop(session: Session, taken: Taken, *, why: str) -> None:
    """It need not be sent any more (the visitor has seen it)."""
    _settle(session, taken, state="dropped", error=why[:ERROR_LIMIT])


def missed(session: Session, taken: Taken, *, error: str, now: datetime, final: bool = False) -> bool:
    """The attempt failed; True where it will be tried again. ``final`` is for what no repetition can mend."""
    again = not final and taken.attempt <= len(PAUSES)
    if again:
        pause = timedelta(seconds=PAUSES[taken.attempt - 1])
        _settle(session, taken, state="due", next_at=now + pause, error=error[:ERROR_LIMIT])
    else:
        _settle(session, taken, state="failed", error=error[:ERROR_LIMIT])
    return again


def try_again(session: Session, delivery_id: int, *, now: datetime | None = None) -> None:
    """Send what had failed once more. Raises NotFoundError, ConflictError where it has not failed."""
    if session.get(Delivery, delivery_id) is None:
        raise NotFoundError("There is no such delivery", field="delivery", value=delivery_id)
    again = _change(
        session,
        delivery_id,
        (Delivery.state.in_(("failed", "due")),),
        state="due",
        attempt=0,
        next_at=now or utcnow(),
    )
    if not again:
        raise ConflictError(
            "Only what has failed or is still due is sent again", field="delivery", value=delivery_id
        )


def sweep(session: Session, *, now: datetime) -> None:
    """Erase what was settled long ago."""
    session.execute(
        delete(Delivery).where(
            Delivery.state.in_(("sent", "dropped", "failed")), Delivery.created_at < now - KEEP
        )
    )


def recent(session: Session, *, before: int | None = None, limit: int = 30) -> list[Delivery]:
    """The newest first; ``before`` is an id, for the next page."""
    query = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(Delivery.id < before)))


def _settle(session: Session, taken: Taken, **values: Any) -> None:
    _change(session, taken.id, (Delivery.state == "sending", Delivery.attempt == taken.attempt), **values)


def _change(session: Session, delivery_id: int, where: Sequence[Any], **values: Any) -> bool:
    result = session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, *where)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


# --- webhooks --------------------------------------------------------------------------------------------


def list_webhooks(session: Session) -> list[Webhook]:
    return list(session.scalars(select(Webhook).order_by(Webhook.id)))


def get_webhook(session: Session, webhook_id: int) -> Webhook:
    hook = session.get(Webhook, webhook_id)
    if hook is None:
        raise NotFoundError("There is no such webhook", field="webhook", value=webhook_id)
    return hook


def add_webhook(session: Session, *, url: str, events: Sequence[str]) -> Webhook:
    """A webhook with a fresh secret. ``url`` has been checked. Raises InputError for events that do not exist."""
    hook = Webhook(url=url, secret="whsec_" + secrets.token_urlsafe(32), events=_in_order(events))
    session.add(hook)
    session.flush()
    return hook


def change_webhook(
    hook: Webhook,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    active: bool | None = None,
) -> dict[str, Any]:
    """Change what is given, and say what is now different. The secret stays: whoever checks signatures goes on. What
    lies in the outbox goes to the new address. ``url`` has been checked. Raises InputError as ``add_webhook``."""
    given = {"url": url, "events": None if events is None else _in_order(events), "active": active}
    changed = {
        name: value for name, value in given.items() if value is not None and value != getattr(hook, name)
    }
    for name, value in changed.items():
        setattr(hook, name, value)
    return changed


def _in_order(events: Sequence[str]) -> list[str]:
    unknown = [event for event in events if event not in EVENTS]
    if unknown or not events:
        raise InputError(
            "Choose what the webhook is told" if not events else "There is no such event",
            field="events",
            value=", ".join(unknown) or None,
            remedy=f"Use one or more of {', '.join(EVENTS)}",
        )
    return [event for event in EVENTS if event in events]
