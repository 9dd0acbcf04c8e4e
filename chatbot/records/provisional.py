"""Provisional intents: made by a person from a few examples, answering beside the live release until the next one.

Their examples are rows like any other's (accepted, written by an admin), so the next snapshot trains on them; the
vectors that stand for them meanwhile are derived and never stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.language.likeness import likeness, tokens
from chatbot.language.normalise import detect_language, fold, has_letters, normalise
from chatbot.language.redaction import redact
from chatbot.records import audit
from chatbot.records.answers import MAX_ANSWER
from chatbot.records.examples import add_examples, text_hash
from chatbot.records.intents import title_from
from chatbot.records.knowledge import begin_revision, redaction_rules
from chatbot.records.tables import Answer, AuditEntry, Example, Intent, Passage, Person, utcnow

LEAST = 5  # distinct examples of a language
MOST = 200  # of an intent that are read back; more than that are the next release's business
ADDED = "provisional.add"  # audit entries, by the intent's name
WITHDRAWN, BROUGHT_BACK = "provisional.withdraw", "provisional.bring_back"
WRITTEN_FOR = "written for a provisional intent"  # an example's reason
LONGEST = 500  # characters of an example
ALIKE = 0.88  # of their words in common: two examples that differ by a word in four or more say the same
_VOCABULARY = 3_000  # messages, and passages, that tell which words are known


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled message."""

    intent: str
    lang: str
    text: str


@dataclass(frozen=True, slots=True)
class ProvisionalLine:
    """A provisional intent as a list shows it. ``examples``: how many of each language; ``answers_in``: the languages
    in which it answers, having an approved answer and LEAST examples; ``takes``: live intent → frozen messages, as the
    check said when examples were last added, None where no release was live.
    """

    id: int
    name: str
    titles: dict[str, str]
    examples: dict[str, int]
    approved: tuple[str, ...]
    answers_in: tuple[str, ...]
    created_at: datetime
    by: str
    takes: dict[str, int] | None

    def title(self, lang: str) -> str:
        return self.titles.get(lang) or self.titles.get("en") or next(iter(self.titles.values()), self.name)


def read_examples(
    session: Session, texts: Iterable[str | Sample], *, intent: str, lang: str = ""
) -> list[Sample]:
    """What is written for ``intent``, redacted, each wording once; a Sample knows its language, of another text it is
    ``lang``, or as it reads.

    Raises InputError for one with nothing to read or an overlong one, ConflictError for one that is an example of
    another intent, word for word.
    """
    rules = redaction_rules(session)
    found: dict[str, Sample] = {}
    for one in texts:
        given, spoken = (one.text, one.lang) if isinstance(one, Sample) else (one, lang)
        text = normalise(redact(given.strip(), rules=rules))
        if not text and len(given) <= LONGEST:
            continue  # an empty line of a form or a file
        if not has_letters(text):
            raise InputError(
                "There is nothing to read in this example",
                field="examples",
                value=text,
                remedy="Write what a customer would write",
            )
        if len(text) > LONGEST:
            raise InputError(
                "This example is too long",
                field="examples",
                value=text[:60],
                remedy=f"Write what a customer would write, at most {LONGEST} characters",
            )
        found.setdefault(fold(text), Sample(intent, spoken or detect_language(text), text))
    other = session.execute(
        select(Example.text, Intent.name)
        .join(Intent, Example.intent_id == Intent.id)
        .where(
            Example.content_hash.in_([text_hash(sample.text) for sample in found.values()]),
            Example.status == "accepted",
            Intent.name != intent,
            Intent.status != "retired",
        )
        .limit(1)
    ).first()
    if other is not None:
        raise ConflictError(
            "This message is an example of another intent already",
            field="examples",
            value=f"{other.text} → {other.name}",
            remedy="Relabel it there, or take it out here",
        )
    return list(found.values())


def repeats(text: str, others: Iterable[str]) -> str | None:
    """The one of ``others`` that says nearly the same: a comma, a "please" or the order of words more or less."""
    words = " ".join(token for token in tokens(text) if has_letters(token))
    for other in others:
        if likeness(words, " ".join(token for token in tokens(other) if has_letters(token))) >= ALIKE:
            return other
    return None


def distinct(texts: Iterable[str]) -> list[str]:
    """Those that say something that none before them says."""
    kept: list[str] = []
    for text in texts:
        if repeats(text, kept) is None:
            kept.append(text)
    return kept


