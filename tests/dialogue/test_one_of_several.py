"""What is about one product of several that the customer did not name."""

from __future__ import annotations

import pytest

from chatbot.dialogue.one_of_several import OneOfSeveral

ENGLISH = [
    "Aim for 18 g. With the Crane Mini, use 16 g. On the Crane One and the Crane Duo, 18 g fit. Use Crane oil,",
    "Swiftline parcels cannot be redirected. Use Kettle soap.",
]
CHINESE = ["每 200 杯除垢一次。Crane Mini 没有除垢程序。Crane Duo 按住蒸汽键。"]


@pytest.mark.parametrize(
    ("statement", "said", "aside"),
    [
        ("With the Crane Mini, use 16 g.", ["how much coffee?"], True),
        ("The Crane Mini has no programme.", ["how do I descale my Crane One"], True),
        ("The Crane Mini has no programme.", ["how do I descale the mini"], False),
        ("The Crane One is out.", ["the one with the small tank"], True),
        ("The Crane Mini has none.", ["and the duo?", "I have a Crane Mini"], True),
        ("The Crane Mini has none.", ["and now?", "I have a Crane Mini"], False),
        ("The Crane Mini, the Crane One and the Crane Duo have a tank.", ["is there a tank?"], False),
        ("Aim for 18 g of coffee with the Crane Mini.", ["how much coffee?"], False),
        ("Use Crane oil on it.", ["which oil?"], False),
        ("Swiftline parcels cannot be redirected.", ["can I redirect it?"], False),
    ],
)
def test_a_statement_that_begins_with_one_of_several_products(
    statement: str, said: list[str], aside: bool
) -> None:
    assert OneOfSeveral(ENGLISH, said)(statement, "") is aside


def test_in_chinese_the_name_may_begin_the_sentence_anywhere() -> None:
    assert OneOfSeveral(CHINESE, ["怎么除垢"])("Crane Mini 没有除垢程序。", "")
    assert OneOfSeveral(CHINESE, ["怎么除垢"])("使用 Crane Mini 时先取下手柄。", "")
    assert not OneOfSeveral(CHINESE, ["我的 Mini 怎么除垢"])("Crane Mini 没有除垢程序。", "")
    assert not OneOfSeveral(CHINESE, ["怎么除垢"])("每 200 杯除垢一次。", "")


def test_what_the_title_names_is_what_all_of_it_is_about() -> None:
    named = OneOfSeveral(ENGLISH, ["it is locked"], titles=["Error E-4021 (Crane One, Crane Duo)"])
    assert not named("The Crane One is locked.", "")
    assert named("The Crane Mini is not.", "")


def test_a_section_about_a_product_that_was_not_named_is_aside_whatever_it_says() -> None:
    told = OneOfSeveral([], [], sections=["The Basic plan"])
    assert told("It has no telephone support.", "The Basic plan")
    assert not told("It has no telephone support.", "Support")


def test_dates_are_no_products() -> None:
    assert not OneOfSeveral(["We close on January 1 and on January 6."], ["when?"])(
        "On January 1 we close.", ""
    )
