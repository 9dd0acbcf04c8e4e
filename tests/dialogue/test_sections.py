"""Of an article with a section for each product, those about the one that was asked for."""

from __future__ import annotations

import pytest

from chatbot.dialogue.sections import about_what_is_named, heading_of
from chatbot.dialogue.trace import Hit

GENERAL = "Descale it every 200 cups."
BOTH = """1. Take off the portafilter.
2. Hold Steam for 5 seconds.
Descaling the Crane Mini
The Crane Mini has no programme: run the solution through."""


def hit(text: str, path: str, number: int = 1) -> Hit:
    title = path.split(" › ")[0]
    return Hit(number, 1, "descale", title, path, "", text, "en", 0.9, 0.0, 0.0)


ARTICLE = [
    hit(GENERAL, "How to descale"),
    hit(BOTH, "How to descale › Descaling the Crane One and Crane Duo", 2),
]
CHINESE = [
    hit(
        "1. 取下手柄。\nCrane Mini 除垢\nCrane Mini 没有除垢程序。", "除垢 › Crane One 和 Crane Duo 除垢步骤"
    ),
    hit("每 200 杯除垢一次。", "除垢", 2),
]


def told(hits: list[Hit], *said: str) -> str:
    return " ".join(found.text for found in about_what_is_named(hits, said))


@pytest.mark.parametrize(
    ("said", "steps", "mini"),
    [
        ("How do I descale my Crane One?", True, False),
        ("descale crane duo", True, False),
        ("and the mini?", False, True),
        ("How do I descale it?", True, True),
        ("the one with the small tank", True, True),
        ("one Crane Mini and a Crane Duo, how do I descale them?", True, True),
        ("how do I descale a Crane", True, True),
    ],
)
def test_sections_of_other_products_are_left_out(said: str, steps: bool, mini: bool) -> None:
    text = told(ARTICLE, said)
    assert GENERAL in text
    assert ("Hold Steam" in text, "has no programme" in text) == (steps, mini)


def test_what_was_said_before_tells_the_product_where_the_message_does_not() -> None:
    assert "Hold Steam" not in told(ARTICLE, "how do I descale it?", "I have a Crane Mini")
    assert "has no programme" not in told(ARTICLE, "and the duo?", "I have a Crane Mini")


def test_in_chinese_a_product_is_what_stands_in_latin_letters() -> None:
    assert (
        told(CHINESE, "Crane Mini 怎么除垢？")
        == "Crane Mini 除垢\nCrane Mini 没有除垢程序。 每 200 杯除垢一次。"
    )
    assert "Mini" not in told(CHINESE, "我的 Crane Duo 怎么除垢")


def test_an_article_without_products_in_its_headings_stays_as_it_is() -> None:
    for first, second in (("Damaged burrs", "Blocked motor"), ("Refund Period", "Refund Costs")):
        plain = [hit("The period is 5 days.", f"Help › {first}"), hit("Costs: none.", f"Help › {second}", 2)]
        assert about_what_is_named(plain, ["what are the costs of a blocked motor"]) == plain
    large = [
        hit("Hold it.", "Help › Crane One"),
        hit("On the Crane Mini, wait. The Crane One, too.", "Help › Crane Mini", 2),
    ]
    assert about_what_is_named(large, ["my crane mini"]) == large[1:]
    assert about_what_is_named(ARTICLE[:1], ["Crane Mini"]) == ARTICLE[:1]


def test_a_heading_is_what_stands_below_the_article() -> None:
    assert heading_of(ARTICLE[0]) == ""
    assert heading_of(ARTICLE[1]) == "Descaling the Crane One and Crane Duo"
