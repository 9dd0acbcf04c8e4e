"""Scores → probabilities that mean what they say, and the figures that show it.

Temperature scaling (Guo et al. 2017, section 4.2) for "which intent", and behind it Platt scaling of the best one's
log-odds (Platt 1999, section 2.2): one temperature leaves the sure too sure and the unsure too unsure. A logistic
regression on four quantities of the same scores (and how much of the text is known words) for "any intent at all". All
are fitted on validation texts in the form that serves, per language where a language has enough of them, else on all
languages together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from chatbot.inference.classifier_config import Calibration
from chatbot.inference.scoring import RawScores, scope_features, score

Floats = NDArray[np.floating]

OUTSIDE_PRIOR = 0.1  # share of messages that ask for no known intent; what a support desk sees
# Noise of characters that a language has, and the name of something that nobody has asked about yet, look alike to the
# network: where no word is known less is believed than the fit finds, which weighs a few such names against the noise.
NOTHING_KNOWN = 1.0
ENOUGH = 80  # validation texts of a language for a calibration of its own


def fit_temperature(logits: Floats, targets: NDArray[np.integer], *, strength: float = 4.0) -> float:
    """The T that minimises the negative log-likelihood of ``softmax(logits / T)``; logits [n, k], targets
    [n].

    ``strength`` pulls log T towards 0 as that many texts would: ten validation texts do not make T = 0.05.
    """
    if not len(targets):
        return 1.0
    candidates = np.exp(np.linspace(np.log(0.2), np.log(5.0), 161))
    rows = np.arange(len(targets))
    losses = []
    for t in candidates:
        scaled = logits / t
        top = scaled.max(axis=1)
        nll = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top - scaled[rows, targets]
        losses.append(nll.sum() + strength * np.log(t) ** 2)
    return float(candidates[int(np.argmin(losses))])


def fit_top(
    logits: Floats, targets: NDArray[np.integer], temperature: float, *, strength: float = 4.0
) -> tuple[float, float]:
    """Slope and offset of the log-odds with which the best intent is right, over those that the softmax gives it;
    logits [n, k], targets [n]. ``strength`` pulls them towards 1 and 0 as that many texts would."""
    if not len(targets):
        return 1.0, 0.0
    scaled = logits / temperature
    against = np.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1) - 1  # odds of all the others
    x = -np.log(np.clip(against, 1e-6, 1e6))
    right = (logits.argmax(axis=1) == targets).astype(np.float64)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = w[0] * x + w[1]
        missed = np.logaddexp(0.0, z) - right * z
        error = 1 / (1 + np.exp(-z)) - right
        away = w - as_it_is
        gradient = np.array([error @ x, error.sum()]) + 2 * strength * away
        return float(missed.sum() + strength * away @ away), gradient

    as_it_is = np.array([1.0, 0.0])
    found = minimize(loss, as_it_is, jac=True, method="L-BFGS-B", bounds=[(0.2, 3.0), (-3.0, 3.0)])
    return float(found.x[0]), float(found.x[1])


def confidences(logits: Floats, calibrations: Sequence[Calibration]) -> NDArray[np.float64]:
    """Probability of the best intent [n] as it is served, given that a text is in scope; logits [n, k + 1], one
    calibration for each."""
    return np.array(
        [score(row, 1.0, own).best[0][1] for row, own in zip(logits, calibrations, strict=True)], np.float64
    )


def fit_logistic(
    inside: Floats, outside: Floats, *, prior: float = OUTSIDE_PRIOR, ridge: float = 1e-3
) -> tuple[NDArray[np.float64], float]:
    """Weights [f] and bias of P(inside), from feature rows [n, f] and [m, f], as if a share ``prior`` were
    outside.

    Iteratively reweighted least squares on standardised features; the result applies to raw ones.
    """
    x = np.concatenate([inside, outside]).astype(np.float64)
    y = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])
    weight = np.concatenate(
        [np.full(len(inside), (1 - prior) / len(inside)), np.full(len(outside), prior / len(outside))]
    )
    weight *= len(y) / weight.sum()
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    design = np.concatenate([(x - mean) / scale, np.ones((len(x), 1))], axis=1)
    penalty = np.eye(design.shape[1]) * ridge * len(y)
    penalty[-1, -1] = 1e-9
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (weight * (y - p)) - penalty @ beta
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + penalty + 1e-9 * np.eye(len(beta))
        step = np.linalg.solve(hessian, gradient)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    weights = beta[:-1] / scale
    return weights, float(beta[-1] - weights @ mean)


def calibrate(
    logits: Floats,
    targets: NDArray[np.integer],
    known: Floats,
    outside_logits: Floats,
    outside_known: Floats,
) -> Calibration:
    """A calibration from in-scope validation texts (logits [n, k + 1], targets [n], share of known tokens
    [n]) and outliers (logits [m, k + 1], known [m])."""
    temperature = fit_temperature(logits[:, :-1], targets)
    slope, offset = fit_top(logits[:, :-1], targets, temperature)
    inside, outside = scope_features(logits, known), scope_features(outside_logits, outside_known)
    if len(inside) and len(outside):
        weights, bias = fit_logistic(inside, outside)
        log_odds = inside @ weights + bias - NOTHING_KNOWN * (known <= 0)
        scores = 1 / (1 + np.exp(-np.clip(log_odds, -30, 30)))
        reject_below = float(np.quantile(scores, 0.05))
    else:  # nothing to fit on: trust the "outside" class as trained
        weights, bias, reject_below = np.asarray([-1.0, 0.0, 0.0, 0.0]), 0.0, 0.5
    return Calibration(
        temperature=temperature,
        scope_weights=tuple(float(w) for w in weights),
        scope_bias=bias,
        reject_below=reject_below,
        n=len(targets),
        nothing_known=NOTHING_KNOWN,
        top_slope=slope,
        top_offset=offset,
    )


def scope_probabilities(raw: RawScores, calibration: Calibration) -> NDArray[np.float64]:
    """In-scope probability of each text [n]; 0 where there was nothing to read."""
    features = scope_features(raw.logits, raw.known)
    z = features @ np.asarray(calibration.scope_weights) + calibration.scope_bias
    z -= calibration.nothing_known * (raw.known <= 0)
    probability: NDArray[np.float64] = np.where(raw.known >= 0, 1 / (1 + np.exp(-np.clip(z, -30, 30))), 0.0)
    return probability


def calibration_error(
    confidences: Sequence[float] | Floats, correct: Sequence[bool] | NDArray[np.bool_], *, bins: int = 15
) -> float:
    """Expected calibration error 0..1 over equally wide bins (Guo et al. 2017, equation 3)."""
    confidence, right = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    if not len(confidence):
        return 0.0
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in np.unique(which):
        here = which == b
        error += here.mean() * abs(confidence[here].mean() - right[here].mean())
    return float(error)


def auroc(inside: Sequence[float] | Floats, outside: Sequence[float] | Floats) -> float:
    """Probability 0..1 that an inside text scores higher than an outside one (ties count half)."""
    a, b = np.asarray(inside, dtype=float), np.sort(np.asarray(outside, dtype=float))
    if not len(a) or not len(b):
        return float("nan")
    below, up_to = np.searchsorted(b, a, "left"), np.searchsorted(b, a, "right")
    return float(((below + up_to) / 2).mean() / len(b))
