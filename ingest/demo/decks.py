"""What the demo's conversations are dealt from: shuffled decks of openings and follow-ups, and fitting answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Generic, TypeVar

from ingest.demo.wording import Entry, Wording

_TELLS_NOTHING = re.compile(
    r"the|and|you|your|for|can|not|are|was|but|has|have|had|with|that|this|it|is|to|of|in|on|my|me|we|do|does|did"
    r"|be|at|if|so|or|an|as|by|from|please|orders?|will|would|what|how|when|our|there|they|them|then|than|any|all"
    r"|one|its|no|now|out|up|who|where|two|three|first|more|than|days?|weeks?|months?|years?|hours?|working|just|only"
    r"|get|got|need|want|like|also|same|still|after|before|until|new|my|am|i'?m|ve|ll|use|used|standard|may|must|via"
)

T = TypeVar("T")


class Deck(Generic[T]):
    """Cards in a shuffled order; nothing is drawn twice before everything was drawn once."""

    def __init__(self, cards: Sequence[T], rng: Random) -> None:
        self._cards = list(cards)
        self._rng = rng
        self._left: list[T] = []

    def draw(self) -> T:
        if not self._left:
            self._left = self._rng.sample(self._cards, len(self._cards))
        return self._left.pop()


class Table:
    """The decks of one language, shared by all its conversations."""

    def __init__(self, wording: Wording, rng: Random) -> None:
        self.wording = wording
        written = [(entry, text) for entry in wording.entries for text in entry.openings]
        self.openings = Deck(written, rng)
        self.later = Deck([card for card in written if card[0].topic is not None], rng)
        self.about = {
            entry.topic: Deck([(entry, text) for text in entry.openings], rng)
            for entry in wording.entries
            if entry.topic is not None
        }
        self.followups = {
            entry: Deck([(one, ask) for one in entry.followups for ask in one.asks], rng)
            for entry in wording.entries
            if entry.followups
        }
        self.unanswered = {
            entry: Deck(entry.unanswered, rng) for entry in wording.entries if entry.unanswered
        }

    def answer(self, entry: Entry, question: str, rng: Random, *, longer: bool) -> str:
        """An answer of the entry that shares the question's telling words, else one of its general ones.

        Agents answer what was asked: a question about Germany gets the sentence on Germany. Entries list their
        general answers first and those for a special case last, so a question without telling words is answered
        from the first half. ``longer`` is the agent's taste where several fit equally.
        """
        choices = entry.answers or self.wording.personas.cannot_help
        terms = [_terms(text) for text in choices]
        asked = _terms(question)
        scores = [sum(1.0 / sum(term in other for other in terms) for term in asked & own) for own in terms]
        best = max(scores)
        if best < 0.34:  # at most a word that three or more answers share
            fitting = list(choices[: (len(choices) + 1) // 2])
        else:
            fitting = [text for text, score in zip(choices, scores, strict=True) if score >= 0.75 * best]
        pair = rng.sample(fitting, min(2, len(fitting)))
        return max(pair, key=len) if longer else min(pair, key=len)


@lru_cache(100_000)  # an entry's answers are asked for with every question
def _terms(text: str) -> frozenset[str]:
    """Telling words, cut to their stems, and bigrams of Chinese characters."""
    words = {
        word[:5] for word in re.findall(r"[a-z0-9]{2,}", text.lower()) if not _TELLS_NOTHING.fullmatch(word)
    }
    han = re.findall(r"[\u4e00-\u9fff]+", text)
    return frozenset(words | {run[i : i + 2] for run in han for i in range(len(run) - 1)})
