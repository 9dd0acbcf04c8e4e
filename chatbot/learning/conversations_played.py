"""Test conversations with known answers, played turn by turn: is a follow-up understood, and the unknown left unknown?

A conversation file is JSON Lines: ``{"id", "lang", "turns": [turn, …]}``; a turn is ``{"text", "intent", "article",
"also_articles"?, "answerable", "facts"}`` as in a question file, or holds ``requests``, a list of such where one
message asks for several things. The bot answers each turn with what it said itself before in view. A turn is right
when every request in it is (chatbot/learning/questions.py says when); one that nothing answers must not be answered as
if known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import Message, Reply, Trace, bot_message
from chatbot.dialogue.weighing import PERSON_INTENT, SMALLTALK_INTENTS
from chatbot.errors import FileError
from chatbot.learning.questions import ANSWERS, Judgement, Question, judge, states_facts

_WORST_FIRST: tuple[Judgement, ...] = ("wrong", "choices", "unanswered")


@dataclass(frozen=True, slots=True)
class Turn:
    """One customer message and what is wanted of it, a question for each request; none: nothing answers it."""

    text: str
    wanted: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    id: str
    lang: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """One turn of a conversation as it went."""

    conversation: str
    lang: str
    turn: Turn
    reply: Reply
    trace: Trace
    judgement: Judgement
    facts_stated: bool  # in the text of the reply, whatever its kind

    def as_json(self) -> dict[str, Any]:
        return {
            "conversation": self.conversation,
            "text": self.turn.text,
            "expected": [{"intent": q.intent, "article": q.article} for q in self.turn.wanted],
            "judgement": self.judgement,
            "kind": self.reply.kind,
            "reply": self.reply.text,
            "why": [f"{part.rule}: {part.reason}" for part in self.trace.parts],
        }


@dataclass(frozen=True, slots=True)
class ConversationFigures:
    """Shares in percent: over the answerable turns, but ``refused`` and ``unanswerable_generated`` over the others.

    ``generated_true``: of the generated replies to answerable turns, those that state every fact and no wrong one.
    """

    language: str
    turns: int
    right: float
    wrong: float
    choices: float
    unanswered: float
    generated: float
    generated_true: float
    unanswerable: int
    refused: float
    unanswerable_generated: float


def load_conversations(path: Path) -> list[Conversation]:
    """Raises FileError for a file that cannot be read, naming the line that is no conversation."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(
            "The conversations cannot be read", value=path, remedy="Give a UTF-8 JSON Lines file"
        ) from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            row: dict[str, Any] = json.loads(line)
            turns = tuple(_turn(turn, row["id"], row["lang"]) for turn in row["turns"])
            found.append(Conversation(row["id"], row["lang"], turns))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileError(
                "Not a test conversation", field=f"{path.name}:{number}", value=line[:80]
            ) from error
    return found


def _turn(row: dict[str, Any], name: str, lang: str) -> Turn:
    if not row.get("answerable", True):
        return Turn(row["text"], ())
    return Turn(row["text"], tuple(_wanted(part, name, lang) for part in row.get("requests") or [row]))


def _wanted(row: dict[str, Any], name: str, lang: str) -> Question:
    facts = row.get("facts") or {}
    return Question(
        name,
        lang,
        row.get("text", ""),
        row["intent"],
        row["article"],
        tuple(row.get("also_articles", ())),
        tuple(tuple(spellings) for spellings in facts.get("must", ())),
        tuple(facts.get("must_not", ())),
    )


def play(
    assistant: Assistant,
    conversations: Sequence[Conversation],
    options: SiteOptions,
    *,
    progress: Callable[[float], None] | None = None,
) -> list[Played]:
    """Each turn in order, the bot's own replies in the history."""
    played = []
    for number, conversation in enumerate(conversations):
        history: list[Message] = []
        failures = 0
        for turn in conversation.turns:
            reply, trace = assistant.reply(
                turn.text, options=options, history=history, locale=conversation.lang, failures=failures
            )
            stated = all(states_facts(reply.text, q.must, q.must_not) for q in turn.wanted)
            verdict = _judge(turn, reply, trace)
            played.append(Played(conversation.id, conversation.lang, turn, reply, trace, verdict, stated))
            history += [
                Message("customer", turn.text),
                bot_message(reply.text, trace.topic, trace.perhaps, reply.as_json(), trace.as_json()),
            ]
            failures = failures + 1 if reply.kind in ("unknown", "choices") else 0
        if progress:
            progress((number + 1) / len(conversations))
    return played


def _judge(turn: Turn, reply: Reply, trace: Trace) -> Judgement:
    kinds = {part.kind for part in reply.parts}
    if not turn.wanted:
        return "wrong" if kinds & set(ANSWERS) else "right"
    verdicts = [_judge_request(question, reply, trace) for question in turn.wanted]
    for verdict in _WORST_FIRST:
        if verdict in verdicts:
            return verdict
    return "right"


def _judge_request(question: Question, reply: Reply, trace: Trace) -> Judgement:
    """The best of the parts: which of them was meant for which request nobody says."""
    if question.article is None:
        kind = "person" if question.intent == PERSON_INTENT else "smalltalk"
        if any(part.kind == kind for part in reply.parts):
            return "right"
        return "wrong" if question.intent in SMALLTALK_INTENTS and reply.kind in ANSWERS else "unanswered"
    verdicts = [
        judge(question, Reply((part,)), Trace(trace.release, trace.mode, trace.thresholds, (why,)))
        for part, why in zip(reply.parts, trace.parts, strict=True)
    ]
    order: tuple[Judgement, ...] = ("right", "wrong", "choices")
    return next((verdict for verdict in order if verdict in verdicts), "unanswered")


def conversation_figures(played: Iterable[Played]) -> list[ConversationFigures]:
    """The figures of each language and of all together (language ``all``)."""
    rows = list(played)
    languages = [*sorted({row.lang for row in rows}), "all"]
    return [_figures(lang, [row for row in rows if lang in ("all", row.lang)]) for lang in languages]


def _figures(language: str, rows: Sequence[Played]) -> ConversationFigures:
    inside = [row for row in rows if row.turn.wanted]
    outside = [row for row in rows if not row.turn.wanted]
    generated = [row for row in inside if any(part.kind == "generated" for part in row.reply.parts)]

    def share(flags: Iterable[bool]) -> float:
        found = list(flags)
        return round(100 * sum(found) / len(found), 1) if found else 0.0

    return ConversationFigures(
        language=language,
        turns=len(inside),
        right=share(row.judgement == "right" for row in inside),
        wrong=share(row.judgement == "wrong" for row in inside),
        choices=share(row.judgement == "choices" for row in inside),
        unanswered=share(row.judgement == "unanswered" for row in inside),
        generated=round(100 * len(generated) / len(inside), 1) if inside else 0.0,
        generated_true=share(row.facts_stated for row in generated),
        unanswerable=len(outside),
        refused=share(row.judgement != "wrong" for row in outside),
        unanswerable_generated=share(any(p.kind == "generated" for p in row.reply.parts) for row in outside),
    )
