"""The gate lets a release through that is not worse, and names what is."""

from __future__ import annotations

import random

import pytest

from chatbot.learning.gate import Outcome, judge

INTENTS = ("a", "b", "c")


def outcomes(n: int, wrong: set[int], *, intent_of=lambda i: INTENTS[i % 3]) -> list[Outcome]:
    return [Outcome(intent_of(i), i not in wrong, i in wrong, i not in wrong) for i in range(n)]


def verdict(candidate, live, **changes):
    given = {"candidate_intents": INTENTS, "live_intents": INTENTS} | changes
    return judge(candidate, live, **given)


def test_the_first_release_passes():
    assert verdict(outcomes(10, set()), None).promote is True


@pytest.mark.parametrize("live", [outcomes(900, set(range(90))), outcomes(120, set())])
def test_a_served_form_that_differs_from_the_trained_one_is_left_to_a_person(live):
    found = verdict(live, live, differences=["Classifier: another one"])
    assert found.promote is None
    assert "a person must look" in found.reason
    assert "Classifier: another one" in found.reason


def test_a_first_release_that_differs_says_so_and_answers():
    found = verdict(outcomes(900, set()), None, differences=["Classifier: another one"])
    assert found.promote is True
    assert "Classifier: another one" in found.reason


def test_a_served_form_that_differs_does_not_hide_a_loss():
    worse = verdict(outcomes(900, set(range(300))), outcomes(900, set(range(90))), differences=["x"])
    assert worse.promote is False


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


def trainings(n: int, *, seed: int, accuracy: float = 0.9, apart: float = 0.06) -> list[Outcome]:
    """Outcomes of one of many trainings on the same data: any two disagree on about ``apart`` of the examples."""
    hard = random.Random(1)
    own = random.Random(seed)
    found = []
    for i in range(n):
        difficulty = hard.random()
        fickle = difficulty > 1 - 2 * apart
        right = own.random() < 0.5 if fickle else difficulty < accuracy - apart
        found.append(Outcome(INTENTS[i % 3], right, not right, right))
    return found


@pytest.mark.parametrize("n", [600, 1500])
def test_trainings_that_differ_by_chance_alone_are_let_through(n):
    live = trainings(n, seed=0)
    passed = sum(verdict(trainings(n, seed=seed), live).promote is True for seed in range(1, 61))
    assert passed >= 54


def test_a_real_loss_is_seen_although_trainings_differ():
    live = trainings(1500, seed=0)
    for seed in range(1, 21):
        assert verdict(trainings(1500, seed=seed, accuracy=0.84), live).promote is False


def test_a_loss_of_more_than_two_margins_is_never_promoted_without_a_person():
    live = trainings(600, seed=0)
    for seed in range(1, 41):
        found = verdict(trainings(600, seed=seed, accuracy=0.87), live)
        accuracy = found.measures[0]
        assert found.promote is not True or accuracy.candidate - accuracy.live > -0.021


def test_what_may_have_been_overlooked_is_said_with_its_size_and_the_number_of_examples():
    live = trainings(1500, seed=0)
    found = next(
        one
        for seed in range(1, 20)
        if (one := verdict(trainings(1500, seed=seed), live)).promote
        and one.reason != "not worse on any measure"
    )
    largest = max(measure.reach for measure in found.measures if measure.state == "not shown")
    assert "1500 frozen examples" in found.reason
    assert f"a loss of {100 * largest:.1f} points or more would have been noticed" in found.reason


def test_what_the_frozen_set_cannot_show_is_left_to_a_person():
    live = trainings(320, seed=0, apart=0.3)
    found = verdict(trainings(320, seed=1, apart=0.3), live)
    assert found.promote is None
    assert "a person must look" in found.reason


def test_a_candidate_that_no_longer_dares_to_answer_is_refused():
    live = outcomes(900, set(range(90)))
    silent = [Outcome(o.intent, o.right, False, o.answered_right and i % 5 > 0) for i, o in enumerate(live)]
    found = verdict(silent, live)
    assert found.promote is False
    assert "answered rightly" in found.reason


def test_a_large_set_proves_that_nothing_was_lost():
    live = outcomes(9000, set(range(900)))
    changed = outcomes(9000, set(range(20, 920)))
    found = verdict(changed, live)
    assert {measure.state for measure in found.measures} == {"proven"}
    assert found.as_json()["measures"][0]["passed"] is True


MANY = tuple(f"intent {number}" for number in range(24))


def moved(changes: dict[int, tuple[int, int]], n: int = 40) -> tuple[list[Outcome], list[Outcome]]:
    """Candidate and live on ``n`` messages of each of 24 intents; ``changes``: intent to (gained, lost)."""
    candidate, live = [], []
    for number, name in enumerate(MANY):
        gained, lost = changes.get(number, (0, 0))
        for place in range(n):
            candidate.append(Outcome(name, not 0 <= place < lost, False, True))
            live.append(Outcome(name, not lost <= place < lost + gained, False, True))
    return candidate, live


def test_where_trainings_move_whole_intents_one_that_moved_a_little_more_does_not_block():
    by_message = dict.fromkeys(range(1, 24), (3, 3)) | {0: (4, 22)}
    by_intent = {number: (0, 4) if number % 2 else (4, 0) for number in range(1, 24)} | {0: (4, 22)}
    asked = {"candidate_intents": MANY, "live_intents": MANY}
    assert judge(*moved(by_message), **asked).blocked_intents == ("intent 0",)
    assert judge(*moved(by_intent), **asked).blocked_intents == ()


def test_an_intent_that_is_lost_blocks_however_much_trainings_move():
    by_intent = {number: (0, 9) if number % 2 else (9, 0) for number in range(1, 24)} | {0: (0, 38)}
    found = judge(*moved(by_intent), candidate_intents=MANY, live_intents=MANY)
    assert found.promote is False
    assert "intent 0" in found.blocked_intents
