"""Of an article with a section for each product, those about the one that was asked for."""

from __future__ import annotations

import pytest

from chatbot.dialogue.sections import LONGEST, about_what_is_named, as_asked, heading_of, unnamed
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


APART = [
    hit(GENERAL, "How to descale"),
    hit("1. Hold Steam.\n2. Rinse.", "How to descale › The Crane One", 2),
    hit("It has no programme.", "How to descale › The Crane Mini", 3),
    hit("Vinegar is bad.", "How to descale › Never", 4),
]


def never() -> list[Hit]:
    raise AssertionError("nothing is looked up")


def test_a_passage_about_one_product_comes_behind_the_opening_where_none_was_named() -> None:
    shown = as_asked(APART[2], lambda: APART, ["how do I descale?"])
    assert shown.text == (
        "Descale it every 200 cups.\n\nThe Crane One\n1. Hold Steam.\n2. Rinse.\n\nThe Crane Mini\nIt has no programme."
    )
    assert (shown.passage_id, shown.title_path) == (3, "How to descale")


def test_of_many_products_only_the_one_that_was_found_stands_behind_the_opening() -> None:
    long = [
        *APART[:1],
        hit("Rinse it well. " * (LONGEST // 14), "How to descale › The Crane One", 2),
        *APART[2:],
    ]
    shown = as_asked(long[2], lambda: long, ["how do I descale?"])
    assert shown.text == "Descale it every 200 cups.\n\nThe Crane Mini\nIt has no programme."


def test_a_passage_about_another_product_gives_way_to_the_one_that_was_named() -> None:
    assert as_asked(APART[2], lambda: APART, ["how do I descale my crane one?"]) == APART[1]
    assert as_asked(APART[2], lambda: APART, ["how?", "I have a crane mini"]) is APART[2]
    assert as_asked(ARTICLE[1], lambda: ARTICLE, ["my Crane Mini"]).text == (
        "Descaling the Crane Mini\nThe Crane Mini has no programme: run the solution through."
    )


def test_what_is_about_no_product_is_shown_as_it_is() -> None:
    assert as_asked(APART[3], lambda: APART, ["vinegar?"]) is APART[3]
    assert as_asked(APART[0], never, ["how often?"]) is APART[0]
    opened = hit(f"{GENERAL}\nThe Crane Mini\nIt has none.\nThe Crane One\nHold it.", "How to descale")
    assert as_asked(opened, lambda: [opened], ["how often?"]) is opened


def test_the_products_of_which_none_was_named() -> None:
    assert unnamed(APART, ["how?"]) == {"The Crane One", "The Crane Mini"}
    assert unnamed(APART, ["how?", "I have a crane mini"]) == frozenset()
    assert unnamed(APART[:2], ["how?"]) == frozenset()


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("The Basic plan", "The Premium plan", True),
        ("Basic 套餐", "Premium 套餐", True),
        ("Connect to WiFi", "Set up the App", False),
        ("连接 WiFi", "设置 App", False),
        ("How to clear E-1003", "If E-1003 comes back", False),
    ],
)
def test_only_headings_of_one_kind_tell_products_apart(first: str, second: str, alike: bool) -> None:
    article = [hit("It is so.", f"Help › {first}"), hit("It is not.", f"Help › {second}", 2)]
    assert bool(unnamed(article, ["how is it?"])) is alike
    assert (as_asked(article[1], lambda: article, ["how is it?"]) is article[1]) is not alike


def test_a_name_beside_chinese_characters_is_named() -> None:
    assert as_asked(CHINESE[0], lambda: CHINESE[:1], ["用mini怎么除垢"]).text.startswith("Crane Mini 除垢\n")