def check_new(session: Session, name: str, answers: Mapping[str, str]) -> Intent | None:
    """The provisional intent ``name``, None where it is new. What was provisional and was taken back may come again.

    Raises InputError for a wrong name, an answer that is too long or in no language, and where there is none;
    ConflictError for a live intent, or a retired one that was never provisional.
    """
    intent = session.scalar(select(Intent).where(Intent.name == name))
    if intent is None and (not name or len(name) > 120 or "".join(name.split()) != name):
        raise InputError(
            "This cannot be an intent's name",
            field="name",
            value=name[:60] or None,
            remedy="Use 1 to 120 characters, for example refund_status",
        )
    if intent is not None and intent.status != "provisional" and not _withdrawn(session, intent):
        raise ConflictError(
            f"This intent is {intent.status} already",
            field="name",
            value=name,
            remedy="Add examples to it, or choose another name",
        )
    for lang, text in answers.items():
        if not 2 <= len(lang) <= 16:
            raise InputError(
                "Unknown language", field="lang", value=lang, remedy="Use a tag such as en or zh"
            )
        if len(text) > MAX_ANSWER:
            raise InputError(
                "The answer is too long",
                field="answers",
                value=len(text),
                remedy=f"Use at most {MAX_ANSWER} characters",
            )
    if not any(text.strip() for text in answers.values()) and (
        intent is None or not approved_answers(session, intent.id)
    ):
        raise InputError(
            "A provisional intent answers only with an approved answer",
            field="answers",
            value=name,
            remedy="Write the answer",
        )
    return intent


def create_provisional(
    session: Session,
    name: str,
    *,
    examples: Sequence[str | Sample],
    answers: Mapping[str, str],
    titles: Mapping[str, str] | None = None,
    person_id: int | None = None,
    noted: Mapping[str, Any] | None = None,
) -> Intent:
    """A new provisional intent with its examples and its approved answers ({lang: text}), in one transaction.

    A name that is provisional already gets the further examples and the new answers; one that was withdrawn answers
    again. ``noted`` goes into the audit entry. Whether the
    examples are any good is asked before (chatbot/dialogue/provisional_check.py). Raises like ``read_examples`` and
    ``check_new``, and InputError where there are too few examples.
    """
    wanted = read_examples(session, examples, intent=name)
    intent = check_new(session, name, answers)
    kept = [
        Sample(name, row.lang, row.text)
        for row in session.scalars(
            select(Example)
            .where(Example.intent_id == (intent.id if intent else None), Example.status == "accepted")
            .order_by(Example.id)
        )
    ]
    most = max(
        (
            len(distinct(sample.text for sample in (*kept, *wanted) if sample.lang == one))
            for one in {sample.lang for sample in (*kept, *wanted)}
        ),
        default=0,
    )
    if most < LEAST:
        raise InputError(
            "A provisional intent needs different examples of how customers ask",
            field="examples",
            value=most,
            remedy=f"Give at least {LEAST}",
        )
    if intent is None:
        intent = Intent(name=name, titles=dict(titles or {"en": title_from(name)}), status="provisional")
        session.add(intent)
        session.flush()
    else:
        intent.status = "provisional"
        intent.titles = {**intent.titles, **(titles or {})}
    known = {fold(sample.text) for sample in kept}
    new = [sample for sample in wanted if fold(sample.text) not in known]
    add_examples(session, [_example(intent.id, sample, person_id) for sample in new])
    for answered, text in answers.items():
        if text.strip():
            _approve(session, intent.id, answered, text.strip(), person_id)
    audit.record(
        session,
        action=ADDED,
        subject=name,
        person_id=person_id,
        detail={**(noted or {}), "examples": len(new)},
    )
    begin_revision(session)  # every serving process looks again
    session.flush()
    return intent


def withdraw(
    session: Session, name: str, *, person_id: int | None = None, noted: Mapping[str, Any] | None = None
) -> None:
    """Retire a provisional intent: it answers nothing any more, and the next release does not learn it. Creating it
    again, or ``bring_back``, undoes it. Raises NotFoundError where no intent of this name is provisional.
    """
    provisional_named(session, name).status = "retired"
    audit.record(session, action=WITHDRAWN, subject=name, person_id=person_id, detail=dict(noted or {}))
    begin_revision(session)


