"""Learning on without forgetting: a new fast tier begins with the weights of the one that serves.

Rows of words and intents that both know are carried over by name, the recurrent layers as they are; new intents begin
at random. All examples of the old intents are seen again beside the new ones (rehearsal; Robins 1995, "Catastrophic
Forgetting, Rehearsal and Pseudorehearsal"), in fewer and smaller steps than from scratch. The linear model beside the
LSTM is solved anew either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from chatbot.errors import BundleError
from chatbot.inference.classifier_config import VOCABULARY_FILE, ClassifierConfig
from chatbot.language.tokens import Vocabulary
from chatbot.neural.generator_export import WEIGHTS_FILE
from chatbot.neural.intent_classifier import IntentNetwork

STEPS = 0.4  # of those from scratch
LEARNING_RATE = 0.5  # of the one from scratch


@dataclass(frozen=True, slots=True)
class Carried:
    """How much of the new network came from the old one, as shares 0..1 of its word rows and intents."""

    words: float
    intents: float
    layers: bool  # whether the recurrent layers fit


def carry_over(
    network: IntentNetwork, vocabulary: Vocabulary, labels: Sequence[str], folder: Path
) -> Carried:
    """Fill ``network`` from the classifier in ``folder`` where names and shapes agree.

    Raises BundleError where that classifier cannot be read.
    """
    try:
        config = ClassifierConfig.load(folder)
        words = (folder / VOCABULARY_FILE).read_text(encoding="utf-8").splitlines()
        old = load_file(folder / WEIGHTS_FILE)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise BundleError(
            "The classifier to start from cannot be read",
            value=folder.parent.name,
            remedy="Train from scratch: leave --warm out",
        ) from error
    mine = network.state_dict()
    with torch.no_grad():
        shared = _rows(mine, old, "word.weight", (*vocabulary.words,), words, offset=1)
        known = _rows(mine, old, "head.weight", (*labels, None), (*config.labels, None), offset=0)
        _rows(mine, old, "head.bias", (*labels, None), (*config.labels, None), offset=0)
        layers = True
        for name, value in mine.items():
            if name in ("gram.weight", "context") or name.startswith("pooling."):
                if name in old and old[name].shape == value.shape:
                    value.copy_(old[name])
                else:
                    layers = False
    return Carried(shared / max(1, len(vocabulary.words)), max(0, known - 1) / len(labels), layers)


def _rows(
    mine: dict[str, torch.Tensor],
    old: dict[str, torch.Tensor],
    name: str,
    names: Sequence[str | None],
    old_names: Sequence[str | None],
    *,
    offset: int,
) -> int:
    """Copy the rows of a table that both have by name; how many. ``None`` names the class "outside"."""
    if name not in old or old[name].shape[1:] != mine[name].shape[1:]:
        return 0
    places = {word: row for row, word in enumerate(old_names, offset)}
    pairs = [(row, places[word]) for row, word in enumerate(names, offset) if word in places]
    if pairs:
        to, source = zip(*pairs, strict=True)
        mine[name][list(to)] = old[name][list(source)].to(mine[name].dtype)
    return len(pairs)
