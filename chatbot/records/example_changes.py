"""What a person does to examples: relabel, take out, put back, add one by hand, mark what one names, and take any of
these back.

The audit entry of a change says how each example was before and is now (labels alone, never its text, which may have
to be erased): taking the change back needs nothing else, and sees whether the example was changed again since. The
same change twice, as a double click sends it, is one change: the second finds all of it done and names the entry of
the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.language.entity_marks import Mark, kind_name
from chatbot.language.normalise import detect_language, fold, normalise
from chatbot.language.redaction import redact
from chatbot.records import audit
from chatbot.records.examples import text_hash
from chatbot.records.knowledge import begin_revision, redaction_rules
from chatbot.records.tables import AuditEntry, Example, Intent, Person, utcnow

OUT_OF_SCOPE = "oos"  # stands for an intent where an example is about nothing that the bot should know
RELABELLED = "relabelled from "  # how a reason begins: one person's word about one message
BY_HAND = "written by hand"
MOST = 200  # examples of one change
LONGEST = 500  # characters of an example written by hand
_LOOKED_BACK = 50  # entries among which a repeated change finds itself

Values = dict[str, Any]  # columns of an example and what they hold


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides. ``seen``: the newest change that they have looked at (``newest_change``), where they looked at a
    list; ``key``: what an API key is known by, where a program decides."""

    person_id: int | None
    seen: int | None = None
    key: str | None = None

    @property
    def noted(self) -> dict[str, str]:
        return {"key": self.key} if self.key else {}


@dataclass(frozen=True, slots=True)
class Change:
    """``entry``: the audit entry by which it is taken back, None where nothing had to be done and nothing is known."""

    entry: int | None
    examples: tuple[int, ...]


def relabel(session: Session, ids: Sequence[int], *, intent: str, by: Decider) -> Change:
    """These examples ask for ``intent`` (a name, or OUT_OF_SCOPE).

    Raises InputError for no example or no such intent, NotFoundError, ConflictError where one was taken out, or changed
    by somebody else after what the decider has seen.
    """
    target = _target(session, intent)
    target_id = target.id if target else None
    rows = _locked(session, ids)
    for row in rows:
        if row.status == "rejected":
            raise ConflictError(
                "This example was taken out", field="examples", value=row.id, remedy="Put it back first"
            )

    def values(row: Example) -> Values:
        if (row.intent_id, row.out_of_scope, row.status) == (target_id, target is None, "accepted"):
            return {}
        return {
            "intent_id": target_id,
            "out_of_scope": target is None,
            "status": "accepted",
            "labelled_by_id": by.person_id,
            "label_reason": f"{RELABELLED}{_name_of(session, row)}",
        }

    return _change(session, rows, values, by, action="example.relabel", what=intent)


def take_out(session: Session, ids: Sequence[int], *, by: Decider) -> Change:
    """The next training learns nothing from these examples; they keep their label and can be put back. Raises like
    ``relabel``."""
    rows = _locked(session, ids)
    return _change(session, rows, lambda row: {"status": "rejected"}, by, action="example.take_out", what="")


def put_back(session: Session, ids: Sequence[int], *, by: Decider) -> Change:
    """Examples that were taken out are learned again. Raises like ``relabel``."""
    rows = _locked(session, ids)

    def values(row: Example) -> Values:
        return {"status": "accepted"} if row.status == "rejected" else {}

    return _change(session, rows, values, by, action="example.put_back", what="")


def mark(session: Session, example_id: int, marks: Sequence[Mark], *, by: Decider) -> Change:
    """What this example names, all of it: none where ``marks`` are empty. The tagger of entities learns it so.

    Raises InputError for a mark that lies outside the text, overlaps another or whose kind is no name, and like
    ``relabel``.
    """
    rows = _locked(session, [example_id])
    length, at = len(rows[0].text), 0
    for one in sorted(marks, key=lambda one: one.start):
        if not one.kind or one.kind != kind_name(one.kind):
            raise InputError(
                "Not a name for a kind of entity",
                field="entities",
                value=one.kind[:60],
                remedy="Use small letters, digits and _, for example delivery_city",
            )
        if not at <= one.start < one.end <= length:
            raise InputError(
                "This mark lies outside the text or overlaps another",
                field="entities",
                value=f"{one.kind} {one.start}:{one.end}",
                remedy=f"Count characters from 0 to {length}, each at most once",
            )
        at = one.end
    told = [one._asdict() for one in sorted(marks, key=lambda one: one.start)]
    return _change(session, rows, lambda row: {"entities": told}, by, action="example.mark", what="")


