from __future__ import annotations

import numpy as np
import pytest

from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference.prototypes import Prototype, Prototypes, apart, beside


def around(centre: np.ndarray, n: int, *, seed: int, spread: float = 0.6) -> np.ndarray:
    """n unit vectors about ``centre``."""
    noise = np.random.default_rng(seed).normal(size=(n, len(centre)))
    vectors = centre / np.linalg.norm(centre) + spread * noise / np.sqrt(len(centre))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


GIFT, BILL = np.eye(64)[0], np.eye(64)[1]
OTHERS = np.concatenate([around(np.eye(64)[i], 20, seed=i) for i in range(2, 12)])


def test_five_examples_recognise_others_of_their_kind_and_leave_the_rest_alone():
    prototype = Prototype.fit("gift_card", around(GIFT, 5, seed=50), OTHERS)
    more = [prototype.probability(v) for v in around(GIFT, 100, seed=51)]
    rest = [prototype.probability(v) for v in around(BILL, 100, seed=52)]
    assert np.mean(np.asarray(more) > 0.6) > 0.9
    assert np.mean(np.asarray(rest) > 0.3) < 0.03
    assert max(more) < 0.97  # five examples are no certainty


def test_examples_that_have_nothing_in_common_claim_next_to_nothing():
    scattered = np.concatenate([around(np.eye(64)[i], 1, seed=i) for i in range(20, 25)])
    prototype = Prototype.fit("anything", scattered, OTHERS)
    assert np.mean([prototype.probability(v) for v in around(BILL, 50, seed=3)]) < 0.45


def test_two_provisional_intents_share_what_is_certain():
    twins = [Prototype.fit(name, around(GIFT, 5, seed=s), OTHERS) for name, s in (("a", 1), ("b", 2))]
    found = Prototypes(twins).match(around(GIFT, 1, seed=9)[0])
    assert {guess.name for guess in found} == {"a", "b"}
    assert sum(guess.confidence for guess in found) <= 1 + 1e-9


def test_what_a_provisional_intent_claims_is_taken_from_the_others():
    before = Classification((IntentGuess("refund", 0.9), IntentGuess("cancel", 0.1)), 0.5)
    after = beside(before, [IntentGuess("gift_card", 0.8)])
    assert after.top is not None and after.top.name == "gift_card"
    right = {g.name: g.confidence * after.in_scope for g in after.ranked}
    assert right["gift_card"] == pytest.approx(0.8)
    assert right["refund"] == pytest.approx(0.2 * 0.9 * 0.5)
    assert after.in_scope == pytest.approx(0.8 + 0.2 * 0.5)
    assert beside(before, []) is before


def test_what_was_put_together_comes_apart_again():
    before = Classification((IntentGuess("refund", 0.9), IntentGuess("cancel", 0.1)), 0.5)
    near, rest = apart(beside(before, [IntentGuess("gift_card", 0.8)]), {"gift_card"})
    assert [g.name for g in near] == ["gift_card"]
    assert near[0].confidence == pytest.approx(0.8)
    assert rest.in_scope == pytest.approx(0.5)
    assert [(g.name, g.confidence) for g in rest.ranked] == [
        ("refund", pytest.approx(0.9)),
        ("cancel", pytest.approx(0.1)),
    ]
    assert apart(before, {"gift_card"}) == ([], before)
