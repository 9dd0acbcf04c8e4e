from __future__ import annotations

import numpy as np
import pytest

from chatbot.inference.classifier_config import Calibration
from chatbot.inference.scoring import RawScores, scope_features, score
from chatbot.learning.calibration import (
    auroc,
    calibrate,
    calibration_error,
    confidences,
    fit_logistic,
    fit_temperature,
    fit_top,
    scope_probabilities,
)


def overconfident(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Logits three times too large for how often they are right."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(n, 5)) * 1.5
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = np.asarray([random.choice(5, p=p) for p in chances])
    return logits * 3, targets


def test_the_temperature_undoes_overconfidence():
    logits, targets = overconfident()
    assert fit_temperature(logits, targets) == pytest.approx(3.0, rel=0.1)


def test_the_best_intents_odds_are_those_with_which_it_is_right():
    random = np.random.default_rng(2)
    logits = random.normal(size=(4000, 6)) * 2
    mixed = np.where(random.uniform(size=4000) < 0.1, random.integers(6, size=4000), logits.argmax(axis=1))
    temperature = fit_temperature(logits, mixed)
    slope, offset = fit_top(logits, mixed, temperature)
    right = logits.argmax(axis=1) == mixed
    served = np.hstack([logits, np.zeros((4000, 1))]).astype(np.float32)
    plain = confidences(served, [Calibration(temperature=temperature)] * 4000)
    fitted = Calibration(temperature=temperature, top_slope=slope, top_offset=offset)
    assert calibration_error(confidences(served, [fitted] * 4000), right) < 0.5 * calibration_error(
        plain, right
    )
    assert fit_top(np.zeros((0, 4)), np.zeros(0, int), 1.0) == (1.0, 0.0)


def test_the_best_intent_stays_the_best_whatever_its_odds_become():
    logits = np.asarray([2.0, 1.9, -1.0, -50.0, -9.0], np.float32)
    timid = Calibration(top_slope=1.0, top_offset=-3.0)
    scored = score(logits, 1.0, timid)
    assert [number for number, _ in scored.best] == [0, 1, 2, 3]
    assert scored.best[0][1] == pytest.approx(scored.best[1][1])
    assert sum(probability for _, probability in scored.best) == pytest.approx(1)
    assert confidences(logits[None], [timid]) == pytest.approx([scored.best[0][1]])
    sure = score(np.asarray([900.0, 0.0, 0.0], np.float32), 1.0, timid)
    assert [probability for _, probability in sure.best] == [1.0, 0.0]


def test_few_texts_hardly_move_the_temperature():
    assert 0.5 < fit_temperature(np.eye(4) * 3, np.arange(4)) < 1.5
    assert fit_temperature(np.zeros((0, 4)), np.zeros(0, int)) == 1.0


def test_calibration_lowers_the_calibration_error():
    logits, targets = overconfident()

    def error(temperature: float) -> float:
        p = np.exp(logits / temperature)
        p /= p.sum(axis=1, keepdims=True)
        return calibration_error(p.max(axis=1), p.argmax(axis=1) == targets)

    assert error(1.0) > 0.15
    assert error(fit_temperature(logits, targets)) < 0.03


def test_the_logistic_separates_and_respects_the_prior():
    random = np.random.default_rng(0)
    inside, outside = random.normal(2, 1, (500, 2)), random.normal(-2, 1, (300, 2))
    weights, bias = fit_logistic(inside, outside, prior=0.1)
    p_in, p_out = (1 / (1 + np.exp(-(x @ weights + bias))) for x in (inside, outside))
    assert p_in.mean() > 0.97
    assert p_out.mean() < 0.15
    mixed = 0.9 * p_in.mean() + 0.1 * p_out.mean()
    assert mixed == pytest.approx(0.9, abs=0.02)


def test_serving_scores_one_text_as_calibration_saw_it():
    random = np.random.default_rng(1)
    logits = random.normal(size=(200, 6)).astype(np.float32) * 3
    known = random.uniform(size=200)
    known[::10] = 0.0
    calibration = calibrate(logits[:150], logits[:150, :5].argmax(1), known[:150], logits[150:], known[150:])
    z = scope_features(logits, known) @ np.asarray(calibration.scope_weights) + calibration.scope_bias
    z -= (known == 0) * calibration.nothing_known
    raw = RawScores(logits, np.zeros((200, 0), np.float32), known)
    assert scope_probabilities(raw, calibration) == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-6)
    for row in (0, 71, 165):
        scored = score(logits[row], float(known[row]), calibration)
        assert scored.in_scope == pytest.approx(1 / (1 + np.exp(-z[row])), abs=1e-6)
        assert sum(probability for _, probability in scored.best) == pytest.approx(1)
        assert [number for number, _ in scored.best] == np.argsort(-logits[row, :5]).tolist()
    below = (1 / (1 + np.exp(-z[:150])) < calibration.reject_below).mean()
    assert below == pytest.approx(0.05, abs=0.02)


def test_auroc_counts_ties_as_half():
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.5], [0.5]) == 0.5
    assert auroc([0.1], [0.9, 0.0]) == 0.5


def test_calibration_error_of_perfect_and_of_boastful_confidence():
    assert calibration_error([1.0, 1.0], [True, True]) == 0
    assert calibration_error([0.9] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.4)
