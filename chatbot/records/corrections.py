"""Which examples people have changed since a moment: relabelled, taken out, put back, or labelled as a proposed intent.

An example keeps the moment at which it came, so what was decided about it since is read from the audit log, which says
which examples each decision touched. A decision taken back since counts for nothing; one taken back that was made
before the moment counts, for the examples are now other than they were then.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chatbot.records.proposal_undo import read_ranges
from chatbot.records.tables import AuditEntry, Example

_DECISIONS = ("example.relabel", "example.take_out", "example.put_back", "example.mark", "proposal.accept")
_TAKEN_BACK = ("example.undo", "proposal.reopen")
_PART = 500  # ids of one statement


def corrected_examples(session: Session, since: datetime) -> int:
    """How many examples that were there at ``since`` were changed after it and are still there."""
    entries = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.created_at > since,
            AuditEntry.action.in_((*_DECISIONS, *_TAKEN_BACK)),
        )
        .order_by(AuditEntry.id)
    ).all()
    standing: dict[int, set[int]] = {}  # a decision's entry -> the examples that it changed
    for entry in entries:
        back = entry.detail.get("entry")  # the decision that this one takes back
        if entry.action in _DECISIONS:
            standing[entry.id] = _touched(entry)
        elif back is None or standing.pop(back, None) is None:
            made = session.get(AuditEntry, back) if back is not None else None
            standing[entry.id] = _touched(made) if made else set()
    ids = sorted(set().union(*standing.values()))
    return sum(
        session.scalar(
            select(func.count())
            .select_from(Example)
            .where(Example.id.in_(ids[at : at + _PART]), Example.created_at <= since)
        )
        or 0
        for at in range(0, len(ids), _PART)
    )


def _touched(entry: AuditEntry) -> set[int]:
    if entry.action == "proposal.accept":
        parts = entry.detail.get("labelled", ())
        return {one for part in parts for one in read_ranges(part["examples"])}
    return set(map(int, entry.detail.get("after", ())))
