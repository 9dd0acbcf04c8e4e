from __future__ import annotations

import random

import torch
from torch.nn import functional

from chatbot.learning.classifier_data import Dataset, Recipe, labels_of, read_examples, split_examples
from chatbot.learning.classifier_training import _config
from chatbot.learning.wide_solving import balance, solve_wide
from chatbot.neural.intent_classifier import IntentConfig, IntentNetwork

GOOD = [
    "great",
    "lovely",
    "friendly",
    "quick",
    "comfortable",
    "cheerful",
    "helpful",
    "smooth",
    "pleasant",
    "kind",
]
BAD = ["late", "rude", "broken", "lost", "awful", "dirty", "cancelled", "slow", "noisy", "cold"]
SYLLABLES = ["ba", "do", "fi", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "za"]
# hundreds of words that mean nothing: enough to learn each wrong label by heart
PLAIN = [first + second + third for first in SYLLABLES for second in SYLLABLES for third in SYLLABLES[:3]]


def dataset(*, wrong: float, valid: int = 80) -> Dataset:
    """Messages of two moods, a share ``wrong`` of which carries the other's label."""
    source = random.Random(4)
    rows = []
    for number in range(400 + valid):
        mood = source.choice(("bad", "good"))
        words = source.choices(BAD if mood == "bad" else GOOD, k=1) + source.choices(PLAIN, k=5)
        source.shuffle(words)
        if source.random() < wrong:
            mood = "good" if mood == "bad" else "bad"
        split = "train" if number < 400 else "valid"
        rows.append({"text": " ".join(words), "intent": mood, "lang": "en", "split": split})
    split = split_examples(read_examples(rows), seed=1)
    recipe = Recipe(buckets=1024)
    config = _config(split, labels_of(split), ("en",), recipe)
    return Dataset.prepare(split, labels_of(split), config, recipe, seed=1)


def solved(data: Dataset) -> IntentNetwork:
    torch.manual_seed(1)
    network = IntentNetwork(
        IntentConfig(words=len(data.vocabulary), classes=2, buckets=1024, embedding=16, hidden=8)
    )
    solve_wide(network, data)
    return network.eval()


def size(network: IntentNetwork) -> float:
    assert network.wide_word is not None
    return float(network.wide_word.weight.norm())


def test_labels_that_are_often_wrong_are_followed_less_closely():
    assert size(solved(dataset(wrong=0.3))) < 0.5 * size(solved(dataset(wrong=0.0)))


def test_a_handful_of_validation_messages_decides_nothing():
    few, many = solved(dataset(wrong=0.3, valid=20)), solved(dataset(wrong=0.3))
    assert size(few) > 2 * size(many)
    assert balance(few, dataset(wrong=0.3, valid=20)) == 1.0


def test_the_louder_voice_is_the_one_that_fits_the_validation_messages():
    data = dataset(wrong=0.0)
    network = solved(data)
    with torch.no_grad():
        network.head.weight.normal_(std=3.0)  # an LSTM that knows nothing and says so aloud
    before = size(network)
    factor = balance(network, data)
    assert factor > 1.0
    assert abs(size(network) - factor * before) < 1e-3 * before
    with torch.no_grad():
        batches = data.validation_batches()
        logits = torch.cat([network.linear(batch) for batch in batches])
        targets = torch.cat([batch.targets for batch in batches])
    assert float(functional.cross_entropy(logits, targets)) < 0.4
