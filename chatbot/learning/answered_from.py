"""Which article did the agent answer from? Found by what the answer says, so that untagged logs teach the search.

An agent who writes "three working days, to the original payment method" has answered from the article on refunds,
whatever the conversation was tagged with. The share of the answer's information (inverse document frequency over
the articles, Spärck Jones 1972) that one article accounts for tells which; numbers weigh most, being rarest.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chatbot.language.normalise import fold

_PIECE = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,:]\d+)*|[\u3400-\u9fff]+", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\[[A-Z]+(?:_\d+)?\]")
# "I have no information on that", "这个我不清楚": what the agents do not know, no article says. That one will ask a
# colleague is not enough: he may come back with the answer.
_NOT_KNOWN = re.compile(
    r"\b(?:(?:do not|don't) (?:actually |really )?know|(?:am|'m) (?:not sure|not certain|afraid not)"
    r"|(?:can't|cannot|can not|couldn't|could not) (?:say|tell you|answer|confirm|promise)"
    r"|(?:have|find|there is|there's) no (?:information|answer|details?))\b"
    r"|不(?:太|是很|大)?(?:清楚|确定|知道|了解)|没有?(?:相关|这方面)?的?(?:资料|信息|说明)"
    r"|(?:没法|无法|不能)(?:确认|确定|回答|答复|告诉)",
    re.IGNORECASE,
)
MIN_PIECES = 4  # "one moment please" is an answer to nothing
REMEMBERED = 50_000  # answers: a snapshot asks for the same one for its examples, its pairs and its dialogues


@dataclass(frozen=True, slots=True)
class Found:
    """An article that accounts for ``coverage`` of an answer's information, and how far ahead it is."""

    article: str
    coverage: float
    margin: float


class ArticleFinder:
    """Finds the article an answer was taken from, among the articles of the answer's language."""

    def __init__(self, articles: Sequence[tuple[str, str, str]]) -> None:
        """``articles``: (slug, language, whole text)."""
        self._by_language: dict[str, _Language] = {}
        grouped: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for slug, lang, text in articles:
            grouped[lang].append((slug, text))
        for lang, rows in grouped.items():
            self._by_language[lang] = _Language(rows)
        self._found = lru_cache(REMEMBERED)(self._find)

    def find(self, answer: str, *, lang: str, question: str = "") -> Found | None:
        """The best article, or None where the answer is too short or no article has a word of it.

        The question counts a little: agents leave out what the customer has said already.
        """
        return self._found(answer, lang, question)

    def shares(self, text: str, *, lang: str) -> dict[str, float]:
        """By article, the share 0..1 of the text's information that the article accounts for."""
        language = self._by_language.get(lang)
        return language.shares(text) if language else {}

    def _find(self, answer: str, lang: str, question: str) -> Found | None:
        language = self._by_language.get(lang)
        return language.find(answer, question) if language else None


def not_known(answer: str) -> bool:
    """Whether an agent says that he does not know; of an answer that no article accounts for."""
    return _NOT_KNOWN.search(answer) is not None


class _Language:
    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        self._slugs = [slug for slug, _ in rows]
        holding: dict[str, list[int]] = defaultdict(list)  # piece -> articles that hold it
        for number, (_, text) in enumerate(rows):
            for piece in set(pieces(text)):
                holding[piece].append(number)
        total = len(rows)
        self._unknown = math.log(1 + total)
        self._weight = {piece: math.log(1 + total / len(found)) for piece, found in holding.items()}
        self._articles: dict[str, NDArray[np.int64]] = {
            piece: np.asarray(found) for piece, found in holding.items()
        }

    def find(self, answer: str, question: str) -> Found | None:
        said = set(pieces(answer))
        if len(said) < MIN_PIECES:
            return None
        scores = self._held(said) + 0.3 * self._held(set(pieces(question)))
        best = int(scores.argmax())
        score = float(scores[best])
        if score == 0:
            return None
        total = self._information(said)
        scores[best] = 0.0
        return Found(self._slugs[best], score / total, (score - float(scores.max())) / total)

    def shares(self, text: str) -> dict[str, float]:
        said = set(pieces(text))
        held = self._held(said) / max(self._information(said), 1e-9)
        return dict(zip(self._slugs, held.tolist(), strict=True))

    def _held(self, said: set[str]) -> NDArray[np.float64]:
        """The information of ``said`` that each article holds."""
        scores = np.zeros(len(self._slugs))
        for piece in said & self._weight.keys():
            scores[self._articles[piece]] += self._weight[piece]
        return scores

    def _information(self, said: set[str]) -> float:
        return sum(self._weight.get(piece, self._unknown) for piece in said)


def pieces(text: str) -> list[str]:
    """Words, numbers, and character bigrams of Chinese; placeholders say nothing about the subject."""
    found: list[str] = []
    for piece in _PIECE.findall(fold(_PLACEHOLDER.sub(" ", text))):
        if len(piece) > 1 and piece[0] >= "\u3400":  # the pattern finds nothing between Latin and Han
            found += [piece[place : place + 2] for place in range(len(piece) - 1)]
        else:
            found.append(piece)
    return found