def check_words(session: Session, example_id: int, text: str) -> None:
    """Raises InputError where the marked text, its marks taken off, is not the example's; NotFoundError."""
    if text.strip() != _locked(session, [example_id])[0].text:
        raise InputError(
            "The words of the example have changed",
            field="marked",
            value=text.strip()[:60] or None,
            remedy="Leave the words as they are and write only the marks around them: [Rotterdam](city)",
        )


def add(
    session: Session,
    text: str,
    *,
    intent: str,
    by: Decider,
    lang: str = "",
    now: datetime | None = None,
) -> Change:
    """A message that somebody thought of, redacted. What is the same word for word is one example: it is put back
    where it was taken out, and nothing is added where it is there.

    Raises InputError for an empty or overlong text, ConflictError where it is an example of another intent.
    """
    target = _target(session, intent)
    text = normalise(redact(text.strip(), rules=redaction_rules(session)))
    if not text or len(text) > LONGEST:
        raise InputError(
            "This cannot be an example",
            field="text",
            value=text[:60] or None,
            remedy=f"Write what a customer would write, at most {LONGEST} characters",
        )
    digest = text_hash(text)
    alike = session.scalars(
        select(Example).where(Example.content_hash == digest).order_by(Example.id).with_for_update()
    ).all()
    labelled = [row for row in alike if _listed(row)]
    for row in labelled:
        if (row.intent_id, row.out_of_scope) == (target.id if target else None, target is None):
            if row.status == "rejected":
                return put_back(session, [row.id], by=by)
            return _repeated(session, "example.add", {str(row.id)})
    for row in labelled:
        if row.status != "rejected":
            raise ConflictError(
                "This message is an example of another intent already",
                field="text",
                value=_name_of(session, row),
                remedy="Relabel it there",
            )
    example = Example(
        text=text,
        lang=lang or detect_language(text),
        intent_id=target.id if target else None,
        out_of_scope=target is None,
        source="admin",
        status="accepted",
        # the same words are never on both sides of the split
        split=alike[0].split if alike else "train",
        content_hash=digest,
        group_key=alike[0].group_key if alike else text_hash(fold(text))[:16],
        labelled_by_id=by.person_id,
        label_reason=BY_HAND,
        created_at=now or utcnow(),
    )
    session.add(example)
    session.flush()
    _tell_serving(session, [example.intent_id])
    entry = audit.record(
        session,
        action="example.add",
        subject=f"example {example.id}: {intent}",
        person_id=by.person_id,
        detail={
            **by.noted,
            "before": {str(example.id): None},
            "after": {str(example.id): _of(example)},
        },
        now=now,
    )
    session.flush()
    return Change(entry.id, (example.id,))


def undo(session: Session, entry_id: int, *, by: Decider) -> Change:
    """Take the change of this audit entry back, exactly. What was erased since stays erased; what is as before already
    (a second click) is no error.

    Raises NotFoundError for an entry of something else, ConflictError where an example was changed again since.
    """
    entry = session.get(AuditEntry, entry_id)
    before = entry.detail.get("before") if entry and entry.action.startswith("example.") else None
    if entry is None or before is None:
        raise NotFoundError("There is no such change", field="change", value=entry_id)
    rows = session.scalars(
        select(Example)
        .where(
            Example.id.in_([int(one) for one in before]),
            Example.created_at <= entry.created_at,  # SQLite gives the number of an erased row again
        )
        .with_for_update()
    ).all()
    changed = [row for row in rows if not _is(row, before[str(row.id)])]
    for row in changed:
        if not _is(row, entry.detail["after"][str(row.id)]):
            raise ConflictError(
                "This example was changed again since",
                field="examples",
                value=row.id,
                remedy="Look it up and decide anew",
            )
    if not changed:
        return Change(None, tuple(row.id for row in rows))
    touched = [row.intent_id for row in changed]
    for row in changed:
        _restore(session, row, before[str(row.id)])
    _tell_serving(session, [*touched, *(row.intent_id for row in changed)])
    ids = tuple(row.id for row in changed)
    audit.record(
        session,
        action="example.undo",
        subject=entry.subject,
        person_id=by.person_id,
        detail={**by.noted, "entry": entry_id, "action": entry.action, "examples": list(ids)},
    )
    session.flush()
    return Change(None, ids)


def newest_change(session: Session) -> int:
    """The newest entry about examples, 0 where there is none: what a list of them has taken into account."""
    newest = select(AuditEntry.id).where(_about_examples()).order_by(AuditEntry.id.desc()).limit(1)
    return session.scalar(newest) or 0


