"""The cascade asks the accurate tier where that makes more answers right, and says where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference.classifier_config import ACCURATE_FOLDER, ClassifierConfig
from chatbot.learning import cascade
from chatbot.learning.cascade import fit_cascade
from web.sentences import in_words

ROWS = [
    {
        "text": f"{lang} {intent} {number}",
        "intent": intent,
        "lang": lang,
        "split": "valid" if number % 2 else "train",
    }
    for lang in ("en", "zh")
    for intent in ("refund", "tracking")
    for number in range(120)
]


class Tier:
    """Right on a share of each language's messages, and as sure as it is right."""

    def __init__(self, folder: Path, name: str, right: Mapping[str, float], phase: int) -> None:
        config = ClassifierConfig(("refund", "tracking"), ("en", "zh"), 32, 0, 400, tier=name)
        self.config, self.name, self.right, self.phase = config, name, right, phase
        config.save(folder)

    def classify(self, text: str, *, history=(), lang: str | None = None) -> Classification:
        spoken, intent, number = text.split()
        knows = (7 * int(number) // 2 + self.phase) % 60 < 60 * self.right[spoken]
        other = "tracking" if intent == "refund" else "refund"
        first, second = (intent, other) if knows else (other, intent)
        sure = 0.95 if knows else 0.55
        return Classification((IntentGuess(first, sure), IntentGuess(second, 1 - sure)), 1.0, self.name)


def fitted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fast: Mapping[str, float],
    accurate: Mapping[str, float],
    rows=ROWS,
):
    (tmp_path / ACCURATE_FOLDER).mkdir()
    for kind, folder, name, right, phase in (
        (cascade.IntentClassifier, tmp_path, "fast", fast, 0),
        (cascade.AccurateClassifier, tmp_path / ACCURATE_FOLDER, "accurate", accurate, 20),
    ):
        tier = Tier(folder, name, right, phase)
        monkeypatch.setattr(kind, "load", lambda *_, tier=tier, **__: tier)
    return fit_cascade(tmp_path, rows, encoder=None), ClassifierConfig.load(tmp_path / ACCURATE_FOLDER)


def test_where_the_accurate_tier_knows_more_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found, config = fitted(tmp_path, monkeypatch, {"en": 0.7, "zh": 0.7}, {"en": 0.95, "zh": 0.95})
    assert found.worth_it and found.chosen is not None
    assert found.not_asked == []
    assert config.languages == ("en", "zh") and config.sure == found.chosen.sure > 0
    best = max(point.accuracy for point in found.curve)
    assert best - 0.001 <= found.chosen.accuracy
    assert all(p.accuracy < best - 0.001 for p in found.curve if p.sure < found.chosen.sure)
    assert found.curve[0].sure == 0 and found.curve[0].fast_share == 1
    assert found.curve[-1].milliseconds >= found.curve[0].milliseconds


def test_a_tier_by_which_no_language_gains_is_not_worth_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found, config = fitted(tmp_path, monkeypatch, {"en": 1.0, "zh": 1.0}, {"en": 0.5, "zh": 0.6})
    assert not found.worth_it
    assert config.sure == 0.0
    told = found.in_words("en")
    assert "right on 50.0 %" in told and "fast one on 100.0 %" in told
    assert in_words("; ".join(map(found.in_words, found.languages)), "zh").count("快速分类器") == 2


def test_it_is_asked_in_the_language_that_gains_and_not_in_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found, config = fitted(tmp_path, monkeypatch, {"en": 0.6, "zh": 1.0}, {"en": 0.95, "zh": 0.4})
    assert found.worth_it
    assert found.not_asked == ["zh"]
    assert config.languages == ("en",)
    assert found.languages["zh"].fast == 1.0 and found.languages["zh"].accurate == pytest.approx(0.4)


def test_few_validation_messages_are_judged_together_and_none_judge_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    few = [row for row in ROWS if row["split"] == "train" or int(row["text"].split()[-1]) < 20]
    found, _ = fitted(tmp_path, monkeypatch, {"en": 0.5, "zh": 0.5}, {"en": 1.0, "zh": 1.0}, few)
    assert list(found.languages) == ["*"] and found.languages["*"].n == 40
    assert in_words(found.in_words("*"), "zh") != found.in_words("*")
