"""The accurate tier and the cascade, as they serve: the sentence encoder's token states under an LSTM, no
torch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification, IntentGuess, Message
from chatbot.errors import BundleError
from chatbot.inference.classifier_config import (
    ACCURATE_FOLDER,
    ENCODER_FOLDER,
    GRAPH_FILE,
    Blend,
    ClassifierConfig,
)
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.encode import SentenceEncoder
from chatbot.inference.scoring import NOTHING, RANKED, Judge, RawScores
from chatbot.inference.sessions import open_session
from chatbot.language.normalise import detect_language, has_letters, normalise

Tier = Literal["fast", "accurate", "auto"]
_UNRANKED = 0.002  # probability of an intent that a tier does not rank
# Words that both tiers are asked to do without: in the demo's tuning questions the one that decides is among the three
# that the fast tier finds weightiest in 97 of 100.
_ASKED_WITHOUT = 3
_WORKERS = 4  # threads that a batch is shared out to
_CONTEXT_CHARACTERS = 160  # of each earlier turn


class Classifier(Protocol):
    """What every tier offers."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification: ...

    def classify_batch(
        self,
        texts: Sequence[str],
        *,
        histories: Sequence[Sequence[Message]] | None = None,
        lang: str | None = None,
    ) -> list[Classification]: ...

    def classify_without(
        self,
        text: str,
        without: Sequence[str],
        *,
        history: Sequence[Message] = (),
        lang: str | None = None,
    ) -> tuple[Classification, list[Classification]]:
        """``text``, and what decided about it on ``without``: the same text without one or another of its words."""
        ...


def encoder_text(text: str, history: Sequence[Message], *, context: bool) -> str:
    """What the encoder reads: the last two turns before, then the message. Training uses it too."""
    text = normalise(text)
    if not context:
        return text
    before = [normalise(t.text)[:_CONTEXT_CHARACTERS] for t in history if t.role != "action"][-2:]
    return " [SEP] ".join([*before, text])


def _trained_with(encoder: SentenceEncoder | None, fingerprint: str) -> SentenceEncoder:
    """The encoder, if it is the one with that fingerprint (empty: any). Raises BundleError."""
    if encoder is None or (fingerprint and encoder.fingerprint != fingerprint):
        raise BundleError(
            "the accurate classifier was trained with another sentence encoder",
            field="encoder",
            value=encoder.fingerprint if encoder else "none",
            remedy="retrain, or serve the fast tier",
        )
    return encoder


