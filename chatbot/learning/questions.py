"""Test questions with known answers, put to the whole assistant: what is sent, and whether it is right.

A question file is JSON Lines: ``{"id", "lang", "text", "intent", "article", "also_articles"?, "facts": {"must":
[[spelling, …], …], "must_not": [text, …]}}``; intent ``oos`` must not be answered as if known. A reply is right when
it is the approved answer of the expected intent, a passage of the expected article, or a generated sentence that
states every fact and no forbidden one. "Did you mean" and "I do not know" are neither right nor wrong.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import PartTrace, Reply, ReplyPart, Trace
from chatbot.errors import FileError
from chatbot.language.normalise import fold
from chatbot.learning.snapshot import OUT_OF_SCOPE

Judgement = Literal["right", "wrong", "choices", "unanswered"]
ANSWERS = ("approved", "passage", "generated")
_SPACE = re.compile(r"[\s,，]+")


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    lang: str
    text: str
    intent: str | None
    article: str | None
    also_articles: tuple[str, ...] = ()
    must: tuple[tuple[str, ...], ...] = ()
    must_not: tuple[str, ...] = ()

    @property
    def out_of_scope(self) -> bool:
        return self.intent == OUT_OF_SCOPE


@dataclass(frozen=True, slots=True)
class Asked:
    """One question put to the assistant."""

    question: Question
    reply: Reply
    trace: Trace
    judgement: Judgement

    def as_json(self) -> dict[str, Any]:
        """The question with what was sent and why, for reading."""
        return {
            "id": self.question.id,
            "text": self.question.text,
            "expected": {"intent": self.question.intent, "article": self.question.article},
            "judgement": self.judgement,
            "kind": self.reply.kind,
            "reply": self.reply.text,
            "why": [f"{part.rule}: {part.reason}" for part in self.trace.parts],
            "milliseconds": self.trace.milliseconds,
        }


@dataclass(frozen=True, slots=True)
class QuestionFigures:
    """Shares in percent, over the in-scope questions except ``refused`` (over those out of scope)."""

    language: str
    questions: int
    right: float
    wrong: float
    choices: float
    unanswered: float
    out_of_scope: int
    refused: float
    kinds: dict[str, int] = field(default_factory=dict)
    generated_right: int = 0


def load_questions(path: Path) -> list[Question]:
    """Raises FileError for a file that cannot be read, naming the line that is not a question."""
    questions = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(
            "The questions cannot be read", value=path, remedy="Give a UTF-8 JSON Lines file"
        ) from error
    for number, line in enumerate(lines, 1):
        try:
            row: dict[str, Any] = json.loads(line)
            facts = row.get("facts") or {}
            questions.append(
                Question(
                    row["id"],
                    row["lang"],
                    row["text"],
                    row["intent"],
                    row["article"],
                    tuple(row.get("also_articles", ())),
                    tuple(tuple(spellings) for spellings in facts.get("must", ())),
                    tuple(facts.get("must_not", ())),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileError("Not a test question", field=f"{path.name}:{number}", value=line[:80]) from error
    return questions


def ask_all(
    assistant: Assistant,
    questions: Sequence[Question],
    options: SiteOptions,
    *,
    progress: Callable[[float], None] | None = None,
) -> list[Asked]:
    """Put each question to the assistant, on its own, without history."""
    asked = []
    for number, question in enumerate(questions):
        reply, trace = assistant.reply(question.text, options=options, locale=question.lang)
        asked.append(Asked(question, reply, trace, judge(question, reply, trace)))
        if progress:
            progress((number + 1) / len(questions))
    return asked


def figures(asked: Iterable[Asked]) -> list[QuestionFigures]:
    """The figures of each language and of all together (language ``all``)."""
    rows = list(asked)
    languages = sorted({row.question.lang for row in rows})
    return [
        _figures(lang, [row for row in rows if lang in ("all", row.question.lang)])
        for lang in [*languages, "all"]
    ]


def judge(question: Question, reply: Reply, trace: Trace) -> Judgement:
    """Right, wrong, "did you mean", or not answered; a wrong part spoils the whole reply."""
    parts = [_judge_part(question, part, why) for part, why in zip(reply.parts, trace.parts, strict=True)]
    order: tuple[Judgement, ...] = ("wrong", "right", "choices")
    for verdict in order:
        if verdict in parts:
            return verdict
    return "unanswered"


def _judge_part(question: Question, part: ReplyPart, why: PartTrace) -> Judgement:
    if part.kind == "choices":
        return "choices"
    if part.kind not in ANSWERS:
        return "unanswered"
    if question.out_of_scope:
        return "wrong"
    expected = {question.article, *question.also_articles} - {None}
    if part.kind == "approved" and part.intent is not None and part.intent == question.intent:
        return "right"
    if part.kind == "passage":
        shown = {part.text, *(source.quote for source in part.sources)}  # said again, its text is another
        article = next((hit.article_slug for hit in why.hits if hit.text in shown), None)
        return "right" if article in expected else "wrong"
    return "right" if states_facts(part.text, question.must, question.must_not) else "wrong"


def states_facts(text: str, must: Iterable[Iterable[str]], must_not: Iterable[str]) -> bool:
    """Whether ``text`` states each fact in one of its spellings, and none that it must not."""
    plain = _plain(text)
    return all(any(_plain(spelling) in plain for spelling in fact) for fact in must) and not any(
        _plain(wrong) in plain for wrong in must_not
    )


def _plain(text: str) -> str:
    return _SPACE.sub("", fold(text))


def _figures(language: str, rows: Sequence[Asked]) -> QuestionFigures:
    inside = [row for row in rows if not row.question.out_of_scope]
    outside = [row for row in rows if row.question.out_of_scope]
    counts = Counter(row.judgement for row in inside)

    def share(name: Judgement) -> float:
        return round(100 * counts[name] / len(inside), 1) if inside else 0.0

    return QuestionFigures(
        language=language,
        questions=len(inside),
        right=share("right"),
        wrong=share("wrong"),
        choices=share("choices"),
        unanswered=share("unanswered"),
        out_of_scope=len(outside),
        refused=round(100 * sum(row.judgement != "wrong" for row in outside) / len(outside), 1)
        if outside
        else 0.0,
        kinds=dict(Counter(row.reply.kind for row in rows)),
        generated_right=sum(row.reply.kind == "generated" and row.judgement == "right" for row in inside),
    )
