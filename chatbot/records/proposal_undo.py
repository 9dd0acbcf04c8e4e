"""A decision about a proposal taken back: a rejection, an acceptance, a merge. Everything is as before it, or nothing
is touched.

The audit entry of the decision says how things were. Where somebody has built on the decision since (a message
relabelled, an answer approved, a release trained), going back would throw that away: it is refused, and says by what.
What was erased since stays erased, and messages that a later export added to the proposal stay in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError
from chatbot.records import audit
from chatbot.records.proposals import (
    PART,
    SUGGESTED,
    get_proposal,
    members_of,
    reason_of,
)
from chatbot.records.tables import (
    Action,
    Answer,
    AuditEntry,
    Example,
    Intent,
    Person,
    Proposal,
    ProposalMember,
    Release,
)

LATELY = 12  # decisions that a page lists
_BY_HAND = "Relabel or take out its examples instead"


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """A decision as a list shows it. ``intent``: what an accepted one became; ``into``: what a merged one went into."""

    id: int
    name: str
    status: str
    intent: str
    into: str
    by: str
    at: datetime


def decided_lately(session: Session, *, skip: int = 0, limit: int = LATELY) -> list[DecidedLine]:
    """The newest decisions first; ``skip`` are those of the pages before."""
    rows = session.execute(
        select(Proposal, Intent.name, Person.name)
        .outerjoin(Intent, Intent.id == Proposal.intent_id)
        .outerjoin(Person, Person.id == Proposal.decided_by_id)
        .where(Proposal.status != "open", Proposal.decided_at.is_not(None))
        .order_by(Proposal.decided_at.desc(), Proposal.id.desc())
        .offset(skip)
        .limit(limit)
    ).all()
    found = []
    for row, intent, by in rows:
        entry = _merge_of(session, row) if row.status == "merged" else None
        kept = session.get(Proposal, entry.detail["kept"]) if entry else None
        found.append(
            DecidedLine(
                id=row.id,
                name=row.name,
                status=row.status,
                intent=intent or "" if row.status == "accepted" else "",
                into=kept.name if kept else "",
                by=by or "",
                at=row.decided_at or row.created_at,
            )
        )
    return found


def take_back(session: Session, proposal_id: int, *, person_id: int | None) -> Proposal:
    """The proposal is open as before it was decided; so are all that were merged with it in one go.

    Raises NotFoundError, and ConflictError where nothing was decided or something was built on the decision since.
    """
    get_proposal(session, proposal_id)
    row = session.scalars(select(Proposal).where(Proposal.id == proposal_id).with_for_update()).one()
    if row.status == "open":
        raise ConflictError(
            "Nothing is decided about this proposal",
            field="proposal",
            value=row.name,
            remedy="Look at the list again",
        )
    entry = None
    if row.status == "accepted":
        entry = _acceptance_of(session, row)
        _take_acceptance_back(session, row, _told(entry, row))
    elif row.status == "merged":
        entry = _merge_of(session, row)
        _part(session, _told(entry, row))
    else:
        _open_again(row)
    audit.record(
        session,
        action="proposal.reopen",
        subject=f"proposal {row.id}: {row.name}",
        person_id=person_id,
        detail={"entry": entry.id} if entry else None,
    )
    session.flush()
    return row


def _told(entry: AuditEntry | None, row: Proposal) -> AuditEntry:
    if entry is None:
        raise ConflictError(
            "Nothing is known of how this proposal was before",
            field="proposal",
            value=row.name,
            remedy=_BY_HAND,
        )
    return entry


def _open_again(row: Proposal) -> None:
    row.status, row.decided_by_id, row.decided_at = "open", None, None


def _changed(what: str, value: Any, remedy: str) -> ConflictError:
    return ConflictError(what, field="proposal", value=value, remedy=remedy)


# --- an acceptance ---------------------------------------------------------------------------------------


def _acceptance_of(session: Session, row: Proposal) -> AuditEntry | None:
    entries = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.action == "proposal.accept",
            AuditEntry.subject.startswith(f"proposal {row.id}:", autoescape=True),
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return next((entry for entry in entries if "before" in entry.detail), None)


def _take_acceptance_back(session: Session, row: Proposal, entry: AuditEntry) -> None:
    told = entry.detail
    intent = session.get(Intent, row.intent_id) if row.intent_id is not None else None
    if intent is None:
        raise _changed("The intent that it became is gone", row.name, "Accept another proposal")
    labelled = [id_ for part in told["labelled"] for id_ in read_ranges(part["examples"])]
    _refuse_relabelled(session, row, intent, labelled)
    if (told["bound"] and intent.article_slug != told["bound"]) or (
        told["made"] is not None
        and (intent.status != "live" or intent.titles != told["made"] or intent.article_slug != told["bound"])
    ):
        raise _changed("The intent was changed since", intent.name, _BY_HAND)
    if told["made"] is not None:
        _refuse_used(session, row, intent, labelled, told["drafts"])
    for part in told["labelled"]:
        _label_again(session, read_ranges(part["examples"]), part["intent_id"], part["reason"])
    for ids in _parts(members_of(session, row.id)):  # guesses that followed from the acceptance
        session.execute(
            update(Example)
            .where(
                Example.id.in_(ids),
                Example.status == "unreviewed",
                Example.intent_id == intent.id,
                Example.label_reason == SUGGESTED,
                Example.created_at > entry.created_at,
            )
            .values(intent_id=None, label_reason=None)
        )
    before = told["before"]
    known = before["intent_id"] is not None and session.get(Intent, before["intent_id"]) is not None
    row.name, row.intent_id = before["name"], before["intent_id"] if known else None
    _open_again(row)
    session.flush()
    if told["made"] is not None:
        session.delete(intent)  # and its drafts with it
    elif told["bound"]:
        intent.article_slug = None


def _refuse_relabelled(session: Session, row: Proposal, intent: Intent, labelled: Sequence[int]) -> None:
    other = 0
    for ids in _parts(labelled):
        other += (
            session.scalar(
                select(func.count())
                .select_from(Example)
                .where(
                    Example.id.in_(ids),
                    (Example.status != "accepted")
                    | Example.intent_id.is_(None)
                    | (Example.intent_id != intent.id)
                    | (func.coalesce(Example.label_reason, "") != reason_of(row.id)),
                )
            )
            or 0
        )
    if other:
        raise _changed(
            "Messages of it were relabelled or taken out since", other, "Take these changes back first"
        )


def _refuse_used(
    session: Session, row: Proposal, intent: Intent, labelled: Sequence[int], drafts: Sequence[int]
) -> None:
    """The intent was made by the acceptance and would go with it: nothing else may lean on it."""
    mine = {*labelled, *members_of(session, row.id)}
    used = set(session.scalars(select(Example.id).where(Example.intent_id == intent.id))) - mine
    if used:
        raise _changed("The intent has other examples by now", len(used), "Relabel those first")
    texts = {lang: text.strip() for lang, text in row.drafts.items()}
    answers = session.scalars(select(Answer).where(Answer.intent_id == intent.id)).all()
    if {one.id for one in answers} != set(drafts) or any(
        one.status != "draft" or not texts.get(one.lang, "").startswith(one.text) for one in answers
    ):
        raise _changed("An answer of the intent was written or approved since", intent.name, _BY_HAND)
    if session.scalar(select(Action.id).where(Action.intent_id == intent.id)) is not None:
        raise _changed("An action was bound to the intent since", intent.name, "Delete the action first")
    if row.decided_at is not None:
        release = session.scalar(
            select(Release.id)
            .where(Release.created_at > row.decided_at)
            .order_by(Release.created_at)
            .limit(1)
        )
        if release is not None:
            raise _changed("A release has learned the intent since", release, _BY_HAND)


def _label_again(
    session: Session, labelled: Sequence[int], intent_id: int | None, reason: str | None
) -> None:
    """As these messages were, unreviewed, before the acceptance."""
    for ids in _parts(labelled):
        session.execute(
            update(Example)
            .where(Example.id.in_(ids))
            .values(intent_id=intent_id, status="unreviewed", labelled_by_id=None, label_reason=reason)
        )


# --- a merge ---------------------------------------------------------------------------------------------


def _merges_since(session: Session, moment: datetime) -> Iterator[AuditEntry]:
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == "proposal.merge", AuditEntry.created_at >= moment)
        .order_by(AuditEntry.id)
    )
    return (entry for entry in entries if "moved" in entry.detail)


def _merge_of(session: Session, row: Proposal) -> AuditEntry | None:
    """The entry of the merge in which this proposal went."""
    if row.decided_at is None:
        return None
    return next(
        (one for one in _merges_since(session, row.decided_at) if str(row.id) in one.detail["moved"]), None
    )


def _part(session: Session, entry: AuditEntry) -> None:
    """Give each proposal of the merge its messages back, and the one that was kept what it was."""
    told = entry.detail
    kept = session.scalar(select(Proposal).where(Proposal.id == told["kept"]).with_for_update())
    if kept is None or kept.status != "open":
        raise _changed(
            "Somebody has decided about the merged proposal since",
            kept.name if kept else told["kept"],
            "Take that decision back first",
        )
    undone = {
        one.get("entry")
        for one in session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "proposal.reopen"))
    }
    later = [
        one
        for one in _merges_since(session, entry.created_at)
        if one.id > entry.id and one.detail["kept"] == kept.id and one.id not in undone
    ]
    if later:
        raise _changed("Another proposal was merged into it since", kept.name, "Take that merge back first")
    moved = {int(id_): read_ranges(ids) for id_, ids in told["moved"].items()}
    for ids in _parts([one for part in moved.values() for one in part]):
        there = session.scalar(select(func.count()).select_from(Example).where(Example.id.in_(ids)))
        inside = session.scalar(
            select(func.count())
            .select_from(ProposalMember)
            .where(ProposalMember.example_id.in_(ids), ProposalMember.proposal_id == kept.id)
        )
        if there != inside:
            raise _changed(
                "Messages were split off or taken out of the merged proposal since",
                kept.name,
                "Split it by hand instead",
            )
    for proposal_id, own in moved.items():
        for ids in _parts(own):
            session.execute(
                update(ProposalMember)
                .where(ProposalMember.example_id.in_(ids))
                .values(proposal_id=proposal_id)
            )
        _open_again(get_proposal(session, proposal_id))
    before: Mapping[str, Any] = told["before"]
    kept.terms, kept.evidence = list(before["terms"]), dict(before["evidence"])
    kept.article_slug = before["article_slug"]
    kept.drafts = {lang: text for lang, text in kept.drafts.items() if lang in before["drafts"]}


# --- numbers ---------------------------------------------------------------------------------------------


def read_ranges(text: str) -> list[int]:
    """What ``id_ranges`` (proposals.py) has written."""
    found: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(ids), PART):
        yield ids[at : at + PART]