class AccurateClassifier:
    """Thread-safe: nothing is written after loading."""

    def __init__(
        self,
        config: ClassifierConfig,
        session: onnxruntime.InferenceSession,
        encoder: SentenceEncoder,
    ) -> None:
        self.config = config
        self.labels = config.labels
        self._session = session
        self._encoder = encoder
        self._judge = Judge(config)

    @classmethod
    def load(
        cls, folder: Path, *, threads: int = 1, encoder: SentenceEncoder | None = None
    ) -> AccurateClassifier:
        """folder: the bundle's ``classifier/accurate``. ``encoder``: used where the folder holds none of its
        own.

        Raises BundleError where something is missing, or the encoder is not the one it was trained with.
        """
        config = ClassifierConfig.load(folder)
        own = folder / ENCODER_FOLDER
        if own.is_dir():
            encoder = SentenceEncoder.load(own, threads=threads)
        session = open_session(folder / GRAPH_FILE, threads=threads)
        return cls(config, session, _trained_with(encoder, config.encoder))

    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification:
        """As the fast tier's; a language that the encoder was not trained for is out of scope."""
        if not has_letters(text):
            return NOTHING
        return self._decided(text, self._logits(text, history), lang)

    def _decided(self, text: str, logits: NDArray[np.float32], lang: str | None) -> Classification:
        decided = self._judge.decide(text, logits, 1.0, lang)
        if detect_language(text) not in (self._encoder.languages or (detect_language(text),)):
            return replace(decided, in_scope=min(decided.in_scope, 0.02))
        return decided

    def classify_batch(
        self,
        texts: Sequence[str],
        *,
        histories: Sequence[Sequence[Message]] | None = None,
        lang: str | None = None,
    ) -> list[Classification]:
        """Several beside each other: a session's own threads gain nothing on a short text."""
        before = histories or [()] * len(texts)
        workers = min(_WORKERS, os.cpu_count() or 1, len(texts) // 2)
        if workers < 2:
            return [self.classify(t, history=h, lang=lang) for t, h in zip(texts, before, strict=True)]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(lambda t, h: self.classify(t, history=h, lang=lang), texts, before))

    def classify_without(
        self,
        text: str,
        without: Sequence[str],
        *,
        history: Sequence[Message] = (),
        lang: str | None = None,
    ) -> tuple[Classification, list[Classification]]:
        """One run of the encoder for all on one thread, two for halves of them on two: half the time of one by one."""
        whole = self.classify(text, history=history, lang=lang)
        return whole, self.classify_alike(without, history=history, lang=lang)

    def classify_alike(
        self, texts: Sequence[str], *, history: Sequence[Message] = (), lang: str | None = None
    ) -> list[Classification]:
        """Texts that differ in a word from each other (`SentenceEncoder.encode_alike`), behind one ``history``."""
        workers = max(1, min(2, os.cpu_count() or 1, len(texts) // 2))
        parts = [texts[start::workers] for start in range(workers)]
        found: list[Classification] = [NOTHING] * len(texts)

        def judged(part: Sequence[str]) -> list[Classification]:
            rows = self._logits_alike(part, history) if part else ()
            return [
                self._decided(text, logits, lang) if has_letters(text) else NOTHING
                for text, logits in zip(part, rows, strict=True)
            ]

        with ThreadPoolExecutor(workers) as pool:
            for start, decided in enumerate(pool.map(judged, parts)):
                found[start::workers] = decided
        return found

    def raw(self, texts: Sequence[str], *, histories: Sequence[Sequence[Message]] | None = None) -> RawScores:
        """Uncalibrated scores; ``features`` are the encoder's vectors."""
        logits = np.zeros((len(texts), len(self.labels) + 1), np.float32)
        for i, text in enumerate(texts):
            if has_letters(text):
                logits[i] = self._logits(text, histories[i] if histories else ())
        known = np.asarray([1.0 if has_letters(text) else -1.0 for text in texts])
        return RawScores(logits, np.zeros((len(texts), 0), np.float32), known)

    def study(self, text: str, history: Sequence[Message]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits [k + 1] and the encoder's unit vector [d] of a text: what a student learns from."""
        read = encoder_text(text, history, context=bool(self.config.context_tokens))
        ((states, vector),) = self._encoder.encode_tokens([read])
        logits = self._decode(states[None], vector[None], np.asarray([len(states)], np.int32))[0]
        return logits, vector[: states.shape[1]]

    def _logits(self, text: str, history: Sequence[Message]) -> NDArray[np.float32]:
        return self.study(text, history)[0]

    def _logits_alike(self, texts: Sequence[str], history: Sequence[Message]) -> NDArray[np.float32]:
        """[n, k + 1] for texts that resemble each other, nearly as `_logits` has them one by one."""
        read = [encoder_text(text, history, context=bool(self.config.context_tokens)) for text in texts]
        states, vectors, lengths = self._encoder.encode_alike(read)
        return self._decode(states, vectors, lengths)

    def _decode(
        self, states: NDArray[np.float32], vectors: NDArray[np.float32], lengths: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Token states [n, t, width], vectors [n, d] and lengths [n] → logits [n, k + 1]."""
        padding = np.arange(states.shape[1]) >= lengths[:, None]
        feeds = {"x": states, "lengths": lengths, "mask": padding * np.float32(-1e9), "vector": vectors}
        logits: NDArray[np.float32] = self._session.run(["logits"], feeds)[0]
        return logits


class CascadeClassifier:
    """The fast tier answers where it is sure, both together elsewhere: they read different things and err
    apart (a logarithmic opinion pool; Genest & Zidek 1986, section 3.3).
    """

    def __init__(self, fast: IntentClassifier, accurate: AccurateClassifier) -> None:
        self.fast, self.accurate = fast, accurate
        self.labels = fast.labels
        self.sure = accurate.config.sure
        self.blend = accurate.config.blend

    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification:
        first = self.fast.classify(text, history=history, lang=lang)
        if not self._asks_both(text, first):
            return first
        second = self.accurate.classify(text, history=history, lang=lang)
        return joined(first, second, self.blend)

    def classify_batch(
        self,
        texts: Sequence[str],
        *,
        histories: Sequence[Sequence[Message]] | None = None,
        lang: str | None = None,
    ) -> list[Classification]:
        return [
            self.classify(text, history=histories[i] if histories else (), lang=lang)
            for i, text in enumerate(texts)
        ]

    def classify_without(
        self,
        text: str,
        without: Sequence[str],
        *,
        history: Sequence[Message] = (),
        lang: str | None = None,
    ) -> tuple[Classification, list[Classification]]:
        """By the tier that decides; where both do, the fast one tells which words are worth asking the slow one about,
        and of the others it is taken to say what it says of the whole.
        """
        first, fast = self.fast.classify_without(text, without, history=history, lang=lang)
        if not self._asks_both(text, first):
            return first, fast
        own = self.accurate.classify(text, history=history, lang=lang)
        whole = joined(first, own, self.blend)
        name = whole.ranked[0].name
        order = sorted(range(len(fast)), key=lambda i: fast[i].probability_of(name))
        asked = order[:_ASKED_WITHOUT]
        found = self.accurate.classify_alike([without[i] for i in asked], history=history, lang=lang)
        accurate = dict(zip(asked, found, strict=True))
        return whole, [joined(one, accurate.get(i, own), self.blend) for i, one in enumerate(fast)]

    def _asks_both(self, text: str, first: Classification) -> bool:
        top = first.top
        if top is None or top.confidence * first.in_scope >= self.sure:
            return False
        return detect_language(text) in self.accurate.config.languages


def joined(fast: Classification, accurate: Classification, blend: Blend) -> Classification:
    """What both tiers say together; an intent that only one of them ranks has _UNRANKED from the other."""
    if blend.share >= 1.0 and blend.sharpness == 1.0:
        return accurate
    by_fast = {guess.name: guess.confidence for guess in fast.ranked}
    by_accurate = {guess.name: guess.confidence for guess in accurate.ranked}
    names = sorted(by_fast.keys() | by_accurate.keys())
    if not names:
        return accurate

    def pooled(name: str) -> float:
        own = math.log(max(by_accurate.get(name, 0.0), _UNRANKED))
        other = math.log(max(by_fast.get(name, 0.0), _UNRANKED))
        return math.exp(blend.sharpness * (blend.share * own + (1 - blend.share) * other))

    weights = {name: pooled(name) for name in names}
    total = sum(weights.values())
    ranked = sorted(names, key=lambda name: -weights[name])[:RANKED]
    odds = blend.share * _logit(accurate.in_scope) + (1 - blend.share) * _logit(fast.in_scope)
    return Classification(
        ranked=tuple(IntentGuess(name, weights[name] / total) for name in ranked),
        in_scope=1 / (1 + math.exp(-odds)),
        tier=accurate.tier,
    )


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(bounded / (1 - bounded))


def encoder_wanted(folder: Path) -> str:
    """Fingerprint of the sentence encoder that a bundle's ``classifier`` folder reads; empty where it needs none."""
    accurate = folder / ACCURATE_FOLDER
    if not accurate.is_dir():
        return ""
    return ClassifierConfig.load(accurate).encoder


def load_classifier(
    folder: Path, *, tier: Tier = "auto", threads: int = 1, encoder: SentenceEncoder | None = None
) -> IntentClassifier | AccurateClassifier | CascadeClassifier:
    """A bundle's ``classifier`` folder as ``tier``; ``auto`` is the fast tier alone where there is no other.

    Raises BundleError where the asked tier is not there.
    """
    accurate = folder / ACCURATE_FOLDER
    if tier == "fast" or (tier == "auto" and not accurate.is_dir()):
        return IntentClassifier.load(folder, threads=threads)
    states = AccurateClassifier.load(accurate, threads=threads, encoder=encoder)
    if tier == "accurate":
        return states
    return CascadeClassifier(IntentClassifier.load(folder, threads=threads), states)
