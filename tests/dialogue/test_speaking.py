"""When a sentence of the bot's own may be sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatbot.dialogue.follow_ups import asked_before, opens
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.policy import may_speak
from chatbot.dialogue.speaking import NEEDED, Footing, held_back
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Candidate

REFUND = Candidate(0.95, "Refund time", article_slug="refund-time")
BEHIND = Footing(in_scope=1.0, behind=1)


def said(*told: tuple[str, str | None]) -> list[Message]:
    """Questions with what was answered to each (None: nothing)."""
    pairs = [(Message("customer", text), Message("bot", "So it is.", topic)) for text, topic in told]
    return [message for pair in pairs for message in pair]


@pytest.mark.parametrize(
    ("before", "asked"),
    [
        ([], 0),
        ([Message("bot", "Hello! Ask me anything.")], 0),
        ([Message("customer", "hm")], 0),
        (said(("hello", None)), 0),
        (said(("when is my refund due", "refund_time")), 1),
        (said(("when is my refund due", "refund_time"), ("thanks", None)), 1),
        (said(("will it hurt my credit score", None)), 1),
        ([*said(("hello", None)), Message("customer", "hm"), Message("agent", "One moment.")], 1),
        (said(("你好", None), ("退款多久", "refund_time"), ("寄回去谁付钱", "how_to_return")), 2),
        ([*said(("when is my refund due", "refund_time")), Message("customer", "and by card?")], 1),
    ],
)
def test_what_was_asked_before_is_counted_without_small_talk(before, asked):
    assert asked_before(before) == asked
    assert opens(before) is (asked == 0)


@pytest.mark.parametrize("behind", range(len(NEEDED)))
def test_the_more_was_asked_before_the_surer_a_sentence_must_be(behind):
    enough = replace(REFUND, probability=NEEDED[behind])
    assert held_back(enough, Footing(behind=behind)) is None
    more = min(behind + 1, len(NEEDED) - 1)
    if more > behind:
        assert f"needs {NEEDED[more]:.2f}" in (held_back(enough, Footing(behind=more)) or "")


def test_a_long_conversation_needs_what_its_fourth_question_does():
    last = len(NEEDED) - 1
    sure = replace(REFUND, probability=NEEDED[last])
    assert held_back(sure, Footing(behind=last + 9)) is None
    unsure = replace(sure, probability=NEEDED[last] - 0.01)
    assert held_back(unsure, Footing(behind=last + 9)) == held_back(unsure, Footing(behind=last))


def test_being_out_of_scope_counts_against_it():
    assert held_back(REFUND, Footing(0.95)) is None
    assert held_back(REFUND, Footing(0.9)) == "a drafted sentence needs 1.00 at 0.90 in scope"


def test_an_answer_that_is_approved_is_never_written_anew():
    options = SiteOptions(mode="generated_allowed")
    assert may_speak(REFUND, options, BEHIND)
    assert not may_speak(replace(REFUND, approved="Within 3 days."), options, BEHIND)
    assert not may_speak(REFUND, replace(options, mode="approved_and_cited"), BEHIND)


def test_a_generator_that_has_not_passed_its_gate_answers_nobody():
    unproven = Footing(proven=False)
    assert "have not passed their measure" in (held_back(replace(REFUND, probability=1.0), unproven) or "")
    assert not may_speak(REFUND, SiteOptions(mode="generated_allowed"), unproven)
