"""When a sentence of the bot's own may be sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatbot.dialogue.follow_ups import what_it_follows
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.policy import may_speak
from chatbot.dialogue.speaking import NEEDED, Footing, held_back
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Candidate

REFUND = Candidate(0.95, "Refund time", article_slug="refund-time", asked=0.6, asked_elsewhere=0.6)
BEHIND = Footing(in_scope=1.0, alone=1.0, follows="an answer")


def said(*told: tuple[str, str | None]) -> list[Message]:
    """Questions with what was answered to each (None: nothing)."""
    pairs = [(Message("customer", text), Message("bot", "So it is.", topic)) for text, topic in told]
    return [message for pair in pairs for message in pair]


@pytest.mark.parametrize(
    ("before", "follows"),
    [
        ([], "nothing"),
        ([Message("bot", "Hello! Ask me anything.")], "nothing"),
        (said(("hello", None)), "nothing"),
        (said(("when is my refund due", "refund_time")), "an answer"),
        (said(("when is my refund due", "refund_time"), ("thanks", None)), "an answer"),
        (said(("when is my refund due", "refund_time"), ("will it hurt my credit score", None)), "no answer"),
        ([*said(("where is my parcel", "track")), Message("customer", "hm"), Message("agent", "One moment.")],
         "no answer"),
        ([*said(("where is my parcel", "track")), Message("customer", "and when does it come")], "an answer"),
    ],
)  # fmt: skip
def test_what_a_message_follows_is_the_last_thing_that_was_asked_and_replied_to(before, follows):
    assert what_it_follows(before) == follows


def test_a_question_without_an_answer_before_it_needs_more_than_an_answer_and_this_more_than_nothing():
    behind_none = replace(BEHIND, follows="no answer")
    for low, high in ((Footing(), BEHIND), (BEHIND, behind_none)):
        needed = NEEDED[low.follows], NEEDED[high.follows]
        between = replace(REFUND, probability=sum(needed) / 2)
        assert held_back(between, low) is None
        assert f"needs {needed[1]:.2f}" in (held_back(between, high) or "")


def test_what_is_out_of_scope_by_itself_is_not_written_about_because_of_what_was_said_before():
    assert held_back(REFUND, replace(BEHIND, alone=0.75)) is None
    assert "at 0.37 alone" in (held_back(REFUND, replace(BEHIND, alone=0.37)) or "")


def test_another_article_that_was_asked_more_like_this_keeps_the_sentence_back():
    assert held_back(replace(REFUND, asked_elsewhere=0.65), BEHIND) is None
    assert "another article" in (held_back(replace(REFUND, asked_elsewhere=0.71), BEHIND) or "")


def test_an_answer_that_is_approved_is_never_written_anew():
    options = SiteOptions(mode="generated_allowed")
    assert may_speak(REFUND, options, BEHIND)
    assert not may_speak(replace(REFUND, approved="Within 3 days."), options, BEHIND)
    assert not may_speak(REFUND, replace(options, mode="approved_and_cited"), BEHIND)
