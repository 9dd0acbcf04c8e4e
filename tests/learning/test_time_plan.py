"""How a retraining's wall time is shared out, by a clock that the test moves."""

from __future__ import annotations

import pytest

from chatbot.learning import domain_encoder
from chatbot.learning.domain_encoder import Positive, fit_characters
from chatbot.learning.time_plan import (
    LEAST,
    TimePlan,
    cut_in_words,
    exceeded_in_words,
    for_training,
    seconds_left,
)
from chatbot.neural.fit_report import FitResult, Score


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


APART = ("encoder", "generator", "ranker")
HERE = ("classifier", "accurate tier", "entities", "next")
ONE_PROCESS = ("encoder", "classifier", "accurate tier", "entities", "generator", "ranker", "next")


@pytest.mark.parametrize("stages", [APART, HERE, ONE_PROCESS])
@pytest.mark.parametrize("overhead", [0.0, 4.0])
def test_stages_that_use_their_share_end_in_time_with_what_cannot_be_cut(stages, overhead) -> None:
    clock = Clock()
    plan = TimePlan.begun(100, stages, clock)
    for stage in stages:
        share = plan.share(stage)
        assert share is not None
        clock.now += share + overhead
    assert clock.now - 1000 <= 100 + overhead * (len(stages) - 1) / 2


def test_one_that_takes_longer_takes_it_from_those_after_it() -> None:
    clock = Clock()
    plan = TimePlan.begun(100, HERE, clock)
    assert plan.share("classifier") == pytest.approx(70)
    in_time = TimePlan.begun(30, HERE, clock).share("accurate tier")
    clock.now += 90
    late = plan.share("accurate tier")
    assert in_time is not None and late == pytest.approx(in_time / 3)
    clock.now += 90  # the end is over: nothing is left out for it
    assert plan.share("next") == LEAST


def test_a_stage_that_has_nothing_to_do_leaves_its_time_to_the_others() -> None:
    clock = Clock()
    plan = TimePlan.begun(100, APART, clock)
    assert plan.share("generator") == pytest.approx(77 / 0.99)


def test_without_a_budget_nothing_is_limited() -> None:
    assert TimePlan.begun(None, HERE).share("classifier") is None
    assert seconds_left(None, 0.0) is None
    assert for_training(0, 50, None) == 0


def test_preparing_the_data_is_taken_from_the_steps() -> None:
    clock = Clock()
    began = clock()
    clock.now += 12
    assert seconds_left(30, began, clock) == 18
    clock.now += 100
    assert seconds_left(30, began, clock) == LEAST


def test_the_training_leaves_time_for_what_comes_after_it() -> None:
    assert for_training(600, 10, None) == 530
    assert for_training(600, 10, 100) == 490
    assert for_training(600, 10, 5000) == 290  # a search that outgrew the budget does not leave nothing


def test_a_retraining_past_its_budget_says_where_the_time_went() -> None:
    assert exceeded_in_words(100, before=10, training=80, after=10) is None
    assert exceeded_in_words(0, before=10, training=8000, after=10) is None
    words = exceeded_in_words(60, before=10, training=81, after=6) or ""
    assert "97 s of 60 s" in words and "81 in it" in words and "6 for search" in words


def fit_result(stopped: str, steps: int) -> FitResult:
    return FitResult(Score("accuracy", 0.9), steps, steps, 1.0, 1.0, stopped, "cpu", (), planned=1200)


def test_what_was_cut_is_said_with_how_far_it_came() -> None:
    assert cut_in_words(fit_result("finished", 1200)) is None
    assert cut_in_words(fit_result("patience", 300)) is None
    assert "after 300 of 1200 planned steps" in (cut_in_words(fit_result("budget", 300)) or "")


def test_the_sentence_encoder_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def ticking() -> float:
        clock.now += 1.0  # each look at the clock is a second later
        return clock.now

    monkeypatch.setattr(domain_encoder.time, "monotonic", ticking)
    positives = [Positive(f"问题{n}", f"回答{n}", str(n % 7)) for n in range(300)]
    cut: dict[str, object] = {}
    fit_characters(positives, seed=1, budget_seconds=3.0, cut=cut)
    assert "of 60 planned steps" in str(cut["cut"])
    free: dict[str, object] = {}
    fit_characters(positives, seed=1, cut=free)
    assert free == {}


def test_a_teacher_goes_first_and_the_end_stays_where_it_is() -> None:
    clock = Clock()
    plan = TimePlan.begun(100, HERE, clock).with_first("accurate tier", "classifier")
    assert list(plan.stages) == ["accurate tier", "classifier", "entities", "next"]
    for stage in plan.stages:
        share = plan.share(stage)
        assert share is not None
        clock.now += share
    assert clock.now - 1000 < 100
    assert TimePlan.begun(100, ("entities",)).with_first("accurate tier", "classifier").stages == ["entities"]
