"""Proposed intents: kept, shown, and decided by a person. Who decided and why stays with every message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records import audit
from chatbot.records.answers import MAX_ANSWER, write_draft
from chatbot.records.intents import put_intent, title_from
from chatbot.records.tables import Article, Example, Intent, Proposal, ProposalMember, utcnow

MAX_NAME = 120
SAMPLES = 6
SUGGESTED = (
    "like an accepted proposal"  # an example's reason: its intent is a guess that nobody has confirmed
)
PART = 500  # values in one IN list


@dataclass(frozen=True, slots=True)
class Sample:
    example_id: int
    text: str
    lang: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal as a page or the API shows it; ``examples`` typical ones first."""

    id: int
    name: str
    terms: tuple[str, ...]
    count: int
    languages: dict[str, int]
    examples: tuple[Sample, ...]
    drafts: dict[str, str]
    article_slug: str | None
    evidence: dict[str, int]
    intent: str | None  # the intent it adds to, or that was made of it
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewProposal:
    """What discovery found: ``members`` example id -> how typical (0..1)."""

    name: str
    terms: tuple[str, ...]
    members: Mapping[int, float]
    drafts: Mapping[str, str]
    article_slug: str | None = None
    evidence: Mapping[str, int] | None = None
    intent_id: int | None = None


def add_proposal(session: Session, new: NewProposal, *, now: datetime | None = None) -> Proposal:
    row = Proposal(
        name=new.name[:MAX_NAME],
        terms=list(new.terms),
        drafts=dict(new.drafts),
        article_slug=new.article_slug,
        evidence=dict(new.evidence or {}),
        intent_id=new.intent_id,
        created_at=now or utcnow(),
    )
    session.add(row)
    session.flush()
    add_members(session, row.id, new.members)
    return row


def add_members(session: Session, proposal_id: int, members: Mapping[int, float]) -> None:
    """None of them may be a member of a proposal already."""
    if members:
        session.execute(
            insert(cast(SqlTable, ProposalMember.__table__)),
            [
                {"example_id": example, "proposal_id": proposal_id, "strength": float(strength)}
                for example, strength in members.items()
            ],
        )


def count_open(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Proposal).where(Proposal.status == "open")) or 0


def list_proposals(
    session: Session, *, status: str = "open", skip: int = 0, limit: int = 300
) -> list[ProposalView]:
    """The largest first; ``skip`` are those of the pages before."""
    counted = (
        select(ProposalMember.proposal_id, func.count().label("number"))
        .group_by(ProposalMember.proposal_id)
        .subquery()
    )
    rows = session.scalars(
        select(Proposal)
        .outerjoin(counted, counted.c.proposal_id == Proposal.id)
        .where(Proposal.status == status)
        .order_by(func.coalesce(counted.c.number, 0).desc(), Proposal.id)
        .offset(skip)
        .limit(limit)
    ).all()
    return [_view(session, row, samples=SAMPLES) for row in rows]


def read_proposal(session: Session, proposal_id: int, *, samples: int = 200) -> ProposalView:
    """Raises NotFoundError."""
    return _view(session, get_proposal(session, proposal_id), samples=samples)


def get_proposal(session: Session, proposal_id: int) -> Proposal:
    row = session.get(Proposal, proposal_id)
    if row is None:
        raise NotFoundError("There is no such proposal", field="proposal", value=proposal_id)
    return row


