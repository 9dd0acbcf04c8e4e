"""What the turns before mean for a message."""

from __future__ import annotations

import pytest

from chatbot.dialogue.follow_ups import agreed_to, confirmed, topic_before, topics_before
from chatbot.dialogue.trace import Message

ASKED = Message("customer", "can I pay in instalments")
ANSWERED = Message("bot", "In three parts.", "instalments")
NOT_KNOWN = Message("bot", "That I don't know.", None)
OFFERED = Message("bot", "Shall I pass you on?", None, offers_person=True)
ELSE = Message("bot", "You're welcome! Is there anything else?", None)


@pytest.mark.parametrize(
    ("before", "topic"),
    [
        ([], None),
        ([ASKED], None),
        ([ASKED, ANSWERED], "instalments"),
        ([ASKED, NOT_KNOWN], None),
        ([ASKED, ANSWERED, Message("customer", "and my credit score?"), NOT_KNOWN], "instalments"),
        ([ASKED, ANSWERED, NOT_KNOWN, NOT_KNOWN], None),
        ([ASKED, ANSWERED, Message("agent", "Mei here, how can I help?")], None),
        ([ASKED, ANSWERED, Message("agent", "In a shop, too.", "shops")], "shops"),
        ([ASKED, ANSWERED, ASKED, Message("bot", "By card.", "payment"), ASKED, NOT_KNOWN], "payment"),
    ],
)
def test_who_gets_no_answer_asks_on_about_what_he_was_told(before: list[Message], topic: str | None) -> None:
    assert topic_before(before) == topic


def test_who_was_asked_back_may_go_on_about_any_of_it() -> None:
    asked_back = Message("bot", "Did you mean one of these?", None, (("shops", 0.4), ("payment", 0.3)))
    topics = topics_before([ASKED, ANSWERED, Message("customer", "and there?"), asked_back])
    assert topics == (("shops", 0.4), ("payment", 0.3), ("instalments", pytest.approx(0.3)))
    assert topics_before([ASKED, asked_back])[-1] == (None, pytest.approx(0.3))
    assert topics_before([ASKED, ANSWERED]) == (("instalments", 1.0),)
    assert topics_before([]) == ((None, 1.0),)


@pytest.mark.parametrize(
    ("text", "before", "agreed"),
    [
        ("yes please", [ASKED, OFFERED], "person"),
        ("ok", [ASKED, OFFERED], "person"),
        ("好的", [ASKED, OFFERED], "person"),
        ("no", [ASKED, OFFERED], "declined"),
        ("thanks", [ASKED, OFFERED], None),
        ("yes", [], "greeting"),
        ("yes", [ASKED, ANSWERED], "thanks"),
        ("no thanks", [ASKED, ANSWERED], "nothing_else"),
        ("yes", [ASKED, ANSWERED, Message("customer", "thanks"), ELSE], "go_on"),
        ("ok", [ASKED, ANSWERED, Message("customer", "thanks"), ELSE], "thanks"),
        (
            "no",
            [ASKED, Message("bot", "Which?", None, (("shops", 0.4),), choices=(("Shops", "/intent shops"),))],
            "not_meant",
        ),
        ("yes", [ASKED, Message("bot", "Did you mean one of these?", None, (("shops", 0.4),))], None),
        ("yes, and in a shop?", [ASKED, OFFERED], None),
    ],
)
def test_a_bare_yes_is_no_question(text: str, before: list[Message], agreed: str | None) -> None:
    assert agreed_to(text, before) == agreed


def test_a_bare_yes_takes_the_likeliest_of_what_was_asked_back() -> None:
    asked_back = Message("bot", "Did you mean one of these?", None, (("shops", 0.4), ("payment", 0.3)))
    assert confirmed("yes please", [ASKED, asked_back]) == confirmed("可以", [ASKED, asked_back]) == "shops"
    assert confirmed("no", [ASKED, asked_back]) is None
    assert confirmed("yes", [ASKED, ANSWERED]) is None
    offered = Message("bot", "Shall I pass you on?", None, (("shops", 0.2),), offers_person=True)
    assert confirmed("yes", [ASKED, offered]) is None
