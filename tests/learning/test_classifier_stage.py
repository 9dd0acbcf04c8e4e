"""The classifier of a release: who teaches its fast tier, with which texts, and which accurate tier is shipped."""

from __future__ import annotations

import json
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from chatbot.inference.classifier_config import ACCURATE_FOLDER
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.classify_states import load_classifier
from chatbot.inference.encode import EncoderConfig
from chatbot.language.normalise import detect_language
from chatbot.learning import classifier_training, teaching, training_stages
from chatbot.learning.snapshot import Snapshot, SnapshotManifest
from chatbot.learning.teaching import time_to_teach, unlabelled_messages
from chatbot.learning.training_stages import TrainingReport, TrainingSettings

WIDTH = 16
TEXTS = {
    "refund": ["i want my money back", "refund my payment", "give me a refund"],
    "tracking": ["where is my parcel", "track my package", "when does it arrive"],
    "退款": ["请把钱退给我", "我要退款", "什么时候退钱"],
}


class Words:
    """A sentence encoder in small: each word has its fixed random state; a blind one sees all alike."""

    config = EncoderConfig("words", "f1", WIDTH, WIDTH, 64, ("en",))
    fingerprint = "f1"
    languages = ("en",)

    def __init__(self, *, blind: bool = False) -> None:
        self.blind = blind
        self.read: list[str] = []
        self.saved_after: int | None = None

    def encode_tokens(self, texts):
        self.read += texts
        found = []
        for text in texts:
            words = ["?"] if self.blind else text.lower().split() or ["?"]
            states = np.stack(
                [np.random.default_rng(crc32(w.encode())).normal(size=WIDTH) for w in words]
            ).astype(np.float32)
            mean = states.mean(axis=0)
            found.append((states, mean / np.linalg.norm(mean)))
        return found

    def save_noted(self, bundle: Path) -> None:
        self.saved_after = len(self.read)


def examples() -> list[dict]:
    rows = [
        {
            "text": f"{'嗯' * at if intent == '退款' else opener + ' '}{text}",
            "intent": intent,
            "lang": "zh" if intent == "退款" else "en",
            "split": "valid" if at == 0 else "train",
            "context": [],
        }
        for intent, own in TEXTS.items()
        for at, opener in enumerate(["hello", "hi", "well", "so", "now"])
        for text in own * (6 if at == 0 else 1)
    ]
    nobody = [("is my parcel late", "train"), ("is it held back", "valid"), ("我的包裹呢", "train")]
    return rows + [
        {"text": text, "intent": None, "lang": "en", "split": split, "context": []} for text, split in nobody
    ]


def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: Words, **options):
    """(bundle, report, how the fast tier was trained)."""
    (tmp_path / "recipe.json").write_text(
        json.dumps(
            {"steps": 60, "least_epochs": 1, "embedding": 24, "hidden": 12, "buckets": 256, "augmented": 60}
            | {"encoder_vectors": False}
        )
    )
    asked: dict = {}
    train = classifier_training.train_classifier

    def spy(rows, out_dir, **given):
        asked.update(given, accurate_first=(out_dir / ACCURATE_FOLDER).is_dir())
        return train(rows, out_dir, **given)

    snapshot = Snapshot(SnapshotManifest("", "", 13, {}, ("en", "zh")), examples())
    rows = [row for row in snapshot.examples if row["lang"] == "en"]
    reader = training_stages._Reader("words", tmp_path, encoder, rows)
    monkeypatch.setattr(classifier_training, "train_classifier", spy)
    monkeypatch.setattr(training_stages, "_reader_of", lambda *_: reader)
    bundle = tmp_path / "bundle"
    (bundle / "classifier").mkdir(parents=True)
    report = TrainingReport()
    settings = TrainingSettings(device="cpu", recipe=tmp_path / "recipe.json", **options)
    training_stages._train_classifier(snapshot, bundle, settings, report, lambda *_: None)
    return bundle / "classifier", report, asked


def test_the_accurate_tier_teaches_the_fast_one_in_its_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    encoder = Words()
    folder, report, asked = trained(tmp_path, monkeypatch, encoder)
    assert asked["accurate_first"] and asked["taught"] == ("en",)
    assert "is my parcel late" in asked["unlabelled"]
    taught = encoder.read[encoder.saved_after :]
    assert "is my parcel late" in taught and "is it held back" not in taught
    assert [t for t in taught if detect_language(t) == "zh"] == []
    fast = IntentClassifier.load(folder)
    assert fast.classify("hello refund my payment").top.name == "refund"
    assert fast.classify("我要退款").top.name == "退款"
    assert report.metrics["classifier"]["accuracy"] > 0.8


def test_on_the_clock_the_fast_tier_learns_by_its_labels_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    _, report, asked = trained(tmp_path, monkeypatch, Words(), budget_seconds=20)
    assert "teacher" not in asked and not asked["accurate_first"]
    assert report.metrics["accurate"]["n_intents"] == 2


def test_an_accurate_tier_that_adds_nothing_is_not_shipped_and_the_fast_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, report, _ = trained(tmp_path, monkeypatch, Words(blind=True), budget_seconds=20)
    assert not (folder / ACCURATE_FOLDER).exists()
    assert "right on 50.0 %" in report.skipped["accurate tier"]
    assert "accurate" not in report.parity
    assert report.metrics["cascade"]["languages"]["*"]["asked"] is False
    served = load_classifier(folder, encoder=None)
    assert served.classify("hello where is my parcel").top.name == "tracking"


def test_texts_that_carry_a_label_or_are_held_back_are_no_lessons(monkeypatch: pytest.MonkeyPatch):
    said = [("customer", "Is it red?"), ("agent", "It is."), ("customer", "Refund my payment now")]
    told = [{"role": role, "text": text} for role, text in said]
    held = [{"role": "customer", "text": "IS my parcel late"}]
    dialogues = [{"split": "train", "turns": told}, {"split": "test", "turns": held}]
    rows = [
        *examples(),
        {"text": "refund my payment now", "intent": "refund", "lang": "en", "split": "train"},
    ]
    snapshot = Snapshot(SnapshotManifest("", "", 13, {}, ("en",)), rows, dialogues)
    assert unlabelled_messages(snapshot, seed=1) == ["我的包裹呢", "Is it red?"]
    monkeypatch.setattr(teaching, "MOST_UNLABELLED", 1)
    assert len(unlabelled_messages(snapshot, seed=1)) == 1


def test_a_teacher_needs_its_time():
    assert time_to_teach(None, 1_000_000)
    assert time_to_teach(3600, 10_000)
    assert not time_to_teach(180, 10_000)
