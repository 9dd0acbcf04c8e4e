"""What the demo's conversations are dealt from: shuffled decks of openings and follow-ups, and fitting answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Generic, TypeVar

from chatbot.language.normalise import fold
from ingest.demo.patterns import SLOT, Patterns
from ingest.demo.wording import OUT_OF_SCOPE, Entry, Wording

_DRAWN = 70  # openings drawn from the patterns of an intent
_DRAWN_WITHOUT_INTENT = 35
_OFF_TOPIC = 0.08  # share of the conversations that open off the topic
_TRIES = 30  # attempts for each opening wanted, before patterns count as exhausted
_CAPITALS = 0.7  # share of openings whose sentences begin with a capital letter
_SENTENCE_START = re.compile(r"(?:^|(?<=[.?!] ))[a-z](?![A-Z])")  # not the i of iDEAL
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
    """The decks of one language, shared by all its conversations.

    ``tickets`` is how many conversations will open from it: every hand-written opening is among the cards, and
    what the patterns make fills up to that number, so that nothing is said twice where it need not be.
    """

    def __init__(self, wording: Wording, rng: Random, *, tickets: int = 0) -> None:
        self.wording = wording
        entries = {(entry.topic, entry.intent): entry for entry in wording.entries}
        written = [(entry, text) for entry in wording.entries for text in entry.openings]
        taken = {plainly(text) for _, text in written}
        more: list[tuple[Entry, str]] = []
        off_topic: list[tuple[Entry, str]] = []
        for patterns in wording.patterns:
            entry = entries[patterns.topic, patterns.intent]
            count = _DRAWN_WITHOUT_INTENT if patterns.intent is None else _DRAWN
            if entry.intent == OUT_OF_SCOPE:
                count = max(0, round(_OFF_TOPIC * tickets) - len(entry.openings))
            drawn = [(entry, text) for text in draw_openings(patterns, count, rng, taken=taken)]
            (off_topic if entry.intent == OUT_OF_SCOPE else more).extend(drawn)
        room = max(0, tickets - len(written) - len(off_topic))
        self.openings = Deck([*written, *off_topic, *rng.sample(more, min(room, len(more)))], rng)
        self.later = Deck([card for card in (*written, *more) if card[0].topic is not None], rng)
        self.followups = {entry: Deck(entry.followups, rng) for entry in wording.entries if entry.followups}

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


def draw_openings(patterns: Patterns, count: int, rng: Random, *, taken: set[str]) -> list[str]:
    """Up to ``count`` sentences, none of which ``taken`` holds (as ``plainly`` gives them); ``taken`` grows.

    Patterns and words are dealt in turn from shuffled decks, so that a draw covers the whole vocabulary before
    any of it comes again. Fewer sentences come when the patterns cannot make as many.
    """
    words = {name: Deck(wordings, rng) for name, wordings in patterns.words.items()}
    shapes = Deck(patterns.patterns, rng)
    drawn: list[str] = []
    for _ in range(count * _TRIES):
        if len(drawn) == count:
            break
        text = shapes.draw()
        while any(name in words for name in SLOT.findall(text)):  # a wording may name another list
            text = SLOT.sub(lambda found: words[found[1]].draw() if found[1] in words else found[0], text)
        if rng.random() < _CAPITALS:
            text = _SENTENCE_START.sub(lambda found: found[0].upper(), text)
        plain = plainly(text)
        if plain not in taken:
            taken.add(plain)
            drawn.append(text)
    return drawn


def plainly(text: str) -> str:
    """``text`` folded and without its end mark: two openings that agree in this are the same opening."""
    return fold(text).strip(" .?!。？！")


def _terms(text: str) -> set[str]:
    """Telling words, cut to their stems, and bigrams of Chinese characters."""
    words = {
        word[:5] for word in re.findall(r"[a-z0-9]{2,}", text.lower()) if not _TELLS_NOTHING.fullmatch(word)
    }
    han = re.findall(r"[\u4e00-\u9fff]+", text)
    return words | {run[i : i + 2] for run in han for i in range(len(run) - 1)}
