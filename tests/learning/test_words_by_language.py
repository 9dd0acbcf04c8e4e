"""How much the linear model counts beside the LSTM, language by language: a teacher of one leaves the other to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from chatbot.dialogue.trace import Message
from chatbot.inference.classifier_config import ClassifierConfig
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.scoring import RawScores
from chatbot.language.normalise import detect_language
from chatbot.learning import classifier_training
from chatbot.learning.classifier_data import Example, Lesson, Recipe
from chatbot.learning.classifier_training import _best_count, _words_by_language, train_classifier
from chatbot.learning.wide_solving import LOUDNESS

TINY = Recipe(
    steps=150, least_epochs=2, embedding=48, hidden=24, buckets=1024, encoder_vectors=False, augmented=50
)
WORDS = {
    ("refund", "en"): ("money back", "refund", "repay me", "return the money"),
    ("tracking", "en"): ("parcel", "track it", "where is it", "not here yet"),
    ("refund", "zh"): ("退款", "退钱", "钱退给我", "要回货款"),
    ("tracking", "zh"): ("快递", "包裹", "到哪了", "还没到"),
}
OPENERS = {
    "en": ("please", "hello", "my friend", "well now", "listen", "so then", "hey", "i say", "today", "again"),
    "zh": ("请问", "你好", "麻烦", "那个", "亲", "想问", "今天", "又", "就是", "喂"),
}
ROWS = [
    {
        "text": f"{opener} {word}",
        "intent": intent,
        "lang": lang,
        "split": "valid" if place % 3 == 0 else "train",
        "group": f"{opener} {word}",
    }
    for (intent, lang), words in WORDS.items()
    for place, (opener, word) in enumerate(
        (o, w) for w in words for o in (*OPENERS[lang], *OPENERS[lang][::-1])
    )
]


def misleading(texts: Sequence[str], histories: Sequence[Sequence[Message]]) -> Lesson:
    """A teacher that takes every Chinese message for the other intent: what it says is learned by the LSTM alone."""
    logits = np.zeros((len(texts), 3), np.float32)
    for row, text in enumerate(texts):
        zh = detect_language(text) == "zh"
        refund = any(word in text for word in WORDS["refund", "zh" if zh else "en"])
        logits[row, int(refund == zh)] = 8
    return Lesson(logits, np.zeros((len(texts), 0), np.float32))


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taught")
    report = train_classifier(
        ROWS, folder, languages=["en", "zh"], device="cpu", recipe=TINY, teacher=misleading
    )
    assert report.parity["same_top"] >= 0.995  # the trained network is held against it mixed alike
    assert report.parity["largest_confidence_gap"] <= 0.02
    return folder


def test_what_a_teacher_got_wrong_in_one_language_the_linear_model_sets_right(taught: Path):
    classifier = IntentClassifier.load(taught)
    assert set(classifier.config.words_by_language) == {"en", "zh"}
    assert classifier.classify("请问 退款").top.name == "refund"
    assert classifier.classify("hello money back").top.name == "refund"


def test_each_language_is_weighed_by_its_own_validation_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    texts = [f"message {n}" for n in range(60)] + [f"消息 {n}" for n in range(60)] + ["ごめん"] * 9
    targets = np.arange(len(texts)) % 3
    knows = np.eye(4, dtype=np.float32)[targets] * 4
    noise = np.random.default_rng(1).normal(size=knows.shape).astype(np.float32) * 4
    english = np.asarray([detect_language(text) == "en" for text in texts])[:, None]
    deep, wide = np.where(english, knows, noise), np.where(english, noise, knows)
    known, config = np.ones(len(texts)), ClassifierConfig(("a", "b", "c"), ("en", "zh"), 32, 0, 400)
    config.save(tmp_path)
    asked = []

    def raw_scores(folder: Path, examples: Sequence[Example]) -> RawScores:
        asked.append(ClassifierConfig.load(folder).words_by_language)
        return RawScores(deep, noise, known)

    monkeypatch.setattr(classifier_training.IntentClassifier, "load", lambda folder: folder)
    monkeypatch.setattr(classifier_training, "raw_scores", raw_scores)
    data = SimpleNamespace(
        valid_targets=lambda: targets,
        split=SimpleNamespace(valid=[Example(text, "a", "en") for text in texts]),
    )
    counts = _words_by_language(config, data, tmp_path, RawScores((deep + wide) / 2, noise, known))
    assert set(counts) == {"en", "zh"}  # nine messages in a third one say too little
    assert counts["en"] < 0.5 and counts["zh"] > 2
    assert asked == [{"en": 0.0, "zh": 0.0}]
    assert ClassifierConfig.load(tmp_path) == config  # as it was


def test_one_message_and_a_batch_are_mixed_alike_by_the_language_of_each(taught: Path, tmp_path: Path):
    classifier = IntentClassifier.load(taught)
    texts = ["hello money back", "请问 退款", "well now parcel", "亲 包裹"]
    raw = classifier.raw(texts)
    for row, text in enumerate(texts):
        logits, _ = classifier.scores(text)
        np.testing.assert_allclose(logits, raw.logits[row], atol=0.02)
    folder = tmp_path / "alike"
    folder.mkdir()
    for path in taught.iterdir():
        if path.is_file():
            (folder / path.name).symlink_to(path)
    (folder / "config.json").unlink()
    replace(classifier.config, words_by_language={"zh": classifier.config.words_by_language["zh"]}).save(
        folder
    )
    other = IntentClassifier.load(folder)
    np.testing.assert_allclose(other.raw(texts).logits[1::2], raw.logits[1::2], atol=1e-5)
    assert np.abs(other.raw(texts).logits[::2] - raw.logits[::2]).max() > 0.01


def test_one_language_is_weighed_in_training_alone(tmp_path: Path):
    english = [row for row in ROWS if row["lang"] == "en"]
    train_classifier(english, tmp_path, languages=["en"], device="cpu", recipe=TINY)
    assert IntentClassifier.load(tmp_path).config.words_by_language == {}


def test_the_voice_that_knows_is_the_one_that_counts():
    targets = np.arange(60) % 3
    knows = np.eye(4, dtype=np.float32)[targets] * 4
    noise = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32) * 4
    assert _best_count(LOUDNESS, noise, knows, targets) > 2
    assert _best_count(LOUDNESS, knows, noise, targets) < 0.5
