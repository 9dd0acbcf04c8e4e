"""Judging what was sent against what a right answer holds."""

from __future__ import annotations

import json

import pytest

from chatbot.dialogue.trace import Classification, Hit, PartTrace, Reply, ReplyPart, Trace
from chatbot.errors import FileError
from chatbot.learning.questions import Asked, Question, figures, judge, load_questions, states_facts

ASKED = Question(
    "q1",
    "en",
    "when is my money back",
    "refund_time",
    "refund",
    (),
    (("3 days", "three days"),),
    ("30 days",),
)
OUTSIDE = Question("q2", "en", "do you sell cars", "oos", None)


def sent(kind: str, text: str, *, intent: str | None = None, article: str = "refund") -> tuple[Reply, Trace]:
    hit = Hit(1, 1, article, "t", "t", "", text, "en", 0.9, 0.0, 0.0)
    part = PartTrace("", "en", Classification((), 0.0), (hit,), None, kind, "sure", "")
    return Reply((ReplyPart(text, kind, 0.9, intent),)), Trace("r1", "generated_allowed", {}, (part,))


@pytest.mark.parametrize(
    ("kind", "text", "extra", "judgement"),
    [
        ("approved", "Soon.", {"intent": "refund_time"}, "right"),
        ("approved", "Soon.", {"intent": "cancel_order"}, "wrong"),
        ("passage", "Long text.", {"article": "refund"}, "right"),
        ("passage", "Long text.", {"article": "return"}, "wrong"),
        ("generated", "It takes Three days.", {}, "right"),
        ("generated", "It takes 3 days, at most 30 days.", {}, "wrong"),
        ("generated", "It takes a while.", {}, "wrong"),
        ("choices", "Did you mean?", {}, "choices"),
        ("unknown", "I am not sure.", {}, "unanswered"),
        ("person", "A colleague comes.", {}, "unanswered"),
    ],
)
def test_a_reply_is_judged_by_what_it_says_and_what_it_rests_on(kind, text, extra, judgement):
    assert judge(ASKED, *sent(kind, text, **extra)) == judgement


def test_what_is_out_of_scope_must_not_be_answered_as_if_known():
    assert judge(OUTSIDE, *sent("passage", "We sell kettles.")) == "wrong"
    assert judge(OUTSIDE, *sent("choices", "Did you mean?")) == "choices"


def test_facts_are_found_whatever_the_spaces_and_the_width():
    assert states_facts("退款需 3 个工作日", [["3个工作日"]], ["30天"])
    assert states_facts("７ days", [["7 days"]], [])
    assert not states_facts("3 days", [["3 days"], ["free"]], [])


def test_figures_are_shares_of_the_questions_in_scope_and_of_those_outside():
    def asked(question, reply):
        return Asked(question, *reply, judge(question, *reply))

    rows = [
        asked(ASKED, sent("generated", "3 days")),
        asked(ASKED, sent("unknown", "?")),
        asked(OUTSIDE, sent("unknown", "?")),
    ]
    english, everything = figures(rows)
    assert (english.right, english.unanswered, english.refused) == (50.0, 50.0, 100.0)
    assert everything.generated_right == 1


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"id": "a"}) + "\n", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        load_questions(path)
    assert caught.value.field == "questions.jsonl:1"
    with pytest.raises(FileError, match="cannot be read"):
        load_questions(tmp_path / "none.jsonl")
