"""The served form is held against the trained one by what is served: the top intent and its calibrated confidence."""

from __future__ import annotations

import numpy as np
import pytest

from chatbot.inference.classifier_config import Calibration
from chatbot.learning.parity import differences, parity

TRAINED = np.asarray([[4.0, 0.0, 9.0], [0.0, 1.0, 9.0]], np.float32)
AS_IT_IS = [Calibration()] * 2


def test_parity_counts_changed_decisions() -> None:
    same = parity(TRAINED, TRAINED, AS_IT_IS)
    assert (same.same_top, same.largest_confidence_gap, same.holds) == (1.0, 0.0, True)
    swapped = parity(TRAINED, np.asarray([[0.0, 4.0, 9.0], [0.0, 1.0, 9.0]], np.float32), AS_IT_IS)
    assert (swapped.same_top, swapped.holds) == (0.5, False)


def test_the_gap_is_that_of_the_confidence_as_it_is_served() -> None:
    """What is near before a sharp calibration is not near behind it."""
    flat = np.asarray([[0.2, 0.0, 9.0], [0.0, 0.2, 9.0]], np.float32)
    near = flat + np.asarray([0.04, 0.0, 0.0], np.float32)
    assert parity(flat, near, AS_IT_IS).holds
    assert not parity(flat, near, [Calibration(temperature=0.25)] * 2).holds


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ({}, 0),  # an older release
        ({"classifier": {"n": 9, "same_top": "?"}, "generator": {"n": 24}}, 0),
        ({"classifier": {"n": 2000, "same_top": 0.995, "largest_confidence_gap": 0.02}}, 0),
        ({"classifier": {"n": 2000, "same_top": 0.994, "largest_confidence_gap": 0.0}}, 1),
        ({"accurate": {"n": 2000, "same_top": 1.0, "largest_confidence_gap": 0.021}}, 1),
        ({"accurate": {"n": 2000, "same_top": float("nan"), "largest_confidence_gap": 0.0}}, 1),
    ],
)
def test_a_miss_is_told_in_words(kept: dict, told: int) -> None:
    assert len(differences(kept)) == told