def _view(session: Session, row: Proposal, *, samples: int) -> ProposalView:
    by_language = session.execute(
        select(Example.lang, func.count())
        .join(ProposalMember, ProposalMember.example_id == Example.id)
        .where(ProposalMember.proposal_id == row.id)
        .group_by(Example.lang)
        .order_by(Example.lang)
    ).all()
    found = session.execute(
        select(Example.id, Example.text, Example.lang)
        .join(ProposalMember, ProposalMember.example_id == Example.id)
        .where(ProposalMember.proposal_id == row.id)
        .order_by(ProposalMember.strength.desc(), Example.id)
        .limit(samples * 3)  # the same words twice say nothing new
    ).all()
    kept: dict[str, Sample] = {}
    for example_id, text, lang in found:
        kept.setdefault(text, Sample(example_id, text, lang))
    intent = session.get(Intent, row.intent_id) if row.intent_id else None
    return ProposalView(
        id=row.id,
        name=row.name,
        terms=tuple(row.terms),
        count=sum(number for _, number in by_language),
        languages={row[0]: row[1] for row in by_language},
        examples=tuple(kept.values())[:samples],
        drafts=dict(row.drafts),
        article_slug=row.article_slug,
        evidence=dict(row.evidence),
        intent=intent.name if intent else None,
        status=row.status,
        created_at=row.created_at,
    )


def rename(session: Session, proposal_id: int, name: str, *, person_id: int | None = None) -> Proposal:
    row = _open(session, proposal_id)
    row.name = checked_name(name)
    audit.record(
        session,
        action="proposal.rename",
        subject=f"proposal {proposal_id}: {row.name}",
        person_id=person_id,
    )
    return row


def accept(
    session: Session,
    proposal_id: int,
    *,
    name: str,
    person_id: int | None,
    now: datetime | None = None,
) -> Intent:
    """Make the proposal an intent (or add its messages to the one of that name): its messages are labelled, the
    agents' typical answers become drafts to approve, the matching article is bound where the intent has none. The
    audit entry says how all of it was before, for proposal_undo.py.

    A message that was labelled otherwise before keeps its label. Raises InputError for an empty name, ConflictError
    where the proposal was decided already.
    """
    row, now = _open(session, proposal_id), now or utcnow()
    name = checked_name(name)
    before = {"name": row.name, "intent_id": row.intent_id}
    known = _known_article(session, row.article_slug)
    intent, change = put_intent(session, name, titles=None if _exists(session, name) else _titles(row, name))
    if intent.status == "retired":
        raise ConflictError(
            "An intent of this name was retired", field="name", value=name, remedy="Choose another name"
        )
    bound = known if known and not intent.article_slug else None
    if bound:
        intent.article_slug = bound
    labelled = _label(session, row, intent, person_id)
    drafts = []
    if change == "created":
        for lang, text in row.drafts.items():
            drafts.append(
                write_draft(session, intent_id=intent.id, lang=lang, text=text[:MAX_ANSWER], now=now).id
            )
    row.name, row.intent_id = name, intent.id
    _decide(row, "accepted", person_id, now)
    audit.record(
        session,
        action="proposal.accept",
        subject=f"proposal {row.id}: {intent.name}",
        person_id=person_id,
        detail={
            "before": before,
            "made": dict(intent.titles) if change == "created" else None,
            "bound": bound,
            "drafts": drafts,
            "labelled": [
                {"intent_id": intent_id, "reason": reason, "examples": id_ranges(ids)}
                for (intent_id, reason), ids in labelled.items()
            ],
        },
        now=now,
    )
    session.flush()
    return intent


def _label(
    session: Session, row: Proposal, intent: Intent, person_id: int | None
) -> dict[tuple[int | None, str | None], list[int]]:
    """Label the proposal's messages that nobody has labelled: (intent, reason) before -> their ids."""
    unlabelled = session.execute(
        select(Example.id, Example.intent_id, Example.label_reason)
        .join(ProposalMember, ProposalMember.example_id == Example.id)
        .where(
            ProposalMember.proposal_id == row.id,
            Example.status == "unreviewed",
            Example.intent_id.is_(None) | (Example.intent_id == intent.id),
        )
    ).all()
    before: dict[tuple[int | None, str | None], list[int]] = defaultdict(list)
    for example_id, intent_id, reason in unlabelled:
        before[intent_id, reason].append(example_id)
    ids = [one.id for one in unlabelled]
    for at in range(0, len(ids), PART):
        session.execute(
            update(Example)
            .where(Example.id.in_(ids[at : at + PART]))
            .values(
                intent_id=intent.id,
                status="accepted",
                labelled_by_id=person_id,
                label_reason=reason_of(row.id),
            )
        )
    return before


