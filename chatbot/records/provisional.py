"""Provisional intents: made by a person from a few examples, answering beside the live release until the next one.

Their examples are rows like any other's (accepted, written by an admin), so the next snapshot trains on them; the
vectors that stand for them meanwhile are derived and never stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError
from chatbot.language.normalise import detect_language, fold
from chatbot.language.redaction import redact
from chatbot.records.examples import add_examples, text_hash
from chatbot.records.intents import title_from
from chatbot.records.knowledge import begin_revision, redaction_rules
from chatbot.records.tables import Answer, Example, Intent, utcnow

LEAST = 5  # distinct examples
MOST = 200  # of an intent that are read back; more than that are the next release's business
WRITTEN_FOR = "written for a provisional intent"  # an example's reason
_LONGEST = 500  # characters of an example


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled message."""

    intent: str
    lang: str
    text: str


def create_provisional(
    session: Session,
    name: str,
    *,
    examples: Sequence[str],
    answers: Mapping[str, str],
    titles: Mapping[str, str] | None = None,
    person_id: int | None = None,
) -> Intent:
    """A new provisional intent with its examples and its approved answers ({lang: text}), in one transaction.

    A name that is provisional already gets the further examples and the new answers. Raises ConflictError for a
    live or retired name, InputError where there are too few examples or no answer.
    """
    wanted: dict[str, str] = {}
    rules = redaction_rules(session)
    for text in examples:
        if text.strip():
            wanted.setdefault(fold(text), redact(text.strip()[:_LONGEST], rules=rules))
    said = {lang: text.strip() for lang, text in answers.items() if text.strip()}
    intent = session.scalar(select(Intent).where(Intent.name == name))
    if intent is not None and intent.status != "provisional":
        raise ConflictError(
            f"This intent is {intent.status} already",
            field="name",
            value=name,
            remedy="Add examples to it, or choose another name",
        )
    known = {fold(sample.text) for sample in provisional_samples(session) if sample.intent == name}
    if len(known | set(wanted)) < LEAST:
        raise InputError(
            "A provisional intent needs different examples of how customers ask",
            field="examples",
            value=len(known | set(wanted)),
            remedy=f"Give at least {LEAST}",
        )
    if intent is None and not said:
        raise InputError(
            "A provisional intent answers only with an approved answer",
            field="answers",
            value=name,
            remedy="Write the answer",
        )
    if intent is None:
        intent = Intent(name=name, titles=dict(titles or {"en": title_from(name)}), status="provisional")
        session.add(intent)
        session.flush()
    elif titles:
        intent.titles = {**intent.titles, **titles}
    add_examples(
        session,
        [_example(intent.id, text, person_id) for folded, text in wanted.items() if folded not in known],
    )
    for lang, text in said.items():
        session.execute(
            update(Answer)
            .where(Answer.intent_id == intent.id, Answer.lang == lang, Answer.status == "approved")
            .values(status="retired")
        )
        session.add(
            Answer(
                intent_id=intent.id,
                lang=lang,
                text=text,
                status="approved",
                approved_by_id=person_id,
                approved_at=utcnow(),
            )
        )
    begin_revision(session)  # every serving process looks again
    session.flush()
    return intent


def provisional_samples(session: Session) -> list[Sample]:
    """The examples of the provisional intents, at most MOST of each."""
    rows = session.execute(
        select(Intent.name, Example.lang, Example.text)
        .join(Example, Example.intent_id == Intent.id)
        .where(Intent.status == "provisional", Example.status == "accepted")
        .order_by(Intent.name, Example.id)
    )
    found: dict[str, list[Sample]] = {}
    for name, lang, text in rows:
        own = found.setdefault(name, [])
        if len(own) < MOST:
            own.append(Sample(name, lang, text))
    return [sample for own in found.values() for sample in own]


def samples_of_others(session: Session, *, lang: str, most: int, split: str = "train") -> list[Sample]:
    """Accepted messages of live intents, mixed, the same each time."""
    rows = session.execute(
        select(Intent.name, Example.lang, Example.text)
        .join(Example, Example.intent_id == Intent.id)
        .where(
            Intent.status == "live",
            Example.status == "accepted",
            Example.lang == lang,
            Example.split == split,
        )
        .order_by(Example.group_key, Example.id)  # a hash
        .limit(most)
    )
    return [Sample(name, lang, text) for name, lang, text in rows]


def settle(session: Session, labels: Collection[str], *, before: Collection[str] = ()) -> None:
    """A release with these ``labels`` becomes live: provisional intents among them are live now.

    One that only the release ``before`` knew, and that was provisional once, is so again: a roll back must not
    silence it.
    """
    learnt, lost = set(labels), set(before) - set(labels)
    once = select(Example.intent_id).where(Example.label_reason == WRITTEN_FOR)
    for intent in session.scalars(
        select(Intent).where(Intent.status.in_(("live", "provisional")), Intent.id.in_(once))
    ):
        if intent.name in learnt:
            intent.status = "live"
        elif intent.name in lost:
            intent.status = "provisional"


def _example(intent_id: int, text: str, person_id: int | None) -> dict[str, object]:
    return {
        "text": text,
        "lang": detect_language(text),
        "intent_id": intent_id,
        "out_of_scope": False,
        "context": [],
        "source": "admin",
        "status": "accepted",
        "split": "train",
        "content_hash": text_hash(text),
        "group_key": text_hash(fold(text)),
        "labelled_by_id": person_id,
        "label_reason": WRITTEN_FOR,
        "created_at": utcnow(),
    }
