"""The gate lets a release through that is not worse, and names what is."""

from __future__ import annotations

import random

import pytest

from chatbot.learning.gate import Outcome, judge

INTENTS = ("a", "b", "c")


def outcomes(n: int, wrong: set[int], *, intent_of=lambda i: INTENTS[i % 3]) -> list[Outcome]:
    return [Outcome(intent_of(i), i not in wrong, i in wrong) for i in range(n)]


def verdict(candidate, live, **changes):
    given = {"candidate_intents": INTENTS, "live_intents": INTENTS} | changes
    return judge(candidate, live, **given)


def test_the_first_release_passes():
    assert verdict(outcomes(10, set()), None).promote is True


def test_an_equal_candidate_passes():
    live = outcomes(900, set(range(90)))
    assert verdict(live, live).promote is True


def test_a_candidate_that_is_clearly_worse_is_refused_with_the_figures():
    live = outcomes(900, set(range(90)))
    worse = outcomes(900, set(range(300)))
    found = verdict(worse, live)
    assert found.promote is False
    assert found.blocked_intents == INTENTS or "accuracy" in found.reason


def test_a_missing_intent_blocks_and_is_named():
    same = outcomes(900, set())
    found = verdict(same, same, candidate_intents=("a", "b"))
    assert found.promote is False
    assert found.blocked_intents == ("c",)


def test_one_intent_that_got_significantly_worse_blocks_even_where_the_total_is_better():
    live = outcomes(900, {i for i in range(900) if i % 3 == 1 and i < 300})
    candidate = outcomes(900, {i for i in range(900) if i % 3 == 0 and i < 60})
    found = verdict(candidate, live)
    assert found.promote is False
    assert found.blocked_intents == ("a",)


def test_too_few_examples_leave_the_decision_to_a_person():
    few = outcomes(120, set())
    assert verdict(few, few).promote is None


def test_refusing_less_of_what_is_out_of_scope_is_worse():
    live = outcomes(600, set()) + [Outcome(None, True, False)] * 200
    candidate = outcomes(600, set()) + [Outcome(None, i >= 60, i < 60) for i in range(200)]
    found = verdict(candidate, live)
    assert found.promote is False
    assert "out-of-scope" in found.reason


def test_chance_alone_is_seldom_taken_for_a_loss_of_one_intent():
    rng = random.Random(7)
    blocked = 0
    for _ in range(40):
        live = [Outcome(INTENTS[i % 3], rng.random() < 0.9, False) for i in range(900)]
        candidate = [
            Outcome(o.intent, o.right if rng.random() < 0.95 else rng.random() < 0.9, False) for o in live
        ]
        blocked += bool(verdict(candidate, live).blocked_intents)
    assert blocked <= 6


def test_outcomes_of_different_examples_are_not_compared():
    with pytest.raises(ValueError, match="outcomes"):
        verdict(outcomes(10, set()), outcomes(9, set()))
