"""What helps the accurate tier where a company has few examples of each intent.

The intents' names are examples too, and batches are made of several texts of some classes, so that the contrastive term
(Khosla et al. 2020) has pairs: in a batch drawn at random from 77 intents hardly two texts share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatbot.language.normalise import detect_language
from chatbot.learning.classifier_data import Example

CONTRASTIVE = 1.0  # weight of the contrastive term
_FEW_EACH = 16  # examples an intent, up to which they are few
_CLASSES, _OF_EACH = 10, 4  # classes of a batch, and texts of each
_NAME = re.compile(r"[^\W\d_]{4,}|[\u3400-\u9fff]{2,}")


@dataclass(frozen=True)
class Rows:
    """Texts with their classes (the last one "outside"; -1: unknown)."""

    texts: tuple[str, ...]
    targets: NDArray[np.int64]
    n_inside: int


def are_few(examples: int, intents: int) -> bool:
    return examples <= _FEW_EACH * intents


def named_examples(
    labels: Sequence[str], examples: Sequence[Example], languages: Sequence[str]
) -> list[Example]:
    """Where there are few examples, an intent's name in words is one more: the encoder knows what it means.

    A point of accuracy with five examples an intent, a tenth of one with ten. Names that are no words ("T12", "a_b")
    and names in a language the encoder does not know are left out.
    """
    if not are_few(len(examples), len(labels)):
        return []
    found = []
    for label in labels:
        text = " ".join(re.split(r"[\W_]+", label)).strip()
        lang = detect_language(text)
        if _NAME.search(text) and (not languages or lang in languages):
            found.append(Example(text=text, intent=label, lang=lang))
    return found


def class_batches(rows: Rows, share: float, n: int, *, seed: int, epoch: int) -> Iterable[NDArray[np.int64]]:
    """``n`` batches of _OF_EACH texts of each of _CLASSES classes, and outliers as many as ``share`` says."""
    random_ = np.random.default_rng((seed, epoch, 17))
    inside = rows.targets[: rows.n_inside]
    members = [np.flatnonzero(inside == target) for target in np.unique(inside)]
    outliers = np.arange(rows.n_inside, len(rows.texts))
    for _ in range(n):
        classes = random_.choice(len(members), min(_CLASSES, len(members)), replace=False)
        own = [
            random_.choice(members[c], _OF_EACH, replace=len(members[c]) < _OF_EACH) for c in classes.tolist()
        ]
        beyond = random_.choice(outliers, min(len(outliers), int(share * _OF_EACH * len(own))))
        yield np.concatenate([*own, beyond])
