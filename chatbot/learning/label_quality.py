"""Tags that mean nothing: found before they are learnt.

A helpdesk's tags are not all intents: "vip", "repeat customer", "web" say something about the customer or the
channel, and stand on messages of every kind. Learnt as an intent, such a tag takes answers from all the
others. It shows itself: the messages nearest to one of its own carry it no more often than chance would have
it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.language.tokens import tokenise

_SUSPECT = 3.0  # times the mean number of messages an intent: only tags that are everywhere are looked at
_READ = 6000  # messages; of more a sample says the same
_ASKED = 60  # messages of a suspect whose neighbours are looked at
_NEIGHBOURS = 5
_CHANCE = 1.6  # share of the same tag among neighbours, over its share of all, below which it means nothing


@dataclass(frozen=True)
class Incoherent:
    """A tag whose messages have nothing in common. ``lift``: how much likelier than chance a neighbour has
    it.
    """

    intent: str
    n: int
    lift: float


def incoherent_intents(texts: Sequence[str], intents: Sequence[str], *, seed: int) -> list[Incoherent]:
    """Of the intents that are far more frequent than the others, those whose messages nothing tells apart.

    An intent that simply is frequent has neighbours of its own kind and is kept.
    """
    counts = Counter(intents)
    if len(counts) < 4:
        return []
    usual = (len(intents) - max(counts.values())) / (len(counts) - 1)
    suspects = [name for name, n in counts.items() if n >= _SUSPECT * usual and n >= 20]
    if not suspects:
        return []
    source = random.Random(seed)
    if len(texts) > _READ:
        kept = sorted(source.sample(range(len(texts)), _READ))
        texts, intents = [texts[i] for i in kept], [intents[i] for i in kept]
    neighbours = _Neighbours(texts)
    found = []
    for name in sorted(suspects):
        own = [i for i, intent in enumerate(intents) if intent == name]
        same = near = 0
        for i in source.sample(own, min(_ASKED, len(own))):
            closest = neighbours.of(i, _NEIGHBOURS)
            same += sum(intents[j] == name for j in closest)
            near += len(closest)
        chance = len(own) / len(intents)
        lift = (same / near if near else 0.0) / chance
        if lift < _CHANCE and chance < 0.6:
            found.append(Incoherent(name, counts[name], round(lift, 2)))
    return found


class _Neighbours:
    """Cosine over idf-weighted sets of words; Chinese as character bigrams."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._bags = [frozenset(t[2:4] if t[0] == "~" else t for t in tokenise(text)) for text in texts]
        frequency = Counter(term for bag in self._bags for term in bag)
        n = len(texts)
        self._squares = {term: math.log((1 + n) / (1 + df)) ** 2 for term, df in frequency.items()}
        self._norms = [math.sqrt(sum(self._squares[t] for t in bag)) or 1.0 for bag in self._bags]
        self._where: dict[str, list[int]] = {}
        for index, bag in enumerate(self._bags):
            for term in bag:
                if frequency[term] <= max(50, n // 20):  # the commonest words only slow this down
                    self._where.setdefault(term, []).append(index)

    def of(self, index: int, k: int) -> list[int]:
        """The ``k`` nearest other texts that are not the same bag of words."""
        shared: dict[int, float] = {}
        for term in self._bags[index]:
            for other in self._where.get(term, ()):
                shared[other] = shared.get(other, 0.0) + self._squares[term]
        own = self._bags[index]
        ranked = sorted(
            (i for i in shared if i != index and self._bags[i] != own),
            key=lambda i: (-shared[i] / self._norms[i], i),
        )
        return ranked[:k]
