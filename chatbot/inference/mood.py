"""How displeased a customer reads, by the company's own label set ``sentiment`` (chatbot/inference/label_sets.py).

A message costs one call of a fast classifier (0.15 ms on a core with VNNI). What is read in a language that the labels
were not learned in, or has no letters, says nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from chatbot.dialogue.trace import Classification
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.label_sets import unhappy_of
from chatbot.language.normalise import detect_language, has_letters

WEIGHTS = (1.0, 0.5, 0.25)  # of the newest messages, the newest first: what was said before counts less
LEAST_LEVEL = 0.6
MOST_MARKED = 0.1  # of a company's conversations: a mark on every second one would say nothing
ENOUGH = 100  # conversations to choose a level by
LEVEL_FILE = "level.json"  # in the folder of the labels


class Labelling(Protocol):
    def classify(self, text: str, *, lang: str | None = None) -> Classification: ...


class Mood:
    """``unhappy``: the labels of displeased customers; ``level``: the probability from which a customer counts as
    one; ``languages``: those that the labels were learned in. Thread-safe."""

    def __init__(
        self, classifier: Labelling, unhappy: Sequence[str], *, languages: Sequence[str], level: float
    ) -> None:
        self.unhappy = tuple(unhappy)
        self.level = level
        self._classifier = classifier
        self._languages = frozenset(languages)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Of a trained label set. Raises BundleError where its files are damaged."""
        classifier = IntentClassifier.load(folder)
        return cls(
            classifier,
            unhappy_of(folder),
            languages=classifier.config.languages,
            level=_level_of(folder),
        )

    def of(self, text: str) -> float | None:
        """The probability 0..1 that the message is a displeased customer's; None where it says nothing of it."""
        lang = detect_language(text)
        if lang not in self._languages or not has_letters(text):
            return None
        found = self._classifier.classify(text, lang=lang)
        return sum(found.probability_of(label) for label in self.unhappy)

    def of_conversation(self, said: Sequence[str]) -> float:
        """The same of a customer by his messages, oldest first: the weighted mean of the newest; 0 where none says
        anything."""
        told = [chance for text in said[-len(WEIGHTS) :][::-1] if (chance := self.of(text)) is not None]
        weights = WEIGHTS[: len(told)]
        return sum(w * chance for w, chance in zip(weights, told, strict=True)) / (sum(weights) or 1.0)

    def displeased(self, said: Sequence[str]) -> bool:
        """Whether a customer's newest messages read displeased."""
        return self.of_conversation(said) >= self.level


def choose_level(folder: Path, conversations: Sequence[Sequence[str]]) -> tuple[float, int]:
    """Choose the level of the labels in ``folder`` by what customers wrote in a company's ``conversations``, and write
    it there; → it, and how many of them it marks.

    At most MOST_MARKED: labels that were learned from reviews take many a plain question about what went wrong for a
    complaint.
    """
    mood = Mood.load(folder)
    moods = np.asarray([mood.of_conversation(said) for said in conversations])
    level = LEAST_LEVEL
    if len(moods) >= ENOUGH:
        # rounded up: where many conversations read alike, none of them lies above the level
        level = max(LEAST_LEVEL, math.floor(1e4 * float(np.quantile(moods, 1 - MOST_MARKED))) / 1e4 + 1e-4)
        level = round(level, 4)
    (folder / LEVEL_FILE).write_text(json.dumps({"level": level, "chosen_on": len(moods)}) + "\n", "utf-8")
    return level, int((moods >= level).sum())


def _level_of(folder: Path) -> float:
    try:
        return float(json.loads((folder / LEVEL_FILE).read_text("utf-8"))["level"])
    except (OSError, ValueError, KeyError, TypeError):  # none was chosen
        return LEAST_LEVEL
