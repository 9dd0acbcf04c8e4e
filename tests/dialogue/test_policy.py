"""The policy: calibrated evidence in, one reply kind with its rule out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.policy import Evidence, decide
from chatbot.dialogue.speaking import Footing
from chatbot.dialogue.trace import Check, Classification, Draft, Hit, IntentGuess
from chatbot.dialogue.weighing import Behind, Candidate, KnownIntent, gather, weigh

REFUND = KnownIntent("refund_time", "Refund time", "refund-time", None)
CANCEL = KnownIntent("cancel_order", "Cancel an order", "cancel-order", "You can cancel within two hours.")
OPTIONS = SiteOptions(mode="generated_allowed", sureness=0.6, choice_floor=0.25)


def hit(slug: str, score: float) -> Hit:
    return Hit(1, 1, slug, slug.title(), slug.title(), "", f"text of {slug}", "en", score, 0.0, 0.0)


def classified(*guesses: tuple[str, float], in_scope: float = 1.0) -> Classification:
    return Classification(tuple(IntentGuess(name, p) for name, p in guesses), in_scope)


def evidence(*, classification=None, hits=(), **changes) -> Evidence:
    classification = classification or classified()
    found = gather(classification, {"refund_time": REFUND, "cancel_order": CANCEL}, hits)
    start = Evidence(
        readable=True,
        smalltalk=None,
        asks_for_person=False,
        asked_again=False,
        candidates=weigh([Behind(found)], in_scope=classification.in_scope, weights=None),
        draft=None,
        options=OPTIONS,
    )
    return replace(start, **changes)


def draft(passed: bool) -> Draft:
    return Draft(
        "Within 3 days.", -0.1, (1,), check=Check(passed, () if passed else ("number 3 is in no source",))
    )


def test_an_action_comes_before_its_intents_answer_where_the_bot_is_sure_or_has_every_detail() -> None:
    def rule(probability: float, action: str, other: float = 0.0) -> str:
        ranked = [Candidate(probability, "Order status", "order_status", None, "Look here.")]
        ranked += [Candidate(other, "Refund", "refund_time", None, "3 days.")] if other else []
        asked = Evidence(True, None, False, False, ranked, None, SiteOptions(), action)  # type: ignore[arg-type]
        return decide(asked).rule

    assert rule(0.7, "none") == "sure"
    assert rule(0.7, "bound") == "action"
    assert rule(0.62, "bound", 0.6) == "torn"
    assert rule(0.4, "bound") == "perhaps"
    assert rule(0.4, "complete") == "action"
    assert rule(0.2, "complete") == "not_known"


def test_a_draft_that_was_left_out_is_given_as_the_reason_for_the_passage():
    sure = evidence(hits=[hit("refund-time", 0.95)], classification=classified(("refund_time", 0.95)))
    assert decide(sure).reason.endswith("no draft was made")
    hurried = decide(replace(sure, left_out=True))
    assert hurried.kind == "passage" and hurried.reason.endswith(
        "the draft was left out: too many messages at once"
    )
    assert replace(hurried, reason="") == replace(decide(sure), reason="")


def test_a_person_is_never_refused_to_who_asks_for_one():
    decision = decide(evidence(asks_for_person=True, classification=classified(("cancel_order", 0.99))))
    assert (decision.kind, decision.rule) == ("person", "asked_for_person")


def test_a_sure_intent_with_an_approved_answer_is_answered_with_it():
    decision = decide(evidence(classification=classified(("cancel_order", 0.9))))
    assert decision.kind == "approved"
    assert decision.chosen is not None and decision.chosen.approved == CANCEL.approved


def test_out_of_scope_takes_the_confidence_away():
    decision = decide(evidence(classification=classified(("cancel_order", 0.9), in_scope=0.1)))
    assert (decision.kind, decision.rule) == ("unknown", "not_known")


def test_classifier_and_search_that_agree_are_surer_than_each_alone():
    alone = decide(evidence(hits=[hit("refund-time", 0.5)]))
    both = decide(evidence(hits=[hit("refund-time", 0.5)], classification=classified(("refund_time", 0.5))))
    assert (alone.kind, both.kind) == ("choices", "passage")
    assert both.confidence == pytest.approx(0.75)


def test_a_checked_draft_is_sent_only_in_the_mode_that_allows_it():
    found = {"hits": [hit("refund-time", 0.9)], "draft": draft(passed=True)}
    assert decide(evidence(**found)).kind == "generated"
    for mode in ("approved_and_cited", "drafts_only"):
        options = replace(OPTIONS, mode=mode)
        assert decide(evidence(**found, options=options, for_agents=True)).kind == "passage"


def test_a_release_is_measured_as_if_it_answered_where_it_answers_nobody():
    drafts = replace(OPTIONS, mode="drafts_only")
    sure = evidence(hits=[hit("refund-time", 0.9)], options=drafts)
    assert decide(sure).kind == "person"
    assert decide(replace(sure, options=drafts.answering())).kind == "passage"
    assert OPTIONS.answering() is OPTIONS


def test_a_draft_about_what_may_be_out_of_scope_gives_way_to_the_passage():
    found = {"hits": [hit("refund-time", 0.9)], "draft": draft(passed=True)}
    assert decide(replace(evidence(**found), footing=Footing(0.99))).kind == "generated"
    decision = decide(replace(evidence(**found), footing=Footing(0.85)))
    assert decision.kind == "passage"
    assert "at 0.85 in scope" in decision.reason


def test_that_words_are_new_is_said_where_it_is_why_nothing_is_known() -> None:
    found = evidence(classification=classified(("cancel_order", 0.1)))
    best = replace(found.candidates[0], probability=0.1)
    assert "new to it" not in decide(replace(found, candidates=[best])).reason
    told = decide(replace(found, candidates=[replace(best, new_words=0.7, strange=0.5)])).reason
    assert told.endswith("; 70% of the words are new to it")
    asked_before = replace(best, not_known=0.9, new_words=0.7, strange=0.5)
    told = decide(replace(found, candidates=[asked_before])).reason
    assert told.endswith("; agents did not know when this was asked before; 70% of the words are new to it")


def test_what_is_below_a_threshold_is_told_below_it() -> None:
    found = evidence(classification=classified(("cancel_order", 0.1)))
    best = replace(found.candidates[0], probability=OPTIONS.choice_floor - 0.001)
    assert "has 0.24, below 0.25" in decide(replace(found, candidates=[best])).reason
    exactly = replace(best, probability=0.1)
    assert "has 0.10, below 0.25" in decide(replace(found, candidates=[exactly])).reason


def test_a_draft_that_failed_its_check_gives_way_to_the_passage_and_the_reason_is_kept():
    decision = decide(evidence(hits=[hit("refund-time", 0.9)], draft=draft(passed=False)))
    assert decision.kind == "passage"
    assert "number 3 is in no source" in decision.reason


def test_two_likely_candidates_are_asked_about():
    options = replace(OPTIONS, sureness=0.45, choice_floor=0.2)
    decision = decide(evidence(hits=[hit("a", 0.8), hit("b", 0.78)], options=options))
    assert (decision.kind, decision.rule) == ("choices", "torn")
    assert [c.article_slug for c in decision.choices] == ["a", "b"]


def test_the_same_question_again_is_not_answered_the_same_way():
    decision = decide(evidence(asked_again=True, classification=classified(("cancel_order", 0.99))))
    assert (decision.kind, decision.rule) == ("unknown", "asked_again")


@given(
    st.lists(st.tuples(st.sampled_from(["refund_time", "cancel_order"]), st.floats(0, 1)), max_size=2),
    st.lists(
        st.tuples(st.sampled_from(["refund-time", "cancel-order", "other"]), st.floats(0, 1)), max_size=3
    ),
    st.floats(0, 1),
    st.sampled_from(["approved_and_cited", "generated_allowed", "drafts_only"]),
    st.sampled_from([None, True, False]),
)
def test_nothing_below_the_sureness_is_ever_answered(guesses, hits, in_scope, mode, passed):
    decision = decide(
        evidence(
            classification=classified(*guesses, in_scope=in_scope),
            hits=[hit(slug, score) for slug, score in hits],
            draft=None if passed is None else draft(passed),
            options=replace(OPTIONS, mode=mode),
        )
    )
    assert decision.reason and decision.rule
    assert 0 <= decision.confidence <= 1
    if decision.kind in ("approved", "passage", "generated"):
        assert decision.confidence >= OPTIONS.sureness
    if mode == "drafts_only":
        assert decision.kind == "person"
    if decision.kind == "generated":
        assert mode == "generated_allowed" and passed is True


def test_pages_of_text_are_no_question_but_may_ask_for_a_person():
    sure = classified(("cancel_order", 0.99))
    decision = decide(evidence(too_long=True, classification=sure))
    assert (decision.kind, decision.rule) == ("unknown", "too_long")
    assert decide(evidence(too_long=True, asks_for_person=True, classification=sure)).kind == "person"