def reject(
    session: Session, proposal_id: int, *, person_id: int | None, now: datetime | None = None
) -> Proposal:
    """No intent: its messages are not proposed again, and stay unlabelled."""
    row = _open(session, proposal_id)
    _decide(row, "rejected", person_id, now)
    audit.record(
        session,
        action="proposal.reject",
        subject=f"proposal {proposal_id}: {row.name}",
        person_id=person_id,
        now=now,
    )
    return row


def merge(
    session: Session, proposal_ids: Sequence[int], *, person_id: int | None, now: datetime | None = None
) -> Proposal:
    """One proposal of several: the largest keeps its name. The audit entry says how they were, for proposal_undo.py.
    Raises InputError for fewer than two."""
    now = now or utcnow()
    rows = [_open(session, one) for one in dict.fromkeys(proposal_ids)]
    if len(rows) < 2:
        raise InputError(
            "There is nothing to merge",
            field="proposals",
            value=list(proposal_ids),
            remedy="Choose at least two proposals",
        )
    sizes = {row.id: _size(session, row.id) for row in rows}
    kept = max(rows, key=lambda row: (sizes[row.id], -row.id))
    before, moved = merged_fields(kept), {}
    for row in rows:
        if row is kept:
            continue
        moved[str(row.id)] = id_ranges(members_of(session, row.id))
        session.execute(
            update(ProposalMember).where(ProposalMember.proposal_id == row.id).values(proposal_id=kept.id)
        )
        kept.drafts = {**row.drafts, **kept.drafts}
        kept.terms = list(dict.fromkeys([*kept.terms, *row.terms]))[:8]
        kept.evidence = {
            name: kept.evidence.get(name, 0) + row.evidence.get(name, 0)
            for name in {*kept.evidence, *row.evidence}
        }
        kept.article_slug = kept.article_slug or row.article_slug
        _decide(row, "merged", person_id, now)
    audit.record(
        session,
        action="proposal.merge",
        subject=f"proposal {kept.id}: {kept.name}",
        person_id=person_id,
        detail={"kept": kept.id, "moved": moved, "before": before},
        now=now,
    )
    session.flush()
    return kept


def merged_fields(row: Proposal) -> dict[str, Any]:
    """What a merge changes about the proposal that is kept. Of its drafts the languages alone: its own texts stay when
    others join them, and an audit entry, which is never erased, holds no text."""
    return {
        "terms": list(row.terms),
        "evidence": dict(row.evidence),
        "article_slug": row.article_slug,
        "drafts": sorted(row.drafts),
    }


def members_of(session: Session, proposal_id: int) -> list[int]:
    """The ids of its messages."""
    return list(
        session.scalars(select(ProposalMember.example_id).where(ProposalMember.proposal_id == proposal_id))
    )


def reason_of(proposal_id: int) -> str:
    """Why an example has its label that the acceptance of this proposal has given it."""
    return f"proposal {proposal_id}"


def id_ranges(ids: Iterable[int]) -> str:
    """``3 4 5 9`` as ``3-5 9``: thousands of neighbouring numbers are a line of an audit entry."""
    ordered = sorted(ids)
    begins = [one for at, one in enumerate(ordered) if not at or ordered[at - 1] != one - 1]
    ends = [one for at, one in enumerate(ordered) if at + 1 == len(ordered) or ordered[at + 1] != one + 1]
    return " ".join(
        str(first) if first == last else f"{first}-{last}" for first, last in zip(begins, ends, strict=True)
    )


def split_off(
    session: Session, proposal_id: int, examples: Sequence[int], *, person_id: int | None = None
) -> Proposal:
    """Move these messages into a proposal of their own. Raises ConflictError where one is not its message."""
    row = get_proposal(session, proposal_id)
    part = NewProposal(
        name=f"{row.name}_2"[:MAX_NAME],
        terms=tuple(row.terms),
        members=dict.fromkeys(examples, 1.0),
        drafts={},
    )
    return split(session, proposal_id, [part], person_id=person_id)[0]


