"""The accurate tier and the cascade, as they serve: the sentence encoder's token states under an LSTM, no
torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification, Message
from chatbot.errors import BundleError
from chatbot.inference.classifier_config import (
    ACCURATE_FOLDER,
    ENCODER_FOLDER,
    GRAPH_FILE,
    ClassifierConfig,
)
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.encode import SentenceEncoder
from chatbot.inference.scoring import NOTHING, Judge, RawScores
from chatbot.inference.sessions import open_session
from chatbot.language.normalise import detect_language, has_letters, normalise

Tier = Literal["fast", "accurate", "auto"]
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


def encoder_text(text: str, history: Sequence[Message], *, context: bool) -> str:
    """What the encoder reads: the last two turns before, then the message. Training uses it too."""
    text = normalise(text)
    if not context:
        return text
    before = [normalise(t.text)[:_CONTEXT_CHARACTERS] for t in history if t.role != "action"][-2:]
    return " [SEP] ".join([*before, text])


class AccurateClassifier:
    """Thread-safe: nothing is written after loading."""

    def __init__(
        self, config: ClassifierConfig, session: onnxruntime.InferenceSession, encoder: SentenceEncoder
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
        if encoder is None or (config.encoder and encoder.fingerprint != config.encoder):
            raise BundleError(
                "the accurate classifier was trained with another sentence encoder",
                field="encoder",
                value=encoder.fingerprint if encoder else "none",
                remedy="retrain, or serve the fast tier",
            )
        return cls(config, open_session(folder / GRAPH_FILE, threads=threads), encoder)

    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification:
        """As the fast tier's; a language that the encoder was not trained for is out of scope."""
        if not has_letters(text):
            return NOTHING
        decided = self._judge.decide(text, self._logits(text, history), 1.0, lang)
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
        return [
            self.classify(text, history=histories[i] if histories else (), lang=lang)
            for i, text in enumerate(texts)
        ]

    def raw(self, texts: Sequence[str], *, histories: Sequence[Sequence[Message]] | None = None) -> RawScores:
        """Uncalibrated scores; ``features`` are the encoder's vectors."""
        logits = np.zeros((len(texts), len(self.labels) + 1), np.float32)
        for i, text in enumerate(texts):
            if has_letters(text):
                logits[i] = self._logits(text, histories[i] if histories else ())
        known = np.asarray([1.0 if has_letters(text) else -1.0 for text in texts])
        return RawScores(logits, np.zeros((len(texts), 0), np.float32), known)

    def study(self, text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits [k + 1] and the encoder's unit vector [d] of a text: what a student learns from."""
        ((states, vector),) = self._encoder.encode_tokens([text])
        return self._run(states, vector), vector

    def _logits(self, text: str, history: Sequence[Message]) -> NDArray[np.float32]:
        read = encoder_text(text, history, context=bool(self.config.context_tokens))
        ((states, vector),) = self._encoder.encode_tokens([read])
        return self._run(states, vector)

    def _run(self, states: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
        feeds = {
            "x": states[None],
            "lengths": np.asarray([len(states)], np.int32),
            "mask": np.zeros((1, len(states)), np.float32),
            "vector": vector[None],
        }
        logits: NDArray[np.float32] = self._session.run(["logits"], feeds)[0][0]
        return logits


class CascadeClassifier:
    """The fast tier answers where it is sure, the accurate one elsewhere."""

    def __init__(self, fast: IntentClassifier, accurate: AccurateClassifier) -> None:
        self.fast, self.accurate = fast, accurate
        self.labels = fast.labels
        self.sure = accurate.config.sure

    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification:
        first = self.fast.classify(text, history=history, lang=lang)
        top = first.top
        if top is None or top.confidence * first.in_scope >= self.sure:
            return first
        if detect_language(text) not in self.accurate.config.languages:
            return first
        return self.accurate.classify(text, history=history, lang=lang)

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