def _change(
    session: Session,
    rows: Sequence[Example],
    values: Callable[[Example], Values],
    by: Decider,
    *,
    action: str,
    what: str,
) -> Change:
    """Give each row what ``values`` says; those that have it already are left alone."""
    before: dict[str, Values] = {}
    after: dict[str, Values] = {}
    for row in rows:
        new = {name: value for name, value in values(row).items() if getattr(row, name) != value}
        if new:
            before[str(row.id)] = {name: getattr(row, name) for name in new}
            after[str(row.id)] = new
    if not after:
        return _repeated(session, action, {str(row.id) for row in rows})
    if by.seen is not None:
        _refuse_changed(session, set(after), by.seen)
    touched = [row.intent_id for row in rows]
    for row in rows:
        for name, value in after.get(str(row.id), {}).items():
            setattr(row, name, value)
    _tell_serving(session, [*touched, *(row.intent_id for row in rows)])
    named = what or ", ".join(sorted({_name_of(session, row) for row in rows}))
    entry = audit.record(
        session,
        action=action,
        subject=f"{len(after)} × {named}",
        person_id=by.person_id,
        detail={**by.noted, "before": before, "after": after},
    )
    session.flush()
    return Change(entry.id, tuple(map(int, after)))


def _repeated(session: Session, action: str, ids: set[str]) -> Change:
    """All was so before: by the newest change of this kind that did it, so that it can still be taken back."""
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == action)
        .order_by(AuditEntry.id.desc())
        .limit(_LOOKED_BACK)
    )
    done = next((entry for entry in entries if set(entry.detail.get("after", ())) <= ids), None)
    return Change(done.id if done else None, tuple(sorted(map(int, ids))))


def _refuse_changed(session: Session, ids: set[str], seen: int) -> None:
    for entry in session.scalars(select(AuditEntry).where(_about_examples(), AuditEntry.id > seen)):
        again = ids & {*entry.detail.get("after", ()), *map(str, entry.detail.get("examples", ()))}
        if again:
            raise ConflictError(
                "Somebody has changed this example meanwhile",
                field="examples",
                value=min(map(int, again)),
                remedy="Reload the page and decide anew",
            )


def _about_examples() -> Any:
    return AuditEntry.action.startswith("example.", autoescape=True)


def _target(session: Session, name: str) -> Intent | None:
    """The intent of this name; None for OUT_OF_SCOPE."""
    name = name.strip()
    if name == OUT_OF_SCOPE:
        return None
    intent = session.scalar(select(Intent).where(Intent.name == name)) if name else None
    if intent is None:
        raise InputError(
            "There is no such intent",
            field="intent",
            value=name[:120] or None,
            remedy="Choose one of the list",
        )
    if intent.status == "retired":
        raise ConflictError(
            "This intent was retired", field="intent", value=name, remedy="Choose another one"
        )
    return intent


def _locked(session: Session, ids: Sequence[int]) -> list[Example]:
    wanted = list(dict.fromkeys(ids))
    if not 0 < len(wanted) <= MOST:
        raise InputError(
            "Which examples?",
            field="examples",
            value=len(wanted) or None,
            remedy=f"Name at least one and at most {MOST}",
        )
    rows = session.scalars(
        select(Example).where(Example.id.in_(wanted)).order_by(Example.id).with_for_update()
    ).all()
    missing = set(wanted) - {row.id for row in rows if _listed(row)}
    if missing:
        raise NotFoundError(
            "There is no such example", field="examples", value=min(missing), remedy="Reload the page"
        )
    return list(rows)


def _listed(row: Example) -> bool:
    return row.status != "ignored" and (row.intent_id is not None or row.out_of_scope)


def _of(row: Example) -> Values:
    return {name: getattr(row, name) for name in ("intent_id", "out_of_scope", "status")}


def _is(row: Example, values: Values | None) -> bool:
    return values is not None and all(getattr(row, name) == value for name, value in values.items())


def _restore(session: Session, row: Example, values: Values | None) -> None:
    if values is None:  # it was not there
        session.delete(row)
        return
    intent_id, person_id = values.get("intent_id"), values.get("labelled_by_id")
    if intent_id is not None and session.get(Intent, intent_id) is None:
        raise ConflictError(
            "The intent that it had is gone",
            field="examples",
            value=row.id,
            remedy="Choose another intent for it",
        )
    for name, value in values.items():
        setattr(row, name, value)
    if person_id is not None and session.get(Person, person_id) is None:
        row.labelled_by_id = None


def _name_of(session: Session, row: Example) -> str:
    intent = session.get(Intent, row.intent_id) if row.intent_id is not None else None
    return intent.name if intent else OUT_OF_SCOPE


def _tell_serving(session: Session, intents: Iterable[int | None]) -> None:
    """Provisional intents answer by their examples: every serving process looks again."""
    ids = {one for one in intents if one is not None}
    provisional = select(Intent.id).where(Intent.id.in_(ids), Intent.status == "provisional").limit(1)
    if ids and session.scalar(provisional) is not None:
        begin_revision(session)
