"""What comes next: learned from the order of past conversations and from what was said, served without torch."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from chatbot.errors import BundleError, TrainingError
from chatbot.inference.next_intent import Event, NextIntents
from chatbot.learning.next_intent_training import (
    NextIntentSettings,
    baseline,
    events_of,
    hit_at_3,
    topics_of_passages,
    train_next_intents,
)
from chatbot.learning.snapshot import Snapshot, SnapshotManifest
from chatbot.learning.training_stages import STAGE_FUNCTIONS, TrainingReport, TrainingSettings


def conversations(count: int, seed: int) -> list[list[Event]]:
    """After ``a`` one of eight things comes: which, only the words say. After each of them comes ``end``."""
    random = Random(seed)
    made = []
    for _ in range(count):
        place = random.randrange(8)
        made.append(
            [Event("a", f"tell me about colour{place} please"), Event(f"b{place}", "fine"), Event("end")]
        )
    return made


def test_words_say_what_the_order_alone_cannot(tmp_path: Path) -> None:
    train, test = conversations(300, 1), conversations(60, 2)
    report = train_next_intents(
        train, test, tmp_path, settings=NextIntentSettings(epochs=12, batch=32), device="cpu", seed=3
    )
    served = NextIntents.load(tmp_path)
    assert report.hit_at_3 == pytest.approx(hit_at_3(served, test), abs=2)
    assert report.hit_at_3 > report.baseline_hit_at_3 + 10
    assert baseline(train, test) == pytest.approx(report.baseline_hit_at_3, abs=0.01)
    found = served.probabilities([Event("a", "colour4")])
    assert found.shape == (10 + 1,) and found.sum() == pytest.approx(1, abs=1e-4)
    assert served.names[int(np.argmax(found))] == "b4"
    assert served.suggest([Event("a", "colour4"), Event("b4")], k=1)[0][0] == "end"
    assert "a" not in [name for name, _ in served.suggest([Event("a")], k=9)]
    assert served.probabilities([Event("never seen", "未知")]).sum() == pytest.approx(1, abs=1e-4)


def test_what_is_frequent_behind_everything_is_not_proposed(tmp_path: Path) -> None:
    random = Random(5)
    made = [
        [Event(f"a{place}"), Event("returns" if random.random() < 0.6 else f"b{place}")]
        for place in [random.randrange(4) for _ in range(400)]
    ]
    train_next_intents(
        made[:360],
        made[360:],
        tmp_path,
        settings=NextIntentSettings(epochs=12, batch=32),
        device="cpu",
        seed=3,
    )
    served = NextIntents.load(tmp_path)
    likeliest = int(np.argmax(served.probabilities([Event("a1")])))
    assert served.names[likeliest] == "returns"
    assert [name for name, _ in served.suggest([Event("a1")], least=0.12)] == ["b1"]


def test_the_stage_learns_from_all_that_go_on_and_ships_the_counts_where_a_network_adds_nothing(
    tmp_path: Path,
) -> None:
    def told(number: int, *passages: int) -> dict[str, Any]:
        turns = [
            turn
            for one in passages
            for turn in (
                {"role": "customer", "text": "and?"},
                {"role": "agent", "text": "so", "sources": [one]},
            )
        ]
        return {"split": "valid" if number % 10 == 0 else "train", "turns": turns}

    snapshot = Snapshot(
        SnapshotManifest("f", "", 13, {}, ("en",)),
        dialogues=[told(number, 1, 2) for number in range(235)] + [told(number, 1) for number in range(7000)],
        passages=[{"id": 1, "article": "refunds"}, {"id": 2, "article": "hours"}],
    )
    report = TrainingReport()
    settings = TrainingSettings(device="cpu")
    STAGE_FUNCTIONS["next"](snapshot, tmp_path, settings, report, lambda stage, share: None)
    assert report.metrics["next"]["predicted"] == 24
    assert report.skipped["next questions"] == (
        "the network knows no more than counting what followed (100.0 %): the counts alone propose"
    )
    served = NextIntents.load(tmp_path).probabilities([Event("article:refunds")])
    assert served.tolist() == pytest.approx([0, 1, 0], abs=1e-3)


def test_too_few_are_said_and_a_damaged_model_too(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="too few"):
        train_next_intents(conversations(20, 1), [], tmp_path, device="cpu")
    with pytest.raises(BundleError):
        NextIntents.load(tmp_path)


def test_events_are_intents_in_turn_and_never_hold_the_words_of_the_next_one() -> None:
    row = {
        "turns": [
            {"role": "customer", "text": "find a doctor", "intent": "find"},
            {"role": "agent", "text": "where?"},
            {"role": "customer", "text": "in Antioch", "intent": "find"},
            {"role": "agent", "text": "found one"},
            {"role": "customer", "text": "book it", "intent": "book"},
        ]
    }
    assert events_of(row) == [
        Event("find", "find a doctor where? in Antioch found one"),
        Event("book", "book it"),
    ]
    labelled = {
        "turns": [
            {"role": "customer", "text": "hi"},
            {"role": "agent", "text": "name?", "label": "ask_name"},
            {"role": "customer", "text": "Ada"},
            {"role": "agent", "text": "done", "label": "book"},
        ]
    }
    assert events_of(labelled) == [Event("ask_name", "hi name? Ada"), Event("book", "done")]


def test_an_agents_answer_from_an_article_is_an_event_by_the_intent_bound_to_it() -> None:
    topics = topics_of_passages(
        [{"id": 1, "article": "refunds"}, {"id": 2, "article": "hours"}],
        [{"article": "refunds", "intent": "refund_time"}, {"article": "hours", "intent": None}],
    )
    row = {
        "turns": [
            {"role": "customer", "text": "refund?"},
            {"role": "agent", "text": "3 days", "sources": [1]},
            {"role": "customer", "text": "really"},
            {"role": "agent", "text": "yes", "sources": [1]},
            {"role": "customer", "text": "open?"},
            {"role": "agent", "text": "till 5", "sources": [2]},
        ]
    }
    assert events_of(row, article_intents=topics) == [
        Event("refund_time", "refund? 3 days really yes"),
        Event("article:hours", "open? till 5"),
    ]
