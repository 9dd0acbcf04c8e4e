"""The provisional intents as an assistant sees them: read from the database, kept as prototypes in memory.

Built again whenever the knowledge clock has moved; a reply that has begun keeps the ones it began with. Where
there are none, a message costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification
from chatbot.inference.prototypes import LEAST_EXAMPLES, Prototype, Prototypes, beside
from chatbot.records.database import Database
from chatbot.records.provisional import Sample, provisional_samples, samples_of_others

Encode = Callable[[Sequence[str], str], NDArray[np.float32]]  # texts and their language → unit vectors [n, d]

BACKGROUND = 300  # messages that ask for something else, against which nearness is fitted
TAKEN = 0.5  # probability from which a provisional intent is said to take a message


class Provisional:
    """``labels``: what the release's classifier knows; an intent among them needs no prototype."""

    def __init__(self, database: Database, encode: Encode, *, labels: Collection[str] = ()) -> None:
        self._database = database
        self._encode = encode
        self._labels = frozenset(labels)
        self._seen: dict[str, tuple[Sample, ...]] = {}
        self._by_language: dict[str, Prototypes] = {}
        self.refresh()

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that a provisional intent has examples in."""
        return tuple(sorted(self._by_language))

    @property
    def names(self) -> frozenset[str]:
        """The provisional intents, in whatever language."""
        return frozenset(sample.intent for own in self._seen.values() for sample in own)

    def refresh(self) -> None:
        """Read the examples again; vectors are made anew only for a language whose examples have changed."""
        with self._database.read() as session:
            samples = [s for s in provisional_samples(session) if s.intent not in self._labels]
            languages = sorted({sample.lang for sample in samples})
            own = {lang: tuple(s for s in samples if s.lang == lang) for lang in languages}
            changed = [lang for lang in languages if own[lang] != self._seen.get(lang)]
            others = {lang: samples_of_others(session, lang=lang, most=BACKGROUND) for lang in changed}
        made = {lang: self._prototypes(own[lang], others[lang], lang) for lang in changed}
        self._by_language = {
            lang: made.get(lang) or self._by_language.get(lang) or Prototypes(()) for lang in languages
        }
        self._seen = own

    def beside(self, classification: Classification, text: str, *, lang: str) -> Classification:
        """The classification with the provisional intents that ``text`` may ask for."""
        prototypes = self._by_language.get(lang)
        if prototypes is None or not len(prototypes):
            return classification
        return beside(classification, prototypes.match(self._encode([text], lang)[0]))

    def takes(self, *, lang: str, most: int = 500) -> dict[str, Counter[str]]:
        """What the provisional intents would take from the live ones, on the frozen test messages of a language:
        provisional intent → how many messages of which live intent.
        """
        prototypes = self._by_language.get(lang)
        if prototypes is None or not len(prototypes):
            return {}
        with self._database.read() as session:
            frozen = samples_of_others(session, lang=lang, most=most, split="test")
        taken: dict[str, Counter[str]] = {}
        for sample in frozen:
            near = prototypes.match(self._encode([sample.text], lang)[0])
            if near and near[0].confidence >= TAKEN:
                taken.setdefault(near[0].name, Counter())[sample.intent] += 1
        return taken

    def _prototypes(self, own: Sequence[Sample], others: Sequence[Sample], lang: str) -> Prototypes:
        names = sorted({sample.intent for sample in own})
        vectors = self._encode([sample.text for sample in own], lang)
        background = (
            self._encode([sample.text for sample in others], lang) if others else vectors[:0]
        )  # [m, d]
        made = []
        for name in names:
            mine = np.asarray([sample.intent == name for sample in own])
            if mine.sum() >= LEAST_EXAMPLES:
                apart = np.concatenate([background, vectors[~mine]])
                made.append(Prototype.fit(name, vectors[mine], apart))
        return Prototypes(made)
