"""Customers' messages with the article that answers them, as a snapshot tells: after an answer, and out of scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chatbot.dialogue.follow_ups import topic_before
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import ARTICLE_LABEL
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the article that answers it (None: none does), and what was said before."""

    text: str
    lang: str
    article: str | None
    before: tuple[Message, ...] = ()

    @property
    def asks_on(self) -> bool:
        """Whether what the turn before was answered with answers this one too."""
        return self.article is not None and topic_before(self.before) == ARTICLE_LABEL + self.article


def follow_ups(snapshot: Snapshot, split: str, lang: str) -> Iterator[Asked]:
    """Customers' messages after an answer, where this answer and the next one tell their articles."""
    articles = {row["id"]: row["article"] for row in snapshot.passages}
    for row in snapshot.dialogues:
        if row["split"] == split and row["lang"] == lang:
            yield from _follow_ups_of(row, articles)


def outside(snapshot: Snapshot, split: str) -> list[tuple[str, str]]:
    """Messages out of scope that open a conversation, each with its language."""
    return [
        (row["text"], row["lang"])
        for row in snapshot.examples
        if row["split"] == split and row["intent"] == OUT_OF_SCOPE and not row["context"]
    ]


def _follow_ups_of(dialogue: Mapping[str, Any], articles: Mapping[int, str]) -> Iterator[Asked]:
    before: list[Message] = []
    asked: str | None = None
    for turn in dialogue["turns"]:
        sources = turn.get("sources") or ()
        article = articles.get(sources[0]) if sources else None
        if turn["role"] == "agent":
            if asked is not None and article is not None and topic_before(before):
                yield Asked(asked, dialogue["lang"], article, tuple(before))
            if asked is not None:
                before.append(Message("customer", asked))
            before.append(Message("agent", turn["text"], ARTICLE_LABEL + article if article else None))
            asked = None
        elif turn["role"] == "customer":
            asked = turn["text"] if asked is None else f"{asked} {turn['text']}"
