"""Which words decided: every word is left out once, and the intent's probability measured without it. So it is for
an intent that no classifier knows (chatbot/dialogue/provisional.py).

Leave-one-out (Li, Monroe & Jurafsky 2016, section 3) asks the model that serves, int8 and calibration
included, rather than a gradient of the one that was trained. A message of thirty words costs thirty
classifications in one batch: 2 to 5 ms of the fast tier. The accurate tier is asked about the weightiest of them
(chatbot/inference/classify_states.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatbot.dialogue.trace import Classification, IntentGuess, Message
from chatbot.inference.classify_states import Classifier

_UNIT = re.compile(r"\[[A-Z]+(?:_\d+)?\]|[\u3400-\u9fff]+|[^\s\u3400-\u9fff]+")
_PIECES = 40  # classifications at most; words of a longer message are left out in runs
_HAN_RUN = 2  # characters left out at a time: one alone rarely carries a meaning


@dataclass(frozen=True, slots=True)
class WordWeight:
    """A stretch of the message, and how much of the top intent's probability goes when it is left out
    (-1..1).
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """``runner_up``: the second-best intent; ``against``: the stretch without which it would have come
    nearest.
    """

    classification: Classification
    words: tuple[WordWeight, ...]  # in the order of the message
    runner_up: IntentGuess | None
    against: WordWeight | None


def explain(
    classifier: Classifier, text: str, *, history: Sequence[Message] = (), lang: str | None = None
) -> Explanation:
    """Classify ``text`` and say which of its words decided."""
    spans = _spans(text)
    without = _left_out(text, spans)
    whole, rest = classifier.classify_without(text, without, history=history, lang=lang)
    top = whole.top
    if top is None or not rest:
        return Explanation(whole, (), None, None)
    words = tuple(
        WordWeight(
            text[start:end], start, end, whole.probability_of(top.name) - left.probability_of(top.name)
        )
        for (start, end), left in zip(spans, rest, strict=True)
    )
    runner_up = whole.ranked[1] if len(whole.ranked) > 1 else None
    against = None
    if runner_up is not None:
        gains = [left.probability_of(runner_up.name) - whole.probability_of(runner_up.name) for left in rest]
        best = max(range(len(gains)), key=gains.__getitem__)
        against = words[best] if gains[best] > 0 else None
    return Explanation(whole, words, runner_up, against)


def weigh_words(
    text: str, chances: Callable[[Sequence[str]], Sequence[float]], *, pieces: int
) -> tuple[WordWeight, ...]:
    """The words of ``text``, in at most ``pieces`` stretches, by what goes of its chance without each of them.

    ``chances``: of the text and of what is left without each, in one call.
    """
    spans = _spans(text, pieces)
    whole, *rest = chances([text, *_left_out(text, spans)])
    return tuple(
        WordWeight(text[start:end], start, end, whole - left)
        for (start, end), left in zip(spans, rest, strict=True)
    )


def _left_out(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """The text without each of the stretches."""
    return [
        f"{text[:start]} {text[end:]}" if text[start:end].isascii() else text[:start] + text[end:]
        for start, end in spans
    ]


def _spans(text: str, pieces: int = _PIECES) -> list[tuple[int, int]]:
    """Words, and Chinese in runs of two characters; joined where there are more than ``pieces``."""
    spans: list[tuple[int, int]] = []
    for match in _UNIT.finditer(text):
        start, end = match.span()
        if "\u3400" <= text[start] <= "\u9fff":
            spans += [(i, min(i + _HAN_RUN, end)) for i in range(start, end, _HAN_RUN)]
        else:
            spans.append((start, end))
    run = math.ceil(len(spans) / pieces) if spans else 1
    return [(spans[i][0], spans[min(i + run, len(spans)) - 1][1]) for i in range(0, len(spans), run)]
