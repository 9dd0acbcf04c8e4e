"""What customers asked once they had an answer, and whether the agents could tell them.

"Will it hurt my credit score?" behind an answer on instalments has the answer's own words, and no article says it. That
customers have asked so before, behind that answer, and the agents did not know, is the sign that nothing is known; that
they asked so and were answered from an article is a sign for this article which neither its text nor its openings hold.
"How long does it take?" is asked behind forty answers and means forty things, so what was asked behind the same answer
is told apart from what was asked behind others. How much each counts is found in chatbot/learning/weighing_fit.py.

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

MOST = 400  # kept of what an article was asked, and of what nobody could tell behind it
SAME = 0.985  # cosine from which two texts are one: training must not find a question by itself
_PARTS = ("vectors", "topics", "starts", "behind")

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
    behind: NDArray[
        np.int32
    ]  # [n]: the topic of the answer that each was asked behind, as its place in ``topics``
    places: Mapping[str, int]

    @classmethod
    def of(cls, told: Mapping[tuple[str, bool], Mapping[str, str]], encode: Encode, lang: str) -> Self:
        """From the questions of each topic, answered or not, and what each was asked behind."""
        topics = sorted({one for (topic, _), asked in told.items() for one in (topic, *asked.values())})
        places = {topic: place for place, topic in enumerate(topics)}
        parts = [told.get((topic, known), {}) for topic in topics for known in (True, False)]
        return cls(
            np.round(127 * encode([text for part in parts for text in part], lang)).astype(np.int8),
            np.array(topics, dtype=np.str_),
            np.cumsum([0, *map(len, parts)]),
            np.array([places[behind] for part in parts for behind in part.values()], np.int32),
            places,
        )

    @classmethod
    def read(
        cls,
        vectors: NDArray[np.int8],
        topics: NDArray[np.str_],
        starts: NDArray[np.int64],
        behind: NDArray[np.int32] | None = None,
    ) -> Self:
        """``behind``: as if each had stayed with its topic, where a file of before does not say it."""
        if behind is None:
            behind = np.repeat(np.arange(len(starts) - 1, dtype=np.int32) // 2, np.diff(starts))
        if len(starts) != 2 * len(topics) + 1 or not starts[-1] == len(vectors) == len(behind):
            raise ValueError("the parts do not fit each other")
        places = {topic: place for place, topic in enumerate(topics.tolist())}
        return cls(vectors, topics, starts, behind, places)

    def rows(self, topic: str, *, known: bool) -> slice:
        place = self.places.get(topic)
        if place is None:
            return slice(0)
        at = 2 * place + (not known)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


@dataclass(frozen=True, slots=True)
class Answered:
    """Cosines of a question to the nearest that were answered from one topic: asked behind the same answer
    (``here``), and turning to it from others."""

    here: float = 0.0
    turning: float = 0.0


class Near:
    """One question, to be held against what was asked before."""

    def __init__(self, language: _Language, vector: Vectors, *, apart: bool) -> None:
        self._language = language
        self._vector = vector
        self._most = SAME if apart else np.inf

    def answered(self, topic: str, behind: str | None) -> Answered:
        """Cosine to the nearest question that was answered from ``topic``: of those asked behind an answer on
        ``behind``, and of those that turned to it from other answers; 0: none."""
        found, places = self._language.rows(topic, known=True), self._language.places
        cosines, before = self._cosines(found), self._language.behind[found]
        here = before == places.get(behind or "", -1)
        return Answered(_nearest(cosines[here]), _nearest(cosines[~here & (before != places.get(topic, -1))]))

    def not_known(self, behind: str | None) -> float:
        """Cosine to the nearest question behind an answer on ``behind`` that the agents could not answer; 0: none."""
        return 0.0 if behind is None else _nearest(self._cosines(self._language.rows(behind, known=False)))

    def _cosines(self, rows: slice) -> Vectors:
        found: Vectors = self._language.vectors[rows].astype(np.float32) @ self._vector / np.float32(127)
        return np.where(found < self._most, found, np.float32(0))


def _nearest(cosines: Vectors) -> float:
    return max(0.0, float(cosines.max())) if len(cosines) else 0.0


class AskedAfter:
    """The questions behind answers of each language; a file of the bundle."""

    def __init__(self, languages: Mapping[str, _Language]) -> None:
        self._languages = dict(languages)

    @classmethod
    def collect(cls, told: Iterable[Told], encode: Encode) -> Self:
        """The first MOST different questions of each article, and of those not known behind it."""
        texts: dict[str, dict[tuple[str, bool], dict[str, str]]] = {}
        for one in told:
            found = texts.setdefault(one.lang, {}).setdefault((one.topic, one.article is not None), {})
            if len(found) < MOST:
                found.setdefault(one.text, one.behind)
        return cls({lang: _Language.of(asked, encode, lang) for lang, asked in texts.items()})

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
