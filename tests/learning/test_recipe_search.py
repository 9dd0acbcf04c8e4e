"""The search keeps the defaults unless something beats them clearly, and a recipe survives its file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chatbot.errors import InputError
from chatbot.learning import recipe_search
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.recipe_search import load_recipe, save_recipe, search_recipe
from chatbot.neural.fit_report import FitResult, Score
from web.sentences import in_words

ROWS = [
    {"text": f"{intent} {i}", "intent": intent, "lang": "en", "split": "valid" if i % 2 else "train"}
    for intent in ("refund", "tracking")
    for i in range(60)
]


FINISHED = FitResult(Score("accuracy", 90.0), 10, 10, 1.0, 10.0, "finished", "cpu", (), planned=10)


@dataclass
class Report:
    metrics: dict
    fit: FitResult = FINISHED


def pretend(accuracy_of):
    """A training whose accuracy is a known function of its recipe."""

    def train(rows, out_dir, *, recipe, seed, **rest):
        figures = {"calibration_error": 0.02, "outside_auroc": 0.9, "train_seconds": 1.0}
        return Report({"accuracy": accuracy_of(recipe, seed), **figures})

    return train


class Machine:
    """A clock, and trainings that take ``steps`` / 100 seconds of it and ten more that nothing cuts."""

    def __init__(self) -> None:
        self.now = 500.0
        self.budgets: list[float | None] = []

    def clock(self) -> float:
        return self.now

    def train(self, rows, out_dir, *, recipe, seed, budget_seconds, **rest):
        wanted = recipe.steps / 100
        seconds = wanted if budget_seconds is None else min(wanted, max(1.0, budget_seconds - 5))
        self.budgets.append(budget_seconds)
        self.now += 10 + seconds
        stopped = "budget" if seconds < wanted else "finished"
        steps = round(100 * seconds)
        fit = replace(FINISHED, steps=steps, planned=recipe.steps, stopped=stopped)
        figures = {"calibration_error": 0.02, "outside_auroc": 0.9, "train_seconds": seconds}
        return Report({"accuracy": 0.5 + 0.4 * (1 - 1 / (1 + seconds)), **figures}, fit)


@pytest.mark.parametrize("seconds", [200, 300, 1000])
def test_a_search_holds_its_time_with_the_defaults_among_it(monkeypatch: pytest.MonkeyPatch, seconds: float):
    machine = Machine()
    monkeypatch.setattr(recipe_search, "train_classifier", machine.train)
    found = search_recipe(ROWS, languages=["en"], trials=100, seconds=seconds, clock=machine.clock)
    assert machine.now - 500 <= seconds
    assert 2 <= len(found.trials) < 100


def test_where_the_clock_cuts_the_defaults_it_cuts_every_recipe_alike(monkeypatch: pytest.MonkeyPatch):
    machine = Machine()
    monkeypatch.setattr(recipe_search, "train_classifier", machine.train)
    found = search_recipe(ROWS, languages=["en"], trials=100, seconds=120, clock=machine.clock)
    assert machine.now - 500 <= 120
    assert len(found.trials) >= 2
    assert machine.budgets[0] == machine.budgets[1] == 30.0
    assert all(budget <= 30.0 for budget in machine.budgets)
    assert not found.better


def test_without_a_limit_every_recipe_is_tried(monkeypatch: pytest.MonkeyPatch):
    machine = Machine()
    monkeypatch.setattr(recipe_search, "train_classifier", machine.train)
    assert len(search_recipe(ROWS, languages=["en"], trials=7, clock=machine.clock).trials) == 7


def test_too_little_time_to_compare_anything_is_told_with_how_much_it_takes(
    monkeypatch: pytest.MonkeyPatch,
):
    machine = Machine()
    monkeypatch.setattr(recipe_search, "train_classifier", machine.train)
    with pytest.raises(InputError, match="time is too short") as raised:
        search_recipe(ROWS, languages=["en"], seconds=30, clock=machine.clock)
    assert machine.now - 500 <= 30
    assert "--minutes 1 or more" in raised.value.remedy
    assert "training" not in in_words(raised.value.remedy, "zh")


def test_a_recipe_that_is_clearly_better_is_found_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(
        recipe_search,
        "train_classifier",
        pretend(lambda recipe, seed: 0.7 + 0.2 * (recipe.hidden == 64) + 0.001 * (seed % 2)),
    )
    found = search_recipe(ROWS, languages=["en"], trials=12, seed=3)
    assert found.better
    assert found.recipe.hidden == 64
    assert found.trials[0].changed == {}
    assert len(found.trials) == 12
    save_recipe(found.recipe, tmp_path / "recipe.json")
    assert load_recipe(tmp_path / "recipe.json") == found.recipe


def test_what_two_seeds_differ_by_is_no_gain(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        recipe_search,
        "train_classifier",
        pretend(lambda recipe, seed: 0.9 + 0.02 * (seed % 2) + 0.005 * (recipe.hidden == 64)),
    )
    found = search_recipe(ROWS, languages=["en"], trials=8, seed=4)
    assert not found.better
    assert found.recipe == Recipe()


def test_real_trainings_are_compared_on_validation_messages():
    start = replace(
        Recipe(), steps=8, least_epochs=1, embedding=16, hidden=8, buckets=128, encoder_vectors=False
    )
    found = search_recipe(ROWS, languages=["en"], trials=2, seed=1, device="cpu", start=start)
    assert len(found.trials) == 2
    assert all(0 <= trial.accuracy <= 1 for trial in found.trials)


def test_too_few_validation_messages_are_refused_before_any_training():
    with pytest.raises(InputError, match="too few validation messages"):
        search_recipe(ROWS[:20], languages=["en"])


def test_validation_messages_of_other_intents_are_refused_before_any_training():
    foreign = [row | {"intent": f"other {row['intent']}"} if row["split"] == "valid" else row for row in ROWS]
    with pytest.raises(InputError, match="No intent of the validation messages") as raised:
        search_recipe(foreign, languages=["en"])
    assert "other refund" in raised.value.one_line()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding", "x"),
        ("steps", -5),
        ("hidden", 12.5),
        ("batch_size", True),
        ("dropout", 1),
        ("learning_rate", float("nan")),
        ("encoder_vectors", 1),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_may_stand_there(tmp_path: Path, name: str, value):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({name: value}), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load_recipe(path)
    assert raised.value.field == name
    assert json.dumps(value) in raised.value.one_line()
    assert not re.search(r"[A-Za-z]{6,}", in_words(raised.value.remedy, "zh"))


def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path):
    path = tmp_path / "recipe.json"
    for text in ("{", '{"hiden": 3}', "[]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError):
            load_recipe(path)
