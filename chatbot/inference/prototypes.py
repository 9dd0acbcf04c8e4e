"""Intents known from a handful of examples: how near a message is to them, as a calibrated probability.

A provisional intent has no class in any network. Its examples' sentence vectors stand for it (Snell et al. 2017,
"Prototypical networks for few-shot learning", section 2.2); what counts as near is fitted on the examples
themselves, each left out once, against messages that ask for something else (Platt 1999, section 2.2, whose
smoothed targets keep five examples from claiming certainty).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference.scoring import RANKED

Vectors = NDArray[np.float32]

LEAST_EXAMPLES = 5
PRIOR = 0.2  # share of messages that a new intent is fitted as having; few examples say little about it
_CHANCE = 0.02  # a probability below this is not worth a place among the guesses


@dataclass(frozen=True)
class Prototype:
    """One intent: its examples' unit vectors [n, d] with their ``texts``, and the logistic over ``nearness``."""

    intent: str
    examples: Vectors
    slope: float
    offset: float
    texts: tuple[str, ...] = ()

    @classmethod
    def fit(cls, intent: str, examples: Vectors, others: Vectors, *, texts: Sequence[str] = ()) -> Prototype:
        """examples [n ≥ 2, d]: the intent's; others [m, d]: of messages that ask for something else."""
        n = len(examples)
        own = np.asarray([nearness(examples[i], np.delete(examples, i, axis=0)) for i in range(n)])
        far = np.asarray([nearness(vector, examples) for vector in others])
        if not len(far):
            far = np.asarray([0.0])
        slope, offset = _platt(own, far)
        return cls(intent, examples, slope, offset, tuple(texts))

    def probability(self, vector: Vectors) -> float:
        """That a message with this unit vector [d] asks for the intent, 0..1."""
        z = self.slope * nearness(vector, self.examples) + self.offset
        return 1 / (1 + math.exp(-min(30.0, max(-30.0, z))))


def nearness(vector: Vectors, examples: Vectors) -> float:
    """Mean of the cosine to the nearest example and the cosine to their centre, -1..1."""
    centre = examples.mean(axis=0)
    length = float(np.linalg.norm(centre)) or 1.0
    return float(((examples @ vector).max() + centre @ vector / length) / 2)


class Prototypes:
    """The provisional intents of one language. Nothing in it changes."""

    def __init__(self, prototypes: Sequence[Prototype]) -> None:
        self._prototypes = tuple(prototypes)

    def __len__(self) -> int:
        return len(self._prototypes)

    def __getitem__(self, intent: str) -> Prototype:
        """Raises KeyError."""
        for prototype in self._prototypes:
            if prototype.intent == intent:
                return prototype
        raise KeyError(intent)

    def with_one(self, prototype: Prototype) -> Prototypes:
        """These with ``prototype``, in the place of one of the same intent."""
        return Prototypes([*(p for p in self._prototypes if p.intent != prototype.intent), prototype])

    def match(self, vector: Vectors) -> list[IntentGuess]:
        """The intents that the message may ask for, most probable first. They exclude each other, so their
        probabilities never add up to more than one.
        """
        near = [guess for guess in self._all(vector) if guess.confidence >= _CHANCE]
        return sorted(near, key=lambda guess: -guess.confidence)

    def chance(self, intent: str, vector: Vectors) -> float:
        """The probability of one of them beside the others, 0..1; 0 of one that is not there."""
        return sum(guess.confidence for guess in self._all(vector) if guess.name == intent)

    def _all(self, vector: Vectors) -> list[IntentGuess]:
        found = [(p.intent, p.probability(vector)) for p in self._prototypes]
        total = max(1.0, sum(chance for _, chance in found))
        return [IntentGuess(intent, chance / total) for intent, chance in found]


def beside(classification: Classification, near: Sequence[IntentGuess]) -> Classification:
    """The classifier's guesses with the provisional intents among them.

    What the provisional intents claim (``near``: probabilities of being right) is taken from the others and from
    "out of scope" alike.
    """
    if not near:
        return classification
    claimed = min(1.0, sum(guess.confidence for guess in near))
    in_scope = claimed + (1 - claimed) * classification.in_scope
    if in_scope <= 0:
        return classification
    share = (1 - claimed) * classification.in_scope / in_scope
    ranked = [IntentGuess(g.name, g.confidence * share, g.title) for g in classification.ranked]
    ranked += [IntentGuess(g.name, g.confidence / in_scope, g.title) for g in near]
    ranked.sort(key=lambda guess: -guess.confidence)
    return Classification(tuple(ranked[:RANKED]), in_scope, classification.tier)


def apart(classification: Classification, names: Collection[str]) -> tuple[list[IntentGuess], Classification]:
    """What ``beside`` put together: the provisional intents (``names``) with their probabilities of being right,
    and what the classifier alone had said.
    """
    near = [
        IntentGuess(g.name, g.confidence * classification.in_scope, g.title)
        for g in classification.ranked
        if g.name in names
    ]
    left = 1 - sum(guess.confidence for guess in near)
    if not near or left <= 1e-9:
        return near, Classification((), 0.0, classification.tier) if near else classification
    in_scope = max(0.0, classification.in_scope - (1 - left)) / left
    share = classification.in_scope / (left * in_scope) if in_scope > 0 else 0.0
    rest = tuple(
        IntentGuess(g.name, g.confidence * share, g.title)
        for g in classification.ranked
        if g.name not in names
    )
    return near, Classification(rest, in_scope, classification.tier)


def _platt(own: NDArray[np.float64], far: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset of P(own | nearness); Newton's method on the two, as if a share PRIOR were own."""
    x = np.concatenate([own, far])
    y = np.concatenate(
        [np.full(len(own), (len(own) + 1) / (len(own) + 2)), np.full(len(far), 1 / (len(far) + 2))]
    )
    weight = np.concatenate([np.full(len(own), PRIOR / len(own)), np.full(len(far), (1 - PRIOR) / len(far))])
    mean, scale = float(x.mean()), float(x.std()) + 1e-6
    design = np.stack([(x - mean) / scale, np.ones(len(x))], axis=1)
    ridge = np.diag([1e-4, 1e-9])
    beta = np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (weight * (y - p)) - ridge @ beta
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 2.0 / (float(np.abs(step).max()) + 1e-12))
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    slope = max(0.0, float(beta[0])) / scale
    return slope, float(beta[1]) - slope * mean
