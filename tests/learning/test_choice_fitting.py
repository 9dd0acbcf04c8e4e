"""Weights of the signals, fitted on turns that were made up for it."""

import numpy as np

from chatbot.inference.reply_choice import SIGNALS
from chatbot.learning.choice_fitting import fit_weights


def test_the_weights_follow_the_signal_that_tells_what_agents_said() -> None:
    random = np.random.default_rng(3)
    told, worth = [], []
    for turn in range(60):
        n = 3 + turn % 3  # turns have unequally many candidates
        found = random.normal(size=(n, len(SIGNALS))).astype(np.float32)
        told.append(found)
        worth.append(1 / (1 + np.exp(-3 * found[:, SIGNALS.index("rank")])))
    weights = fit_weights(told, worth)
    assert SIGNALS[int(np.abs(weights).argmax())] == "rank"
    assert weights[SIGNALS.index("rank")] > 0.5
    chosen = np.mean(
        [values[int((each @ weights).argmax())] for each, values in zip(told, worth, strict=True)]
    )
    best = np.mean([values.max() for values in worth])
    assert chosen > 0.95 * best
