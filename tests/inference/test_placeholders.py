"""What fills the placeholders that the generator writes."""

from __future__ import annotations

import pytest

from chatbot.dialogue import grounding
from chatbot.dialogue.trace import Message
from chatbot.inference.placeholders import Values, kind_of

TALK = [
    Message("customer", "My order [ORDER] of 3 May has not come, nor has [ORDER_2]."),
    Message("agent", "I am [NAME], your reference is [CODE]."),
    Message("action", 'lookup {"status": "sent", "amount": "€24.50"}'),
    Message("customer", "write to [EMAIL]"),
]


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("[ORDER] is on its way.", "[ORDER] is on its way."),  # the customer's own stays
        ("[ORDER_3] is on its way.", "[ORDER_2] is on its way."),  # any other is the newest of its type
        ("You get [AMOUNT] back.", "You get €24.50 back."),  # of a look-up
        ("It was sent on [DATE].", "It was sent on 3 May."),
        ("We write to [EMAIL_2].", "We write to [EMAIL]."),
        ("I am [NAME].", "I am [NAME]."),  # what an agent said fills nothing
    ],
)
def test_a_placeholder_is_filled_with_the_newest_value_of_its_type(written: str, filled: str) -> None:
    assert Values.of(TALK).fill(written) == filled


def test_only_what_the_customer_or_a_look_up_said_has_a_value() -> None:
    assert set(Values.of(TALK).newest) == {"ORDER", "DATE", "AMOUNT", "EMAIL"}
    assert Values.of(TALK[1:2]).newest == {}


def test_a_filled_value_is_checked_like_any_other() -> None:
    said = [message.text for message in TALK if message.role == "customer"]
    sources = ["status: sent; amount: €24.50", "Refunds\nThe refund of €30.00 is paid back."]
    filled = Values.of(TALK).fill("The refund of [AMOUNT] is paid back.")
    found = grounding.check(filled, sources=sources, customer=said, lang="en")
    assert not found.passed and any("24.5" in reason for reason in found.reasons)


def test_the_type_of_a_numbered_placeholder() -> None:
    assert (kind_of("[ORDER]"), kind_of("[ORDER_12]")) == ("ORDER", "ORDER")
