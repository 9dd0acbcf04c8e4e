"""From the turns of a conversation to its questions: (turns before, what the customer asks, what the agent answered).

The conversation's tag labels its first customer message that is more than a greeting (CONTRACTS.md). Later messages
that ask for something become examples without a label; "thanks" and "yes, 4012" do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.language.entity_marks import Mark
from ingest.quality import MAX_QUESTION, asks_for_something
from ingest.transcripts.transcript import Turn

CONTEXT_TURNS = 6
CONTEXT_CHARACTERS = 400  # of one turn
MAX_ANSWER = 2_000  # characters
MIN_FOLLOW_UP = 2  # words, or Chinese characters by two: a bare "yes" asks nothing


@dataclass(frozen=True, slots=True)
class Question:
    """A customer's message with the turns before it and the agent's answer; ``opening``: the labelled one.
    ``entities``: marks in it; None where nobody looked for any."""

    text: str
    context: tuple[Turn, ...]
    answer: str | None
    opening: bool
    entities: tuple[Mark, ...] | None = None


def questions_of(turns: Sequence[Turn]) -> list[Question]:
    """The questions of a conversation (redacted, holds and bot lines gone), in order."""
    found: list[Question] = []
    for at, turn in enumerate(turns):
        if turn.role != "customer" or len(turn.text) > MAX_QUESTION or not asks_for_something(turn.text):
            continue
        if found and not _substantial(turn.text):
            continue
        found.append(Question(turn.text, _context(turns, at), _answer(turns, at), opening=not found))
    return found


def _substantial(text: str) -> bool:
    words = len(text.split()) if text.isascii() else len(text) // 2
    return words > MIN_FOLLOW_UP


def _context(turns: Sequence[Turn], at: int) -> tuple[Turn, ...]:
    spoken = [turn for turn in turns[max(0, at - 3 * CONTEXT_TURNS) : at] if turn.role != "action"]
    return tuple(Turn(turn.role, turn.text[:CONTEXT_CHARACTERS]) for turn in spoken[-CONTEXT_TURNS:])


def _answer(turns: Sequence[Turn], at: int) -> str | None:
    """What the agent said until the customer's next word; messages of the customer in one go share the answer."""
    after = at + 1
    while after < len(turns) and turns[after].role != "agent":
        after += 1
    parts = []
    while after < len(turns) and turns[after].role != "customer":
        if turns[after].role == "agent":
            parts.append(turns[after].text)
        after += 1
    return " ".join(parts)[:MAX_ANSWER] or None
