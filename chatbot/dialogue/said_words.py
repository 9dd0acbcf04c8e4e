"""Which words of a question nobody has ever used about an article.

"Will the driver carry it up to the fourth floor?" behind an answer on delivery times reads like one more question on
delivery; that neither the article nor anybody who asked about it has spoken of drivers, floors and carrying is the sign
that nothing is known. The share of a question's content that is new to an article is evidence beside the classifier and
the search, which both only say what is nearest; how much it counts is found in chatbot/learning/weighing_fit.py.

Rare words count more than frequent ones (inverse document frequency; Spärck Jones 1972). Units of content are words cut
to six letters and pairs of Han characters, kept as 32-bit hashes: no text of a customer's is in the file.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.language_tables import Tables, load_tables, save_tables
from chatbot.errors import BundleError
from chatbot.neural.source_layout import content_units

_PARTS = ("units", "rarity", "topics", "starts", "members")


@dataclass(frozen=True, slots=True)
class _Language:
    """``members[starts[i]:starts[i + 1]]`` are the rows of ``units`` that were said about ``topics[i]``, sorted."""

    units: NDArray[np.uint32]  # hashes, sorted
    rarity: NDArray[np.float32]  # of each unit
    topics: NDArray[np.str_]  # sorted
    starts: NDArray[np.int64]
    members: NDArray[np.int32]
    unheard: float  # rarity of a unit that nobody ever used

    @classmethod
    def of(cls, texts: Iterable[tuple[str, str]]) -> Self:
        said: dict[str, set[int]] = {}
        found: Counter[int] = Counter()
        number = 0
        for topic, text in texts:
            content = _hashes(content_units(text))
            said.setdefault(topic, set()).update(content)
            found.update(content)
            number += 1
        units = np.array(sorted(found), np.uint32)
        counts = np.array([found[unit] for unit in units.tolist()], np.float64)
        topics = sorted(said)
        rows = [np.searchsorted(units, np.array(sorted(said[topic]), np.uint32)) for topic in topics]
        return cls(
            units=units,
            rarity=np.log((number + 1) / (counts + 1)).astype(np.float32),
            topics=np.array(topics, dtype=np.str_),
            starts=np.cumsum([0, *map(len, rows)]),
            members=np.concatenate([*rows, np.zeros(0, np.int64)]).astype(np.int32),
            unheard=float(np.log(number + 1)),
        )

    @classmethod
    def read(cls, tables: Tables) -> Self:
        return cls(**{part: tables[part] for part in _PARTS}, unheard=float(tables["unheard"]))

    def shares(self, wanted: NDArray[np.uint32]) -> list[float]:
        """In which share of the texts each of ``wanted`` was, from its rarity."""
        if not len(wanted):
            return []
        places = np.searchsorted(self.units, wanted).clip(max=len(self.units) - 1)
        number = math.expm1(self.unheard)
        counts = np.exp(self.unheard - self.rarity[places]) - 1
        shares: list[float] = np.where(_held(self.units, wanted), counts / number, 0.0).tolist()
        return shares

    def spoken_about(self, topic: str) -> NDArray[np.int32] | None:
        place = int(np.searchsorted(self.topics, topic))
        if place == len(self.topics) or self.topics[place] != topic:
            return None
        return self.members[self.starts[place] : self.starts[place + 1]]


class Asked:
    """A question's content, to be held against one topic after another."""

    def __init__(self, language: _Language, units: set[int], told: set[int]) -> None:
        """``units``: hashes of the question's content; ``told``: of what was said in the turns before."""
        self._language = language
        self._hashes = np.array(sorted(units), np.uint32)
        known = _held(language.units, self._hashes)
        places = np.searchsorted(language.units, self._hashes).clip(max=len(language.units) - 1)
        self._rows = np.where(known, places, -1).astype(np.int32)
        self._weights = np.where(known, language.rarity[places], language.unheard)
        self._total = float(self._weights.sum())
        self._told = np.array([unit in told for unit in self._hashes.tolist()], np.bool_)

    def new_to(self, topic: str, shown: Iterable[str] = ()) -> float:
        """Share 0..1 of the content that was never said about ``topic``, nor stands in the texts ``shown`` of it.

        0 where the topic is not known (an article written since) or the question has no content.
        """
        spoken = self._language.spoken_about(topic)
        if spoken is None or self._total <= 0:
            return 0.0
        heard = self._told | _held(spoken, self._rows)
        for stands in map(_of_passage, shown):
            heard |= np.array([unit in stands for unit in self._hashes.tolist()], np.bool_)
        return float(self._weights[~heard].sum()) / self._total


class SaidWords:
    """The words said about each topic (an article's slug, or `intent_topic`), by language; a file of the bundle."""

    def __init__(self, languages: Mapping[str, _Language]) -> None:
        self._languages = dict(languages)

    @classmethod
    def count(cls, texts: Iterable[tuple[str, str, str]]) -> Self:
        """From (language, topic, text): articles, and what customers wrote about them."""
        by_language: dict[str, list[tuple[str, str]]] = {}
        for lang, topic, text in texts:
            by_language.setdefault(lang, []).append((topic, text))
        return cls({lang: _Language.of(found) for lang, found in by_language.items()})

    def asked(self, text: str, *, lang: str, before: Sequence[str] = ()) -> Asked | None:
        """What ``text`` asks; words of ``before``, the turns before it, are said already. None where nothing is known
        of the language."""
        language = self._languages.get(lang)
        if language is None or not len(language.units):
            return None
        return Asked(language, _hashes(content_units(text)), _hashes(content_units("\n".join(before))))

    def texts(self, lang: str) -> int:
        """How many texts of the language were read."""
        language = self._languages.get(lang)
        return round(math.expm1(language.unheard)) if language is not None else 0

    def shares(self, units: Sequence[str], *, lang: str) -> list[float]:
        """In which share of the texts each unit of content stood, 0..1; 0 where nothing is known of the language."""
        language = self._languages.get(lang)
        if language is None:
            return [0.0] * len(units)
        return language.shares(np.array([crc32(unit.encode()) for unit in units], np.uint32))

    def save(self, path: Path) -> None:
        save_tables(
            path,
            {
                lang: {part: getattr(one, part) for part in _PARTS} | {"unheard": np.array(one.unheard)}
                for lang, one in self._languages.items()
            },
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises BundleError for a file that cannot be read."""
        unreadable = BundleError(
            "The words said about articles cannot be read", value=path.name, remedy="Retrain"
        )
        return cls(load_tables(path, _Language.read, unreadable=unreadable))


def intent_topic(name: str) -> str:
    """The topic of an intent that no article answers."""
    return f"intent:{name}"


def _held(numbers: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of ``wanted`` are among the sorted ``numbers``. (`np.isin` sorts them anew for every question.)"""
    if not len(numbers):
        return np.zeros(len(wanted), np.bool_)
    found: NDArray[np.bool_] = numbers[np.searchsorted(numbers, wanted).clip(max=len(numbers) - 1)] == wanted
    return found


@lru_cache(maxsize=4_096)
def _of_passage(text: str) -> frozenset[int]:
    return frozenset(_hashes(content_units(text)))


def _hashes(units: Iterable[str]) -> set[int]:
    return {crc32(unit.encode()) for unit in units}
