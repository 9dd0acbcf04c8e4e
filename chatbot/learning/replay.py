"""The last real conversations put to two releases: every answer that would change, with both decisions.

Both releases answer over the knowledge of today, so that what is listed is the models' doing. What was said before a
message is taken from the conversation as it went. Texts are redacted before they are written down.

No action is carried out, so what an action said then cannot be held against what is said without it: such messages are
left out, and counted.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import Message, Reply, Trace
from chatbot.errors import ConflictError, NotFoundError, UnavailableError
from chatbot.language.redaction import RedactionRules, redact
from chatbot.learning.releases import get_release, live_release_id
from chatbot.records.conversations import tapped
from chatbot.records.database import Database
from chatbot.records.earlier_turns import turns_before
from chatbot.records.knowledge import redaction_rules
from chatbot.records.tables import Conversation, Site, Turn, utcnow
from chatbot.settings import Settings

FOLDER = "replays"
LAST = 100  # conversations
MOST_KEPT = 300  # changes written down; the counts are of all


class Answers(Protocol):
    def reply(
        self,
        text: str,
        *,
        history: list[Message],
        locale: str,
        options: SiteOptions,
        failures: int = 0,
    ) -> tuple[Reply, Trace]: ...


@dataclass(frozen=True, slots=True)
class Change:
    """One message whose answer would be another. The traces are ``Trace.as_json``, redacted."""

    conversation_id: int
    turn_id: int
    asked: str
    before: dict[str, Any]  # {"kind", "text", "intent", "confidence"}
    after: dict[str, Any]
    trace_before: dict[str, Any]
    trace_after: dict[str, Any]


@dataclass(slots=True)
class Replay:
    """``messages`` were compared, ``left_out`` were not: an action had answered. ``kinds`` counts "kind → kind" of the
    changes; ``changes`` holds the first MOST_KEPT of them, newest first."""

    release_id: str
    live_id: str
    made_at: str
    conversations: int = 0
    messages: int = 0
    left_out: int = 0
    changed: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def summary(self) -> dict[str, Any]:
        return {key: value for key, value in self.as_json().items() if key != "changes"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A customer's message as both releases are to be asked it."""

    conversation_id: int
    turn_id: int
    text: str
    history: list[Message]
    locale: str
    failures: int
    options: SiteOptions
    acted: bool = False  # an action had a part in the answer that was given


def replay(
    database: Database,
    settings: Settings,
    release_id: str,
    *,
    last: int = LAST,
    load: Callable[[Database, Settings, str], Answers] | None = None,
    progress: Callable[[str, float], None] | None = None,
    now: datetime | None = None,
) -> Replay:
    """Put the last ``last`` conversations to the live release and to ``release_id``, and keep what came out.

    Raises NotFoundError for an unknown release, UnavailableError where none is live, ConflictError where it is the
    live one itself, BundleError where files are damaged.
    """
    tell = progress or (lambda stage, share: None)
    get_release(database, release_id)
    with database.read() as session:
        live = live_release_id(session)
        if live is None:
            raise UnavailableError("No release is live yet", remedy="Make one with: frontdesk retrain")
        if live == release_id:
            raise ConflictError("The live release is what the others are held against", value=release_id)
        rules = redaction_rules(session)
        put = messages(session, last=last)
    load = load or _load
    tell("load", 0.0)
    standing, candidate = load(database, settings, live), load(database, settings, release_id)
    found = Replay(release_id, live, (now or utcnow()).isoformat(timespec="seconds"))
    asked = [item for item in put if not item.acted]
    found.conversations = len({item.conversation_id for item in put})
    found.messages, found.left_out = len(asked), len(put) - len(asked)
    kinds: Counter[str] = Counter()
    for number, item in enumerate(asked):
        before, trace_before = _ask(standing, item)
        after, trace_after = _ask(candidate, item)
        if not same(before, after):
            kinds[f"{before.kind} → {after.kind}"] += 1
            if len(found.changes) < MOST_KEPT:
                found.changes.append(
                    Change(
                        item.conversation_id,
                        item.turn_id,
                        redact(item.text, rules=rules),
                        _told(before, rules),
                        _told(after, rules),
                        _redacted(trace_before.as_json(), rules),
                        _redacted(trace_after.as_json(), rules),
                    )
                )
        tell("replay", (number + 1) / len(asked))
    found.changed, found.kinds = kinds.total(), dict(kinds.most_common())
    _write(settings, found.release_id, found.as_json())
    return found


@dataclass(frozen=True, slots=True)
class TurnReplay:
    """One answer as it was given, and as a release would give it today. Texts are redacted; traces as JSON."""

    turn_id: int  # of the customer's message
    release_id: str
    made_at: str
    asked: str
    before: dict[str, Any]  # {"kind", "text", "intent", "confidence"}
    after: dict[str, Any]
    trace_after: dict[str, Any]
    changed: bool
    left_out: bool = False  # an action had answered: the answers are shown, and not compared