def bring_back(session: Session, name: str, *, person_id: int | None = None) -> None:
    """Undo ``withdraw``. Raises NotFoundError where no provisional intent of this name was withdrawn."""
    intent = session.scalar(select(Intent).where(Intent.name == name))
    if intent is None or not _withdrawn(session, intent):
        raise NotFoundError(
            "No provisional intent of this name was withdrawn", field="name", value=name[:120]
        )
    intent.status = "provisional"
    audit.record(session, action=BROUGHT_BACK, subject=name, person_id=person_id)
    begin_revision(session)


def provisional_named(session: Session, name: str) -> Intent:
    """Raises NotFoundError."""
    intent = session.scalar(select(Intent).where(Intent.name == name, Intent.status == "provisional"))
    if intent is None:
        raise NotFoundError("There is no such provisional intent", field="name", value=name[:120])
    return intent


def list_provisional(session: Session) -> list[ProvisionalLine]:
    """All of them, the newest first."""
    intents = session.scalars(
        select(Intent)
        .where(Intent.status == "provisional")
        .order_by(Intent.created_at.desc(), Intent.id.desc())
    ).all()
    return [_line(session, intent) for intent in intents]


def read_provisional(session: Session, name: str) -> tuple[ProvisionalLine, list[Example], dict[str, str]]:
    """One with its examples and its approved answers ({lang: text}). Raises NotFoundError."""
    intent = provisional_named(session, name)
    examples = session.scalars(
        select(Example)
        .where(Example.intent_id == intent.id, Example.status == "accepted")
        .order_by(Example.lang, Example.id)
        .limit(MOST)
    ).all()
    return _line(session, intent), list(examples), approved_answers(session, intent.id)


def known_texts(session: Session, *, lang: str) -> list[str]:
    """Texts of the company in a language: messages and passages, by which a word is told from noise."""
    messages = session.scalars(
        select(Example.text)
        .where(Example.lang == lang, Example.status == "accepted", Example.source != "admin")
        .order_by(Example.group_key)
        .limit(_VOCABULARY)
    )
    passages = session.scalars(select(Passage.text).where(Passage.lang == lang).limit(_VOCABULARY))
    return [*messages, *passages]


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


def _line(session: Session, intent: Intent) -> ProvisionalLine:
    counted = session.execute(
        select(Example.lang, func.count().label("number"))
        .where(Example.intent_id == intent.id, Example.status == "accepted")
        .group_by(Example.lang)
        .order_by(Example.lang)
    )
    examples = {row.lang: row.number for row in counted}
    approved = tuple(approved_answers(session, intent.id))
    entry = session.execute(
        select(AuditEntry, Person.name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.action == ADDED, AuditEntry.subject == intent.name[:200])
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    takes = entry[0].detail.get("takes") if entry else None
    return ProvisionalLine(
        intent.id,
        intent.name,
        dict(intent.titles),
        examples,
        approved,
        tuple(lang for lang in approved if examples.get(lang, 0) >= LEAST),
        intent.created_at,
        (entry[1] or "") if entry else "",
        takes,
    )


def approved_answers(session: Session, intent_id: int) -> dict[str, str]:
    rows = session.execute(
        select(Answer.lang, Answer.text)
        .where(Answer.intent_id == intent_id, Answer.status == "approved")
        .order_by(Answer.lang, Answer.id)
    )
    return {row.lang: row.text for row in rows}


def _withdrawn(session: Session, intent: Intent) -> bool:
    """Whether it is retired and was provisional before: its examples say so."""
    once = (
        select(Example.id).where(Example.intent_id == intent.id, Example.label_reason == WRITTEN_FOR).limit(1)
    )
    return intent.status == "retired" and session.scalar(once) is not None


def _approve(session: Session, intent_id: int, lang: str, text: str, person_id: int | None) -> None:
    session.execute(
        update(Answer)
        .where(Answer.intent_id == intent_id, Answer.lang == lang, Answer.status == "approved")
        .values(status="retired")
    )
    session.add(
        Answer(
            intent_id=intent_id,
            lang=lang,
            text=text,
            status="approved",
            approved_by_id=person_id,
            approved_at=utcnow(),
        )
    )


def _example(intent_id: int, sample: Sample, person_id: int | None) -> dict[str, object]:
    text = sample.text
    return {
        "text": text,
        "lang": sample.lang,
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
