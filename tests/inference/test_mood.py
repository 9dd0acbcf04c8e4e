"""How displeased a customer reads: which messages count, how much, and from which level on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference import mood as mood_module
from chatbot.inference.mood import ENOUGH, LEAST_LEVEL, LEVEL_FILE, Mood, choose_level


class Reader:
    """Knows a message's share of displeasure by the number in it."""

    def classify(self, text: str, *, lang: str | None = None) -> Classification:
        share = int(text.split()[-1]) / 100
        guesses = (
            IntentGuess("negative", share),
            IntentGuess("angry", 0.0),
            IntentGuess("positive", 1 - share),
        )
        return Classification(guesses, in_scope=1.0)


MOOD = Mood(Reader(), ["negative", "angry"], languages=["en"], level=0.6)


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        (["it is 80"], 0.8),
        (["late 20", "rude 90"], (0.9 + 0.5 * 0.2) / 1.5),
        (["late 90", "thanks 20"], (0.2 + 0.5 * 0.9) / 1.5),
        (["bad 100", "fine 0", "fine 0", "fine 0"], 0.0),
        (["bad 90", "👍", "还没到 90"], 0.9),
        (["👍"], 0.0),
        ([], 0.0),
    ],
)
def test_the_newest_messages_that_can_be_read_count_most(said: list[str], mood: float):
    assert MOOD.of_conversation(said) == pytest.approx(mood)
    assert MOOD.displeased(said) == (mood >= 0.6)


def test_what_is_not_in_scope_is_less_believed():
    class Doubting(Reader):
        def classify(self, text: str, *, lang: str | None = None) -> Classification:
            found = super().classify(text, lang=lang)
            return Classification(found.ranked, in_scope=0.5)

    assert Mood(Doubting(), ["negative"], languages=["en"], level=0.6).of("it is 80") == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("shares", "level", "marked"),
    [
        ([90] * (ENOUGH - 1), LEAST_LEVEL, ENOUGH - 1),  # too few to choose by
        ([*range(100)] * 2, 0.891, 20),
        ([10] * 190 + [95] * 10, LEAST_LEVEL, 10),
        ([70] * 200, 0.7001, 0),
    ],
)
def test_the_level_marks_at_most_a_tenth_of_what_customers_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shares: list[int], level: float, marked: int
):
    monkeypatch.setattr(mood_module.Mood, "load", classmethod(lambda cls, folder: MOOD))
    found, number = choose_level(tmp_path, [[f"it is {share}"] for share in shares])
    assert found == pytest.approx(level, abs=2e-3) and number == marked
    assert json.loads((tmp_path / LEVEL_FILE).read_text())["level"] == found
