"""From an intent network's logits to a calibrated decision; numpy only, the same for both tiers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference.classifier_config import ALL, Calibration, ClassifierConfig
from chatbot.language.normalise import detect_language

RANKED = 8
NOTHING = Classification(ranked=(), in_scope=0.0)
_FOREIGN = 0.02  # in-scope probability left to a text in a script that no training text had


@dataclass(frozen=True)
class RawScores:
    """What a network says of n texts, before calibration."""

    logits: NDArray[np.float32]  # [n, k + 1], the last one "outside"
    features: NDArray[np.float32]  # [n, f]
    known: NDArray[np.float64]  # [n], share of the message's tokens that are known words; -1: nothing to read


def scope_features(logits: NDArray[Any], known: NDArray[Any]) -> NDArray[np.float64]:
    """Logits [n, k + 1] (the last one "outside") and shares of known tokens [n] → [n, 4].

    How far "outside" stands above all intents together; the log-probability of the best intent; the energy of
    the intents (Liu et al. 2020, section 3.1); the share of tokens that are no known words.
    """
    intents = logits[:, :-1].astype(np.float64)
    top = intents.max(axis=1)
    energy = np.log(np.exp(intents - top[:, None]).sum(axis=1)) + top
    return np.stack([logits[:, -1] - energy, top - energy, energy, 1 - known], axis=1)


@dataclass(frozen=True, slots=True)
class Scored:
    """One text's best intents with their probabilities, given that it is in scope, and ``in_scope``."""

    best: list[tuple[int, float]]  # number of the intent, probability; RANKED at most, best first
    in_scope: float


def score(logits: NDArray[np.float32], known: float, calibration: Calibration) -> Scored:
    """One text's logits [k + 1] → calibrated probabilities. Written for one row: this is the hot path."""
    # each call of numpy costs more than the arithmetic in it, and its methods more than its ufuncs
    inside = logits[:-1].astype(np.float64)
    best = inside.argsort()[: -RANKED - 1 : -1].tolist()
    top = float(inside[best[0]])
    inside -= top
    powers = np.exp(inside)
    energy = math.log(float(np.add.reduce(powers))) + top
    if calibration.temperature != 1.0:
        powers = np.exp(inside * (1 / calibration.temperature))
    mass = float(np.add.reduce(powers))
    first = float(powers[best[0]]) / mass
    told = top_confidence(first, float(powers[best[1]]) / mass, calibration)
    others = (1 - told) / ((1 - first) * mass) if first < 1 else 0.0
    ranked = [(best[0], told), *((i, float(powers[i]) * others) for i in best[1:])]
    w = calibration.scope_weights
    z = (
        w[0] * (float(logits[-1]) - energy)
        + w[1] * (top - energy)
        + w[2] * energy
        + w[3] * (1 - known)
        + calibration.scope_bias
        - (calibration.nothing_known if known <= 0 else 0.0)
    )
    return Scored(ranked, 1 / (1 + math.exp(-min(30.0, max(-30.0, z)))))


def top_confidence(first: float, second: float, calibration: Calibration) -> float:
    """The probability of the best intent from what the softmax gives it and the next one; it stays the best."""
    if first >= 1:
        return 1.0
    log_odds = math.log(first / (1 - first))
    told = 1 / (1 + math.exp(-min(30.0, calibration.top_slope * log_odds + calibration.top_offset)))
    return max(told, second / (1 - first + second))


class Judge:
    """The decision after the network, with the rules that stand above it."""

    def __init__(self, config: ClassifierConfig) -> None:
        self._config = config
        self._fallback = config.calibration.get(ALL, Calibration())
        languages = set(config.languages)
        self._foreign = {
            "und": "und" not in languages and not languages - {"en", "zh"},
            "zh": "zh" not in languages,
            "en": languages == {"zh"},
        }

    def decide(
        self, text: str, logits: NDArray[np.float32], known: float, lang: str | None
    ) -> Classification:
        """One text's logits → the ranked intents and the in-scope probability."""
        detected = detect_language(text)
        calibrations = self._config.calibration
        key = lang if lang in calibrations else detected
        scored = score(logits, known, calibrations.get(key, self._fallback))
        in_scope = scored.in_scope
        if self._foreign.get(detected, False):
            in_scope = min(in_scope, _FOREIGN)
        if len(text) > self._config.long_characters:
            in_scope *= (self._config.long_characters / len(text)) ** 2
        labels = self._config.labels
        ranked = tuple([IntentGuess(labels[i], probability) for i, probability in scored.best])
        return Classification(ranked=ranked, in_scope=in_scope, tier=self._config.tier)