def split(
    session: Session,
    proposal_id: int,
    parts: Sequence[NewProposal],
    *,
    person_id: int | None = None,
    now: datetime | None = None,
) -> list[Proposal]:
    """Move messages into proposals of their own; what no part names stays. Parts' members must be its members."""
    row = _open(session, proposal_id)
    own = set(session.scalars(select(ProposalMember.example_id).where(ProposalMember.proposal_id == row.id)))
    made = []
    for part in parts:
        moved = {example: strength for example, strength in part.members.items() if example in own}
        if len(moved) != len(part.members):
            raise ConflictError(
                "The proposal has changed meanwhile", field="proposal", value=proposal_id, remedy="Try again"
            )
        _release(session, moved)
        made.append(add_proposal(session, part, now=now))
    audit.record(
        session,
        action="proposal.split",
        subject=f"proposal {proposal_id}",
        person_id=person_id,
        detail={"made": [one.id for one in made]},
        now=now,
    )
    return made


def take_out(session: Session, proposal_id: int, example_id: int) -> None:
    """One message does not belong: it is free to be proposed again."""
    _open(session, proposal_id)
    done = session.execute(
        delete(ProposalMember).where(
            ProposalMember.example_id == example_id, ProposalMember.proposal_id == proposal_id
        )
    )
    if not cast(Any, done).rowcount:
        raise NotFoundError("The proposal has no such message", field="example", value=example_id)


def put_back(session: Session, proposal_id: int, example_id: int) -> None:
    """A message that was taken out belongs after all. Raises ConflictError where it is in another proposal by now."""
    _open(session, proposal_id)
    if session.get(Example, example_id) is None:
        raise NotFoundError("The message is gone", field="example", value=example_id)
    member = session.scalar(select(ProposalMember).where(ProposalMember.example_id == example_id))
    if member is None:
        session.add(ProposalMember(proposal_id=proposal_id, example_id=example_id, strength=1.0))
        session.flush()
    elif member.proposal_id != proposal_id:
        raise ConflictError(
            "The message is in another proposal by now",
            field="example",
            value=example_id,
            remedy="Take it out there first",
        )


def checked_name(name: str) -> str:
    """Raises InputError for an empty or overlong name."""
    name = "_".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise InputError(
            "This cannot be an intent's name",
            field="name",
            value=name,
            remedy=f"Use 1 to {MAX_NAME} characters, for example refund_status",
        )
    return name


def _open(session: Session, proposal_id: int) -> Proposal:
    row = session.scalar(select(Proposal).where(Proposal.id == proposal_id).with_for_update())
    if row is None:
        raise NotFoundError("There is no such proposal", field="proposal", value=proposal_id)
    if row.status != "open":
        raise ConflictError(
            "Somebody has decided about this proposal already",
            field="status",
            value=row.status,
            remedy="Look at the list again",
        )
    return row


def _decide(row: Proposal, status: str, person_id: int | None, now: datetime | None) -> None:
    row.status, row.decided_by_id, row.decided_at = status, person_id, now or utcnow()


def _size(session: Session, proposal_id: int) -> int:
    return (
        session.scalar(
            select(func.count()).select_from(ProposalMember).where(ProposalMember.proposal_id == proposal_id)
        )
        or 0
    )


def _release(session: Session, examples: Collection[int]) -> None:
    ids = list(examples)
    for at in range(0, len(ids), PART):
        session.execute(delete(ProposalMember).where(ProposalMember.example_id.in_(ids[at : at + PART])))


def _exists(session: Session, name: str) -> bool:
    return session.scalar(select(Intent.id).where(Intent.name == name)) is not None


def _titles(row: Proposal, name: str) -> dict[str, str]:
    return {lang: title_from(name) for lang in (row.drafts or {"en": ""})}


def _known_article(session: Session, slug: str | None) -> str | None:
    return session.scalar(select(Article.slug).where(Article.slug == slug).limit(1)) if slug else None
