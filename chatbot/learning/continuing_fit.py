"""Learning what asks on after an answer from the snapshot's conversations (chatbot/dialogue/continuing.py)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from chatbot.dialogue.continuing import SIZE, Continuing, places, units
from chatbot.learning.follow_up_data import follow_ups, outside
from chatbot.learning.snapshot import Snapshot

log = logging.getLogger(__name__)

LEAST = 100  # different messages that ask on; fewer teach single words
MOST_ALONE = 3_000  # questions that stand alone
_STRENGTH = 3.0  # inverse of the ridge


def fit_continuing(snapshot: Snapshot, *, without: Collection[str] = (), split: str = "train") -> Continuing:
    """Messages that ask on against those that move to something else, open a conversation, or are out of scope.

    A short follow-up comes a hundred times, and counts once. ``without``: texts that nothing is learned from, because
    what the model is worth is fitted on them.
    """
    left_out = {tuple(units(text)) for text in without}
    random = Random(snapshot.manifest.seed)
    beyond = outside(snapshot, split)
    languages = {}
    for lang in snapshot.manifest.languages:
        following = list(follow_ups(snapshot, split, lang))
        asks_on = _different((one.text for one in following if one.asks_on), left_out)
        if len(asks_on) < LEAST:
            continue
        alone = [row["query"] for row in snapshot.pairs if row["split"] == split and row["lang"] == lang]
        new = [one.text for one in following if not one.asks_on]
        new += random.sample(alone, min(len(alone), MOST_ALONE))
        new = _different([*new, *(text for text, spoken in beyond if spoken == lang)], left_out)
        if not new:
            continue
        languages[lang] = _fit(asks_on, new)
        log.info("%s: %d messages that ask on, %d that do not", lang, len(asks_on), len(new))
    return Continuing(languages)


def _different(texts: Iterable[str], left_out: Collection[tuple[str, ...]]) -> list[str]:
    by_units = {tuple(units(text)): text for text in texts}
    return [text for key, text in by_units.items() if key not in left_out]


def _fit(asks_on: list[str], new: list[str]) -> NDArray[np.float32]:
    found = [places(text) for text in [*asks_on, *new]]
    lengths = [len(one) for one in found]
    rows = csr_matrix(
        (
            np.repeat([1 / max(length, 1) ** 0.5 for length in lengths], lengths),
            np.concatenate(found),
            np.concatenate([[0], np.cumsum(lengths)]),
        ),
        shape=(len(found), SIZE),
    )
    fitted = LogisticRegression(C=_STRENGTH, max_iter=500).fit(rows, [1] * len(asks_on) + [0] * len(new))
    return np.append(fitted.coef_[0], fitted.intercept_[0]).astype(np.float32)
