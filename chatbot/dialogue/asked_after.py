"""What customers asked once they had an answer, and whether the agents could tell them.

"Will it hurt my credit score?" behind an answer on instalments has the answer's own words, and no article says it. That
customers have asked so before, behind that answer, and the agents did not know, is the sign that nothing is known; that
they asked so and were answered from an article is a sign for this article which neither its text nor its openings hold.
How much each counts is found in chatbot/learning/weighing_fit.py.

A question is near to what was asked before by the cosine of their vectors (the search's encoder); vectors are kept in
eight bits, no text of a customer's is in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.language_tables import load_tables, save_tables
from chatbot.errors import BundleError

MOST = 120  # kept of what an article was asked, and of what nobody could tell behind it
SAME = 0.985  # cosine from which two texts are one: training must not find a question by itself
_PARTS = ("vectors", "topics", "starts")

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str], str], Vectors]  # texts and their language → unit vectors [n, d]


@dataclass(frozen=True, slots=True)
class Told:
    """A question that was asked behind an answer. ``article``: which one it was answered from; None: the agents did
    not know. ``behind``: which article the answer before was from."""

    text: str
    lang: str
    behind: str
    article: str | None

    @property
    def topic(self) -> str:
        return self.behind if self.article is None else self.article


@dataclass(frozen=True, slots=True)
class _Language:
    """Rows ``starts[2 * i]`` to ``starts[2 * i + 1]`` of ``vectors`` were answered from ``topics[i]``; those to
    ``starts[2 * i + 2]`` were asked behind it and not known."""

    vectors: NDArray[np.int8]  # [n, d], of 127 times unit length
    topics: NDArray[np.str_]  # sorted
    starts: NDArray[np.int64]
    places: Mapping[str, int]

    @classmethod
    def of(cls, rows: Mapping[tuple[str, bool], Vectors], width: int) -> Self:
        topics = sorted({topic for topic, _ in rows})
        parts = [rows.get((topic, known)) for topic in topics for known in (True, False)]
        kept = [part for part in parts if part is not None]
        vectors = np.concatenate(kept) if kept else np.zeros((0, width), np.float32)
        return cls.read(
            np.round(127 * vectors).astype(np.int8),
            np.array(topics, dtype=np.str_),
            np.cumsum([0, *(0 if part is None else len(part) for part in parts)]),
        )

    @classmethod
    def read(cls, vectors: NDArray[np.int8], topics: NDArray[np.str_], starts: NDArray[np.int64]) -> Self:
        if len(starts) != 2 * len(topics) + 1 or starts[-1] != len(vectors):
            raise ValueError("the parts do not fit each other")
        return cls(vectors, topics, starts, {topic: place for place, topic in enumerate(topics.tolist())})

    def rows(self, topic: str, *, known: bool) -> NDArray[np.int8]:
        place = self.places.get(topic)
        if place is None:
            return self.vectors[:0]
        at = 2 * place + (not known)
        return self.vectors[self.starts[at] : self.starts[at + 1]]


class Near:
    """One question, to be held against what was asked before."""

    def __init__(self, language: _Language, vector: Vectors, *, apart: bool) -> None:
        self._language = language
        self._vector = vector
        self._most = SAME if apart else np.inf

    def answered(self, topic: str) -> float:
        """Cosine to the nearest question that was asked behind an answer and answered from ``topic``; 0: none."""
        return self._nearest(self._language.rows(topic, known=True))

    def not_known(self, behind: str | None) -> float:
        """Cosine to the nearest question behind an answer on ``behind`` that the agents could not answer; 0: none."""
        return 0.0 if behind is None else self._nearest(self._language.rows(behind, known=False))

    def _nearest(self, rows: NDArray[np.int8]) -> float:
        cosines = rows.astype(np.float32) @ self._vector / np.float32(127)
        cosines = cosines[cosines < self._most]
        return max(0.0, float(cosines.max())) if len(cosines) else 0.0


class AskedAfter:
    """The questions behind answers of each language; a file of the bundle."""

    def __init__(self, languages: Mapping[str, _Language]) -> None:
        self._languages = dict(languages)

    @classmethod
    def collect(cls, told: Iterable[Told], encode: Encode) -> Self:
        """The first MOST different questions of each article, and of those not known behind it."""
        texts: dict[str, dict[tuple[str, bool], dict[str, None]]] = {}
        for one in told:
            found = texts.setdefault(one.lang, {}).setdefault((one.topic, one.article is not None), {})
            if len(found) < MOST:
                found.setdefault(one.text)
        languages = {}
        for lang, by_topic in texts.items():
            vectors = encode([text for found in by_topic.values() for text in found], lang)
            ends = np.cumsum([len(found) for found in by_topic.values()])[:-1]
            parts = dict(zip(by_topic, np.split(vectors, ends), strict=True))
            languages[lang] = _Language.of(parts, vectors.shape[1])
        return cls(languages)

    def knows(self, lang: str) -> bool:
        return lang in self._languages

    def near(self, vector: Vectors, *, lang: str, apart: bool = False) -> Near | None:
        """A question of which ``vector`` [d] is the unit vector; None where nothing is known of the language.
        ``apart``: not by the very same text, as training asks."""
        language = self._languages.get(lang)
        if language is None or language.vectors.shape[1] != len(vector):
            return None
        return Near(language, vector, apart=apart)

    def save(self, path: Path) -> None:
        save_tables(
            path,
            {lang: {part: getattr(one, part) for part in _PARTS} for lang, one in self._languages.items()},
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises BundleError for a file that cannot be read."""
        unreadable = BundleError(
            "The questions asked behind answers cannot be read", value=path.name, remedy="Retrain"
        )
        return cls(load_tables(path, lambda tables: _Language.read(**tables), unreadable=unreadable))
