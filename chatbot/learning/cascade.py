"""When the fast tier's answer stands, and how far both are believed where the accurate one is asked too.

Chosen on the validation messages, in the form that serves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.dialogue.trace import Classification
from chatbot.inference.classifier_config import ACCURATE_FOLDER, Blend
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.classify_states import AccurateClassifier, joined
from chatbot.inference.encode import SentenceEncoder
from chatbot.learning.classifier_data import coherent, read_examples, split_examples

_ENOUGH_TO_BLEND = 100  # validation messages
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
_SHARPNESS = (0.8, 1.0, 1.2, 1.4, 1.7)


def fit_cascade(
    out_dir: Path, examples: Iterable[Mapping[str, Any]], *, encoder: SentenceEncoder | None, seed: int = 13
) -> list[dict[str, float]]:
    """Choose from which confidence the fast tier's answer stands, and write it into the accurate tier's
    config.

    → the trade-off on the validation messages: for each threshold the share answered by the fast tier and the
    accuracy of both together. Taken is the lowest threshold that costs at most a tenth of a point of
    accuracy.
    """
    fast = IntentClassifier.load(out_dir)
    accurate = AccurateClassifier.load(out_dir / ACCURATE_FOLDER, encoder=encoder)
    split, _ = coherent(split_examples(read_examples(examples), seed=seed), seed=seed)
    valid = split.valid
    first = [fast.classify(e.text, history=e.context, lang=e.lang) for e in valid]
    second = [accurate.classify(e.text, history=e.context, lang=e.lang) for e in valid]
    sure = np.asarray([c.top.confidence * c.in_scope if c.top else 1.0 for c in first])
    fast_right = np.asarray(
        [c.top is not None and c.top.name == e.intent for c, e in zip(first, valid, strict=True)]
    )
    blend = _best_blend(first, second, [e.intent or "" for e in valid])
    both = [joined(a, b, blend) for a, b in zip(first, second, strict=True)]
    accurate_right = np.asarray(
        [c.top is not None and c.top.name == e.intent for c, e in zip(both, valid, strict=True)]
    )
    curve = []
    for threshold in np.linspace(0.3, 1.0, 29):
        stands = sure >= threshold
        right = np.where(stands, fast_right, accurate_right).mean()
        curve.append({"sure": float(threshold), "fast_share": float(stands.mean()), "accuracy": float(right)})
    wanted = accurate_right.mean() - 0.001
    chosen = next((point for point in curve if point["accuracy"] >= wanted), curve[-1])
    replace(accurate.config, sure=chosen["sure"], blend=blend).save(out_dir / ACCURATE_FOLDER)
    return curve


def _best_blend(
    fast: Sequence[Classification], accurate: Sequence[Classification], intents: Sequence[str]
) -> Blend:
    """The blend under which the validation messages' intents are likeliest; with too few of them, the accurate
    tier alone.
    """
    if len(intents) < _ENOUGH_TO_BLEND:
        return Blend()

    def cost(blend: Blend) -> float:
        total = 0.0
        for one, other, intent in zip(fast, accurate, intents, strict=True):
            given = {guess.name: guess.confidence for guess in joined(one, other, blend).ranked}
            total -= math.log(max(given.get(intent, 0.0), 0.002))
        return total

    choices = [Blend(share, sharp) for share in _SHARES for sharp in _SHARPNESS]
    return min(choices, key=cost)
