"""The material of ``bench gate`` is fair, and its figures follow from what the trainings gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from chatbot.learning.evaluation import Evaluation
from chatbot.learning.gate import Outcome
from web.bench import gate

ROWS = [
    {"text": f"{intent} wording {number}", "intent": intent, "lang": "en"}
    for intent in ("a", "b", "c", "d", "e", "f")
    for number in range(200)
]


def test_no_text_is_both_frozen_and_trained_on_and_the_other_intents_are_out_of_scope() -> None:
    material = gate.prepare([*ROWS, *ROWS[:50]], intents=4, seed=1)
    frozen, pool = ({row["text"] for row in rows} for rows in (material.frozen, material.pool))
    assert not frozen & pool
    assert len(frozen) + len(pool) == len(material.frozen) + len(material.pool) == 800 + 800 // 6
    assert len({row["intent"] for row in material.pool}) == 5
    assert {row["split"] for row in material.pool} == {"train", "valid"}
    assert material == gate.prepare(ROWS, intents=4, seed=1)


def test_poison_deals_a_fifth_of_the_labels_out_anew_and_invents_none() -> None:
    pool = gate.prepare(ROWS, intents=6).pool
    changed = gate.poisoned(pool, 1)
    assert Counter(row["intent"] for row in changed) == Counter(row["intent"] for row in pool)
    moved = sum(a["intent"] != b["intent"] for a, b in zip(changed, pool, strict=True))
    assert 0.1 * len(pool) < moved <= 0.2 * len(pool)
    assert 0.9 < len(gate.resampled(pool, 3)) / len(pool) < 0.99


def test_each_candidate_is_judged_by_its_own_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(
        pool: Sequence[dict[str, Any]], material: gate.Material, **_: Any
    ) -> tuple[Evaluation, tuple[str, ...]]:
        """As right as its labels are: a stand-in for a training."""
        truth = {row["text"]: row["intent"] for row in gate.prepare(ROWS, intents=5).pool}
        bad = sum(truth[row["text"]] != row["intent"] for row in pool) / len(pool)
        outcomes = tuple(
            Outcome(
                row["intent"], number % 100 >= 100 * bad, number % 100 < 100 * bad, number % 100 >= 100 * bad
            )
            for number, row in enumerate(material.frozen)
        )
        return Evaluation("test", None, None, outcomes), tuple(
            sorted({row["intent"] for row in pool} - {"oos"})
        )

    monkeypatch.setattr(gate, "train", train)
    figures = gate.measure(ROWS, intents=5, runs=3, steps=1)
    assert figures["promoted"] == 3
    assert figures["poisoned_refused"]
    assert figures["removed_named"]
    name = figures["candidates"][1]["run"].removeprefix("without ")
    assert figures["candidates"][1]["blocked_intents"] == (name,)