def replay_turn(
    database: Database,
    settings: Settings,
    turn_id: int,
    release_id: str,
    *,
    load: Callable[[Database, Settings, str], Answers] | None = None,
    now: datetime | None = None,
) -> TurnReplay:
    """Put one customer's message to a release, with what had been said before it, and keep the answer beside the one
    that was given. Any release will do, the live one too: the knowledge may have changed since.

    Raises NotFoundError for an unknown release, or a turn that the bot did not answer; BundleError.
    """
    get_release(database, release_id)
    with database.read() as session:
        turn = session.get(Turn, turn_id)
        answer = session.scalar(
            select(Turn).where(Turn.reply_to_id == turn_id, Turn.role == "bot").order_by(Turn.id).limit(1)
        )
        if turn is None or answer is None or answer.reply is None or turn.role != "customer":
            raise NotFoundError("There is no answer to this message", field="turn", value=turn_id)
        rules = redaction_rules(session)
        item = _asked(session, turn, _sites(session), acted=acted(answer.trace))
        given = answer.reply
    after, trace = _ask((load or _load)(database, settings, release_id), item)
    first = given["parts"][0]
    found = TurnReplay(
        turn_id,
        release_id,
        (now or utcnow()).isoformat(timespec="seconds"),
        redact(item.text, rules=rules),
        {
            "kind": given["kind"],
            "text": redact(given["text"], rules=rules),
            "intent": first.get("intent"),
            "confidence": first.get("confidence", 0.0),
        },
        _told(after, rules),
        _redacted(trace.as_json(), rules),
        not item.acted and _shown(given) != _shown(after.as_json()),
        item.acted,
    )
    _write(settings, f"turn-{turn_id}-{release_id}", asdict(found))
    return found


def _shown(reply: Mapping[str, Any]) -> str:
    """What a customer sees of a reply, comparable; how sure it was and which address a source has are not in it."""
    return json.dumps([[part["kind"], part["text"], part["choices"]] for part in reply["parts"]])


def turn_replays(settings: Settings, turn_id: int) -> list[dict[str, Any]]:
    """What releases said to this message when they were asked, the newest first, as JSON."""
    found = []
    for path in (settings.data / FOLDER).glob(f"turn-{int(turn_id)}-*.json"):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError):
            continue
    return sorted(found, key=lambda one: str(one["made_at"]), reverse=True)


def messages(session: Session, *, last: int) -> list[Asked]:
    """The customers' messages of the last conversations that the bot answered, newest conversation first."""
    sites = _sites(session)
    rows = session.scalars(
        select(Conversation)
        .where(
            select(Turn.id).where(Turn.conversation_id == Conversation.id, Turn.role == "bot").exists(),
        )
        .order_by(Conversation.last_activity_at.desc(), Conversation.id.desc())
        .limit(last)
    ).all()
    found = []
    for row in rows:
        traces = select(Turn.reply_to_id, Turn.trace).where(
            Turn.conversation_id == row.id, Turn.role == "bot", Turn.reply_to_id.is_not(None)
        )
        by_action: dict[int, bool] = {}
        for asked, trace in session.execute(traces):
            by_action[asked] = by_action.get(asked, False) or acted(trace)
        turns = session.scalars(
            select(Turn)
            .where(Turn.conversation_id == row.id, Turn.role == "customer", Turn.id.in_(by_action))
            .order_by(Turn.id)
        ).all()
        found += [
            _asked(session, turn, sites, conversation=row, acted=by_action[turn.id])
            for turn in turns
            if turn.kind is None
        ]
    return found


def acted(trace: Mapping[str, Any] | None) -> bool:
    """Whether a stored trace says that an action had a part in the answer: it asked, told, failed or was dropped."""
    return any(
        part.get("action") or str(part.get("rule", "")).startswith("action")
        for part in (trace or {}).get("parts", ())
    )


def _sites(session: Session) -> dict[int, SiteOptions]:
    return {
        site.id: SiteOptions.from_json(site.options).answering() for site in session.scalars(select(Site))
    }


def _asked(
    session: Session,
    turn: Turn,
    sites: Mapping[int, SiteOptions],
    *,
    conversation: Conversation | None = None,
    acted: bool = False,
) -> Asked:
    row = conversation or session.get_one(Conversation, turn.conversation_id)
    before = turns_before(session, turn)
    return Asked(
        row.id,
        turn.id,
        tapped(turn) or turn.text,
        before.history(),
        row.locale,
        before.failures(),
        sites[row.site_id],
        acted,
    )


def same(before: Reply, after: Reply) -> bool:
    """Whether a customer would be told the same, from the same sources, with the same choices."""
    return [(p.kind, p.text, p.sources, p.choices) for p in before.parts] == [
        (p.kind, p.text, p.sources, p.choices) for p in after.parts
    ]


def stored_replay(settings: Settings, release_id: str) -> dict[str, Any] | None:
    """The newest replay of a release as JSON, None where there is none."""
    path = settings.data / FOLDER / f"{release_id}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found


def _ask(assistant: Answers, item: Asked) -> tuple[Reply, Trace]:
    return assistant.reply(
        item.text, history=item.history, locale=item.locale, options=item.options, failures=item.failures
    )


def _told(reply: Reply, rules: RedactionRules) -> dict[str, Any]:
    first = reply.parts[0]
    return {
        "kind": reply.kind,
        "text": redact(reply.text, rules=rules),
        "intent": first.intent,
        "confidence": first.confidence,
    }


def _redacted(value: Any, rules: RedactionRules) -> Any:
    """Plain data with every request redacted; what articles say is published anyway."""
    if isinstance(value, Mapping):
        return {
            key: redact(item, rules=rules) if key == "request" else _redacted(item, rules)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(item, rules) for item in value]
    return value


def _write(settings: Settings, name: str, body: dict[str, Any]) -> None:
    folder = settings.data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    os.replace(draft, path)


def forget_replays(settings: Settings) -> int:
    """Delete all stored replays, for example because a person in them was erased; how many there were."""
    paths: list[Path] = list((settings.data / FOLDER).glob("*.json"))
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _load(database: Database, settings: Settings, release_id: str) -> Answers:
    from chatbot.learning.loading import load_assistant

    return load_assistant(database, settings, release_id)
