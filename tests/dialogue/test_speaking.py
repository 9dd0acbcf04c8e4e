"""When a sentence of the bot's own may be sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatbot.dialogue.follow_ups import opens
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.policy import may_speak
from chatbot.dialogue.speaking import NEEDED_BEHIND, NEEDED_OPENING, Footing, held_back
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Candidate

REFUND = Candidate(0.95, "Refund time", article_slug="refund-time")
BEHIND = Footing(in_scope=1.0, opens=False)


def said(*told: tuple[str, str | None]) -> list[Message]:
    """Questions with what was answered to each (None: nothing)."""
    pairs = [(Message("customer", text), Message("bot", "So it is.", topic)) for text, topic in told]
    return [message for pair in pairs for message in pair]


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ([], True),
        ([Message("bot", "Hello! Ask me anything.")], True),
        ([Message("customer", "hm")], True),
        (said(("hello", None)), True),
        (said(("when is my refund due", "refund_time")), False),
        (said(("when is my refund due", "refund_time"), ("thanks", None)), False),
        (said(("will it hurt my credit score", None)), False),
        ([*said(("hello", None)), Message("customer", "hm"), Message("agent", "One moment.")], False),
    ],
)
def test_small_talk_opens_no_conversation(before, first):
    assert opens(before) is first


def test_what_comes_behind_something_needs_more_than_what_opens_a_conversation():
    between = replace(REFUND, probability=(NEEDED_OPENING + NEEDED_BEHIND) / 2)
    assert held_back(between, Footing()) is None
    assert f"needs {NEEDED_BEHIND:.2f}" in (held_back(between, BEHIND) or "")
    assert held_back(replace(between, probability=NEEDED_BEHIND), BEHIND) is None


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
