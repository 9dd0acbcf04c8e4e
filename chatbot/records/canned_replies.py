"""Replies that agents send often: a shortcut and a text per language, with gaps for the two names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records.tables import CannedReply, utcnow

TEXT_LIMIT = 4000  # characters
GAPS = ("customer", "agent")  # {customer} and {agent} are filled in when the reply is used
_SHORTCUT = re.compile(r"[\w-]{1,40}")
_GAP = re.compile(r"\{(\w*)\}")
_STOPS = ".!?。！？"
_COMMAS = ",，、"


def list_canned(session: Session) -> list[CannedReply]:
    """By their shortcut."""
    return list(session.scalars(select(CannedReply).order_by(CannedReply.shortcut)))


def get_canned(session: Session, canned_id: int) -> CannedReply:
    found = session.get(CannedReply, canned_id)
    if found is None:
        raise NotFoundError("There is no such canned reply", field="canned reply", value=canned_id)
    return found


def save_canned(
    session: Session,
    *,
    shortcut: str,
    texts: Mapping[str, str],
    person_id: int | None,
    canned_id: int | None = None,
) -> CannedReply:
    """A new one, or another form of one that is there. Raises InputError for an unusable shortcut or text and
    ConflictError where the shortcut is taken."""
    shortcut = shortcut.strip().lstrip("/").casefold()
    if not _SHORTCUT.fullmatch(shortcut):
        raise InputError(
            "Not a shortcut",
            field="shortcut",
            value=shortcut or None,
            remedy="Use up to 40 letters, digits and hyphens",
        )
    kept = {lang: text.strip() for lang, text in texts.items() if text.strip()}
    if not kept:
        raise InputError(
            "The canned reply has no text", field="text", remedy="Write it in one language at least"
        )
    for lang, text in kept.items():
        if len(text) > TEXT_LIMIT:
            raise InputError(
                "The canned reply is too long",
                field=f"text_{lang}",
                remedy=f"Use at most {TEXT_LIMIT} characters",
            )
        wrong = next((gap for gap in _GAP.findall(text) if gap not in GAPS), None)
        if wrong is not None:
            raise InputError(
                "There is no such gap",
                field=f"text_{lang}",
                value=f"{{{wrong}}}",
                remedy="Use {customer} and {agent}",
            )
    other = session.scalar(select(CannedReply).where(CannedReply.shortcut == shortcut))
    if other is not None and other.id != canned_id:
        raise ConflictError(
            "This shortcut is taken", field="shortcut", value=shortcut, remedy="Choose another one"
        )
    row = get_canned(session, canned_id) if canned_id is not None else CannedReply(shortcut=shortcut)
    row.shortcut, row.texts = shortcut, kept
    row.changed_by_id, row.changed_at = person_id, utcnow()
    session.add(row)
    session.flush()
    return row


def delete_canned(session: Session, canned_id: int) -> CannedReply:
    row = get_canned(session, canned_id)
    session.delete(row)
    return row


def text_for(row: CannedReply, lang: str, *, customer: str, agent: str) -> str:
    """The text in the visitor's language, else in English, else in any, with its gaps filled; where somebody has no
    name, the sentence closes over his gap."""
    texts: dict[str, str] = row.texts
    text = texts.get(lang) or texts.get("en") or next(iter(texts.values()), "")
    names = {"customer": customer.strip(), "agent": agent.strip()}
    for gap, name in names.items():
        if not name:
            text = _without(gap, text)
    return _GAP.sub(lambda gap: names.get(gap[1], gap[0]), text)


def _without(name: str, text: str) -> str:
    """``text`` without the gap and the spaces and marks that were there for it: "Hello, {customer}!" → "Hello!"."""
    gap = rf"\{{{name}\}}"
    text = re.sub(rf"[ \t]*(?:\({gap}\)|（{gap}）)", "", text)
    opens = rf"(?P<before>(?:^|[{_STOPS}])[ \t]*){gap}[ \t]*[{_STOPS}{_COMMAS}:：]*[ \t]*(?P<first>\w?)"
    text = re.sub(opens, lambda found: found["before"] + found["first"].upper(), text, flags=re.MULTILINE)
    within = rf"(?P<comma>[{_COMMAS}]?)[ \t]*{gap}(?:[ \t]*(?P<mark>[{_STOPS}{_COMMAS};；:：]|$))?"
    text = re.sub(
        within,
        lambda found: found["comma"] if found["mark"] is None else found["mark"],
        text,
        flags=re.MULTILINE,
    )
    return text.strip()
