"""A new classifier takes over what it shares with the one before by name, and an old intent is not forgotten."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file

from chatbot.errors import BundleError
from chatbot.inference.classify_states import load_classifier
from chatbot.language.tokens import Vocabulary
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.classifier_training import train_classifier
from chatbot.learning.retraining import only_some_new
from chatbot.learning.warm_start import carry_over
from chatbot.neural.intent_classifier import IntentConfig, IntentNetwork

RECIPE = Recipe(
    steps=60, least_epochs=2, most_epochs=3, embedding=16, hidden=8, buckets=256, encoder_vectors=False
)
WORDS = {
    "refund": ("refund", "money back", "repayment"),
    "hours": ("opening hours", "open today", "closing time"),
    "cancel": ("cancel my order", "stop the order", "call it off"),
    "descale": ("descale the machine", "limescale", "descaler"),
}
FRAMES = ("what about {}", "{} please", "I need {}", "tell me about {} now", "hi, {}", "is there {} here")


def rows(*intents: str) -> list[dict[str, object]]:
    return [
        {"text": frame.format(words), "intent": intent, "lang": "en", "split": "valid" if i == 5 else "train"}
        for intent in intents
        for words in WORDS[intent]
        for i, frame in enumerate(FRAMES)
    ]


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    folder = tmp_path_factory.mktemp("before") / "classifier"
    train_classifier(rows("refund", "hours", "cancel"), folder, languages=["en"], device="cpu", recipe=RECIPE)
    return folder


def test_shared_words_intents_and_layers_are_carried_over_by_name(before):
    old = load_file(before / "weights.safetensors")
    words = (before / "vocabulary.txt").read_text().splitlines()
    vocabulary = Vocabulary(["descaler", *reversed(words)], buckets=256)
    torch.manual_seed(3)
    network = IntentNetwork(
        IntentConfig(words=len(vocabulary), classes=4, buckets=256, embedding=16, hidden=8)
    )
    drawn = network.head.weight.detach().clone()
    carried = carry_over(network, vocabulary, ("cancel", "descale", "hours", "refund"), before)
    assert carried.layers
    assert carried.intents == 0.75
    assert 0.9 < carried.words < 1
    new = network.state_dict()
    # cancel, hours, refund and "outside" of the old head; descale begins at random
    assert torch.equal(new["head.weight"][[0, 2, 3, 4]], old["head.weight"])
    assert torch.equal(new["head.weight"][1], drawn[1])
    assert torch.equal(new["word.weight"][len(words) + 1], old["word.weight"][1])
    assert all(torch.equal(new[name], old[name]) for name in old if name.startswith("pooling."))


def test_learning_on_keeps_the_old_intents_and_takes_in_the_new(before, tmp_path):
    report = train_classifier(
        rows(*WORDS), tmp_path / "classifier", languages=["en"], device="cpu", recipe=RECIPE, start=before
    )
    assert report.metrics["learned_on"]["intents"] == 0.75
    classifier = load_classifier(tmp_path / "classifier", threads=1)
    for text, intent in (("refund please", "refund"), ("I need limescale", "descale")):
        top = classifier.classify(text, history=(), lang="en").top
        assert top is not None
        assert top.name == intent


def test_a_classifier_that_cannot_be_read_is_named(before, tmp_path):
    network = IntentNetwork(IntentConfig(words=3, classes=2, buckets=8, embedding=4, hidden=2))
    vocabulary = Vocabulary(["a", "b"], buckets=8)
    with pytest.raises(BundleError, match="no intent classifier"):
        carry_over(network, vocabulary, ("x", "y"), tmp_path)
    damaged = tmp_path / "damaged"
    shutil.copytree(before, damaged)
    (damaged / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(BundleError, match="cannot be read"):
        carry_over(network, vocabulary, ("x", "y"), damaged)


def test_learning_on_is_for_a_few_new_intents_beside_all_old_ones():
    old = ("a", "b", "c", "d")
    assert only_some_new(old, (*old, "e"))
    assert not only_some_new(old, old)
    assert not only_some_new(old, ("a", "b", "c", "e"))
    assert not only_some_new(old, (*old, "e", "f", "g"))
