"""The one address that a message names as the new one."""

from __future__ import annotations

import pytest

from chatbot.dialogue.actions import Slot
from chatbot.dialogue.new_address import asks_address, named_address
from chatbot.language.redaction import redact


@pytest.mark.parametrize(
    ("text", "address"),
    [("change address of KC-204822 to Evil Street 1, 1000 AA Amsterdam", "Evil Street 1, 1000 AA Amsterdam"),
     ("ship order KC-204822 to Hauptstraße 5, 10115 Berlin, my email is a@example.com", "Hauptstraße 5, 10115 Berlin"),
     ("KC-204822, new address: 12 High Street, Leeds LS1 4AB. Thanks", "12 High Street, Leeds LS1 4AB"),
     ("把 KC-204822 改到上海市世纪大道100号3号楼502室 谢谢", "上海市世纪大道100号3号楼502室"),
     ("把KC-204822的收貨地址改成台北市信義路五段7號", "台北市信義路五段7號"),
     ("把KC-204817的地址改到鹿特丹Coolsingel 5号", "鹿特丹Coolsingel 5号"),
     ("改到伦敦，贝克街221号，NW1 6XE", "伦敦，贝克街221号，NW1 6XE")],
)  # fmt: skip
def test_the_new_address(text: str, address: str) -> None:
    assert named_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["change the address of KC-204822", "can you deliver to Germany?", "my postcode is 3011 AB",
     "I want to change 2 orders",
     "not Kade 5, 3011 AB Rotterdam", "把订单KC-204822改到12月5日送", "可以改到德国吗"],
)  # fmt: skip
def test_where_there_is_none_or_no_telling_none_is_taken(text: str) -> None:
    assert named_address(text) is None


def test_which_words_are_an_address() -> None:
    assert asks_address(Slot("new_address", "text")) and asks_address(
        Slot("to", "text", {"zh": "新的收货地址？"})
    )
    assert not asks_address(Slot("reason", "text", {"en": "Why, and at which e-mail address?"}))
    assert not asks_address(Slot("address", "pattern", pattern="[A-Z]+"))


def test_an_order_before_a_street_is_an_order_and_a_postcode_behind_it_none() -> None:
    assert redact("change address of KC-204822 to Evil Street 1, 1000 AA Amsterdam") == (
        "change address of [ORDER] to [ADDRESS]"
    )
    assert redact("ship to Gedimino pr. 1, LT-01100 Vilnius") == "ship to [ADDRESS]"
