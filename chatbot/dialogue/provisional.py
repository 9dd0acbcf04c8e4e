"""The provisional intents as an assistant sees them: read from the database, kept as prototypes in memory.

Built again whenever the knowledge clock has moved; a reply that has begun keeps the ones it began with. Where
there are none, a message costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification
from chatbot.inference.attribution import WordWeight, weigh_words
from chatbot.inference.prototypes import LEAST_EXAMPLES, Prototype, Prototypes, Vectors, beside
from chatbot.language.normalise import has_letters
from chatbot.language.tokens import tokenise
from chatbot.records.database import Database
from chatbot.records.provisional import Sample, provisional_samples, samples_of_others

Encode = Callable[[Sequence[str], str], NDArray[np.float32]]  # texts and their language → unit vectors [n, d]

BACKGROUND = 300  # messages that ask for something else, against which nearness is fitted
TAKEN = 0.5  # probability from which a provisional intent is said to take a message
NEAREST = 3  # examples that are shown of an intent
# stretches that are left out of a message to see which words decide: an encoder reads some 180 tokens in ten
# milliseconds on two cores
TOKENS_READ, FEWEST, MOST = 180, 4, 12


@dataclass(frozen=True, slots=True)
class Taken:
    """A frozen test message of the live intent ``intent`` that a provisional one would answer from now on."""

    text: str
    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Trial:
    """Examples held against what is known already. ``recognised``: of each example [n], the probability that its
    intent has by the others alone, against ``background`` messages of other intents; ``taken`` of ``frozen`` test
    messages.
    """

    recognised: tuple[float, ...]
    background: int
    taken: tuple[Taken, ...] = ()
    frozen: int = 0


@dataclass(frozen=True, slots=True)
class NearIntent:
    """A provisional intent that a message may ask for: its probability, and its examples by cosine, nearest first."""

    name: str
    confidence: float
    examples: tuple[tuple[str, float], ...]


class Provisional:
    """``labels``: what the release's classifier knows; an intent among them needs no prototype. ``encode_alike``: as
    ``encode``, for texts that differ in a word from each other; quicker."""

    def __init__(
        self,
        database: Database,
        encode: Encode,
        *,
        labels: Collection[str] = (),
        encode_alike: Encode | None = None,
    ) -> None:
        self._database = database
        self._encode = encode
        self._encode_alike = encode_alike or encode
        self._labels = frozenset(labels)
        self._seen: dict[str, tuple[Sample, ...]] = {}
        self._by_language: dict[str, Prototypes] = {}
        self._others: dict[tuple[str, str, int], tuple[list[Sample], Vectors]] = {}
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
        made = {lang: self._prototypes(own[lang], self._background(lang), lang) for lang in changed}
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

    def near(self, text: str, *, lang: str) -> list[NearIntent]:
        """The provisional intents that ``text`` may ask for, most probable first, with the examples that say so."""
        prototypes = self._by_language.get(lang)
        if prototypes is None or not len(prototypes):
            return []
        vector = self._encode([text], lang)[0]
        found = []
        for guess in prototypes.match(vector):
            prototype = prototypes[guess.name]
            cosines = prototype.examples @ vector
            order = np.argsort(-cosines, kind="stable")[:NEAREST]
            told = tuple((prototype.texts[i], round(float(cosines[i]), 4)) for i in order)
            found.append(NearIntent(guess.name, guess.confidence, told))
        return found

    def weigh(self, text: str, intent: str, *, lang: str) -> tuple[WordWeight, ...]:
        """The words of ``text`` by what goes of the provisional intent's probability without each; of a long message
        by stretches of several."""
        prototypes = self._by_language.get(lang)
        if prototypes is None:
            return ()

        def chances(texts: Sequence[str]) -> list[float]:
            vectors = self._encode_alike(texts, lang)
            return [
                prototypes.chance(intent, vector) if has_letters(one) else 0.0
                for one, vector in zip(texts, vectors, strict=True)
            ]

        length = len(tokenise(text)) or 1
        return weigh_words(text, chances, pieces=min(MOST, max(FEWEST, TOKENS_READ // length)))

    def try_out(self, name: str, texts: Sequence[str], *, lang: str, frozen: int = 0) -> Trial:
        """What the intent ``name`` would do with these examples, beside the other provisional ones; at least two.

        ``frozen``: on how many frozen test messages of the language it is held (0: none).
        """
        seen = [sample for sample in self._seen.get(lang, ()) if sample.intent != name]
        background = self._background(lang)
        if seen:
            background = _joined(background, self._encode([sample.text for sample in seen], lang))
        vectors = self._encode(list(texts), lang)
        recognised = tuple(
            Prototype.fit(name, np.delete(vectors, i, axis=0), background).probability(vectors[i])
            if len(texts) > 2
            else 0.0
            for i in range(len(texts))
        )
        if not frozen:
            return Trial(recognised, len(background))
        prototypes = self._by_language.get(lang, Prototypes(())).with_one(
            Prototype.fit(name, vectors, background)
        )
        others, tested = self._of_others(lang, "test", frozen)
        taken = []
        for sample, vector in zip(others, tested, strict=True):
            best = next(iter(prototypes.match(vector)), None)
            if best is not None and best.name == name and best.confidence >= TAKEN:
                taken.append(Taken(sample.text, sample.intent, round(best.confidence, 4)))
        ordered = tuple(sorted(taken, key=lambda one: -one.confidence))
        return Trial(recognised, len(background), ordered, len(others))

    def _background(self, lang: str) -> Vectors:
        return self._of_others(lang, "train", BACKGROUND)[1]

    def _of_others(self, lang: str, split: str, most: int) -> tuple[list[Sample], Vectors]:
        """Messages of the live intents with their vectors [n, d]; encoded again only where they have changed."""
        with self._database.read() as session:
            samples = samples_of_others(session, lang=lang, most=most, split=split)
        key = lang, split, most
        kept = self._others.get(key)
        if kept is None or kept[0] != samples:
            texts = [sample.text for sample in samples]
            vectors = self._encode(texts, lang) if texts else np.zeros((0, 0), np.float32)
            kept = self._others[key] = samples, vectors
        return kept

    def _prototypes(self, own: Sequence[Sample], background: Vectors, lang: str) -> Prototypes:
        names = sorted({sample.intent for sample in own})
        vectors = self._encode([sample.text for sample in own], lang)
        made = []
        for name in names:
            mine = np.asarray([sample.intent == name for sample in own])
            if mine.sum() >= LEAST_EXAMPLES:
                texts = [sample.text for sample in own if sample.intent == name]
                apart = _joined(background, vectors[~mine])
                made.append(Prototype.fit(name, vectors[mine], apart, texts=texts))
        return Prototypes(made)


def _joined(first: Vectors, second: Vectors) -> Vectors:
    """Rows of both; either may have none, and then no width."""
    return np.concatenate([one for one in (first, second) if len(one)] or [second])
