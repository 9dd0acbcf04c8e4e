"""From an intent network's logits to calibrated probabilities; numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_SCOPE_FEATURES = 4


@dataclass(frozen=True, slots=True)
class Calibration:
    """One language's: temperature of the intents, logistic weights of "in scope" over ``scope_features``.

    ``reject_below``: the in-scope probability that 5 % of the in-scope validation texts fall below.
    ``n``: validation texts it was fitted on.
    """

    temperature: float = 1.0
    scope_weights: tuple[float, ...] = (-1.0, 0.0, 0.0, 0.0)
    scope_bias: float = 0.0
    reject_below: float = 0.5
    n: int = 0

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Calibration:
        return cls(**{**body, "scope_weights": tuple(body["scope_weights"])})


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
    """One text's probabilities: ``intents`` [k] given that it is in scope, and ``in_scope``."""

    intents: NDArray[np.float64]
    in_scope: float


def score(logits: NDArray[np.float32], known: float, calibration: Calibration) -> Scored:
    """One text's logits [k + 1] → calibrated probabilities. Written for one row: this is the hot path."""
    intents = logits[:-1]
    top = float(intents.max())
    shifted = intents.astype(np.float64) - top
    energy = math.log(float(np.exp(shifted).sum())) + top
    w = calibration.scope_weights
    z = (
        w[0] * (float(logits[-1]) - energy)
        + w[1] * (top - energy)
        + w[2] * energy
        + w[3] * (1 - known)
        + calibration.scope_bias
    )
    powers = np.exp(shifted / calibration.temperature)
    return Scored(powers / powers.sum(), 1 / (1 + math.exp(-min(30.0, max(-30.0, z)))))
