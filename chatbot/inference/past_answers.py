"""What agents said in past situations like this one: BM25 over histories, answers out.

A situation is the customer's last messages, the agent's last turn and the look-ups since. Okapi BM25 (Robertson &
Zaragoza 2009, section 3.2) over words, and over characters and character pairs of Chinese. Plain numpy, no torch: the
generator's training and its serving look answers up here in the same way, and nothing needs a search engine.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.language.normalise import fold
from chatbot.neural.source_layout import readable_lookup

_TERM = re.compile(r"\[[a-z_0-9]+\]|[a-z]+(?:'[a-z]+)?|\d+|[\u3400-\u9fff]")
_K1, _B = 1.2, 0.6


@dataclass(frozen=True)
class Situation:
    """A past answer with the turns before it. ``group``: its conversation, so that a search can leave it out."""

    turns: tuple[Message, ...]
    answer: str
    group: str = ""


@dataclass(frozen=True)
class Found:
    answer: str
    score: float
    place: int  # number of the situation


class PastAnswers:
    """Past situations, searched by likeness. Built once; searching changes nothing."""

    def __init__(self, situations: Sequence[Situation], *, common: float = 0.15) -> None:
        """common: a term in so large a share of the situations is too common to look up."""
        self.situations = tuple(situations)
        bags = [situation_terms(situation.turns) for situation in situations]
        lengths = np.array([sum(bag.values()) for bag in bags], dtype=np.float32)
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, bag in enumerate(bags):
            for term, count in bag.items():
                postings[term].append((place, count))
        total = len(bags)
        norm = _K1 * (1 - _B + _B * lengths / max(1e-6, float(lengths.mean()) if total else 1.0))
        self._postings: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}
        limit = max(50, int(common * total))
        for term, found in postings.items():
            if len(found) > limit:
                continue
            places = np.array([place for place, _ in found], dtype=np.int32)
            counts = np.array([count for _, count in found], dtype=np.float32)
            idf = np.log(1 + (total - len(found) + 0.5) / (len(found) + 0.5))
            self._postings[term] = (places, idf * counts * (_K1 + 1) / (counts + norm[places]))
        groups = {name: number for number, name in enumerate(sorted({s.group for s in situations}))}
        self._group = np.array([groups[s.group] for s in situations], dtype=np.int32)
        self._groups = groups

    def __len__(self) -> int:
        return len(self.situations)

    def search(self, turns: Sequence[Message], *, k: int = 5, without: str | None = None) -> list[Found]:
        """The answers given in the ``k`` likest situations with distinct answers, best first.

        without: a conversation whose own answers do not count.
        """
        bag = situation_terms(turns)
        lists = [(self._postings[term], count) for term, count in bag.items() if term in self._postings]
        if not lists:
            return []
        places = np.concatenate([found[0] for found, _ in lists])
        gains = np.concatenate([found[1] * min(2.0, count) for found, count in lists])
        scores = np.bincount(places, weights=gains, minlength=len(self.situations))
        if without is not None and without in self._groups:
            scores[self._group == self._groups[without]] = 0.0
        reach = min(len(scores), 6 * k + 10)
        best = np.argpartition(-scores, reach - 1)[:reach]
        best = best[np.lexsort((best, -scores[best]))]
        found: list[Found] = []
        answers: set[str] = set()
        for place in best.tolist():
            answer = self.situations[place].answer
            if scores[place] <= 0 or len(found) == k:
                break
            if answer not in answers:
                answers.add(answer)
                found.append(Found(answer, float(scores[place]), place))
        return found


def situation_terms(turns: Sequence[Message]) -> Counter[str]:
    """Weighted terms of a situation: the last message and fresh look-ups count most, older turns less."""
    bag: Counter[str] = Counter()
    spoken = 0
    for turn in reversed(turns):
        if turn.role == "action":
            if spoken == 0:
                _add(bag, terms(readable_lookup(turn.text)), 1.0, "")
            continue
        weight = (1.0, 0.7, 0.35, 0.2)[min(spoken, 3)]
        _add(bag, terms(turn.text), weight, "a:" if turn.role != "customer" else "")
        spoken += 1
        if spoken == 4:
            break
    return bag


def terms(text: str) -> Iterable[str]:
    """Words and numbers; characters and character pairs of Chinese."""
    before = ""
    for term in _TERM.findall(fold(text)):
        yield term
        if before >= "\u3400" and term >= "\u3400":
            yield before + term
        before = term


def _add(bag: Counter[str], found: Iterable[str], weight: float, prefix: str) -> None:
    for term in found:
        bag[prefix + term] += weight  # type: ignore[assignment]
