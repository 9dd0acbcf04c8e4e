"""One past conversation made ready to be stored: redacted, its useless turns gone, its questions found.

Nothing here touches the database, so the work is done before the write lock is taken.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatbot.language.entity_marks import place_marks
from chatbot.language.normalise import detect_language, fold, normalise, tidy
from chatbot.language.redaction import RedactionRules, redact_conversation
from ingest.near_duplicates import band_keys
from ingest.pairing import Question, questions_of
from ingest.quality import MAX_TURN, MAX_TURNS, core_of, turn_fault
from ingest.transcripts.transcript import Transcript, Turn

OUT_OF_SCOPE = frozenset({"oos", "out_of_scope"})
NO_INTENT = frozenset(
    {"other", "others", "misc", "miscellaneous", "unknown", "none", "untagged", "general", "其他", "其它"}
)
SPAM = frozenset({"spam", "test", "垃圾", "测试"})
# labels that say how a ticket came or went, not what it asks for
_OPERATIONAL = (
    "vip web email e_mail chat phone voice sms api mobile app ios android widget facebook twitter instagram whatsapp "
    "wechat messenger telegram en zh de fr nl es it english chinese urgent high low normal priority open pending "
    "solved closed reopened merged closed_by_merge escalated follow_up followup csat good bad satisfied unsatisfied "
    "sla agent_replied auto_closed new returning b2b b2c wholesale reviewed needs_review"
)
OPERATIONAL = frozenset(_OPERATIONAL.split())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A conversation to store. ``keys``: where its near-duplicates are looked for; ``at``: when it began."""

    content_hash: str
    external_id: str
    lang: str
    tag: str | None
    out_of_scope: bool
    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]
    keys: tuple[int, ...]
    dropped_turns: Counter[str] = field(default_factory=Counter)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A conversation that is not stored, by a rule of ingest/quality.py."""

    rule: str
    dropped_turns: Counter[str] = field(default_factory=Counter)


def content_hash_of(transcript: Transcript) -> str:
    """SHA-256 of who said what: the same conversation in another file, under another id, is the same."""
    digest = hashlib.sha256()
    for role, text in transcript.turns:
        digest.update(f"{role}\x1f{normalise(text)}\x1e".encode("utf-8", "replace"))
    for kind, words in transcript.entities or ():  # the same message with marks says more
        digest.update(f"{kind}\x1f{words}\x1d".encode("utf-8", "replace"))
    return digest.hexdigest()


def prepare(
    transcript: Transcript, *, content_hash: str, rules: RedactionRules, intents: Mapping[str, str]
) -> Prepared | Dropped:
    """``intents``: folded name -> name of the intents that exist, among which a label is looked for first."""
    item = clean(transcript, content_hash=content_hash, rules=rules)
    return item if isinstance(item, Dropped) else tagged(item, transcript, intents)


def tagged(item: Prepared, transcript: Transcript, intents: Mapping[str, str]) -> Prepared:
    """The cleaned conversation with its label; which one depends on the intents that exist by then."""
    tag = chosen_tag(transcript, intents)
    key = label_key(tag) if tag else ""
    return replace(
        item,
        tag=None if key in OUT_OF_SCOPE or key in NO_INTENT else tag,
        out_of_scope=key in OUT_OF_SCOPE,
    )


def clean(transcript: Transcript, *, content_hash: str, rules: RedactionRules) -> Prepared | Dropped:
    """All that the conversation alone decides; without a label yet."""
    if any(label_key(label) in SPAM for label in transcript.tags):
        return Dropped("spam")
    dropped: Counter[str] = Counter()
    kept: list[Turn] = []
    short = [turn for turn in transcript.turns if len(turn.text) <= MAX_TURN]
    if len(short) < len(transcript.turns):
        dropped["too_long"] = len(transcript.turns) - len(short)
    # line ends are kept for redaction, which finds signatures by them
    said = redact_conversation([turn.text for turn in short], rules=rules, names=transcript.names)
    for turn, text in zip(short, said, strict=True):
        # a customer's words as the assistant will read them; an agent's as people will read them again
        text = normalise(text) if turn.role == "customer" else tidy(text)
        fault = turn_fault(turn.role, text)
        if fault is None and len(kept) < MAX_TURNS:
            kept.append(Turn(turn.role, text))
        else:
            dropped[fault or "too_many"] += 1
    if not any(turn.role == "customer" for turn in kept):
        return Dropped("no_customer", dropped)
    questions = questions_of(kept)
    if not questions:
        return Dropped("only_small_talk", dropped)
    if transcript.entities is not None and len(transcript.turns) == 1:
        named = [(kind, normalise(words)) for kind, words in transcript.entities]
        questions[0] = replace(questions[0], entities=tuple(place_marks(questions[0].text, named)))
    asked = " ".join(turn.text for turn in kept if turn.role == "customer")
    return Prepared(
        content_hash=content_hash,
        external_id=transcript.id,
        lang=transcript.lang or detect_language(asked),
        tag=None,
        out_of_scope=False,
        turns=tuple(kept),
        questions=tuple(questions),
        keys=band_keys(core_of(questions[0].text)),
        dropped_turns=dropped,
        at=transcript.at,
    )


def chosen_tag(transcript: Transcript, intents: Mapping[str, str]) -> str | None:
    """The source's own intent; else the first label that names one of ours; else the first that may be one."""
    labels: Collection[str] = [transcript.tag] if transcript.tag else transcript.tags
    for label in labels:
        if label_key(label) in intents:
            return intents[label_key(label)]
    for label in labels:
        if transcript.tag or label_key(label) not in OPERATIONAL:
            return normalise(label)[:120] or None
    return None


def label_key(label: str) -> str:
    """Labels that differ in case, spaces or hyphens alone are the same."""
    return fold(label).replace(" ", "_").replace("-", "_")
