"""A choice taken by words."""

from __future__ import annotations

import pytest

from chatbot.dialogue.picking import picked

ENGLISH = (("Lost parcel", "/a 1"), ("Delivery times", "/a 2"), ("How do I return a machine?", "/a 3"))
CHINESE = (("包裹丢失", "/a 1"), ("配送时间", "/a 2"))


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("the first one", "/a 1"),
        ("2", "/a 2"),
        ("the second one please", "/a 2"),
        ("Option 3", "/a 3"),
        ("the last one", "/a 3"),
        ("the lost parcel one", "/a 1"),
        ("delivery", "/a 2"),
        ("how do I return a machine?", "/a 3"),
        ("the fourth one", None),
        ("second hand", None),
        ("two machines", None),
        ("how long", None),
        ("I never got it", None),
        ("delivery of a machine", None),
        ("KC-204830", None),
    ],
)
def test_a_choice_is_taken_by_its_place_or_its_titles_words(text: str, payload: str | None) -> None:
    assert picked(text, ENGLISH) == payload


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("第二个", "/a 2"),
        ("第一", "/a 1"),
        ("選第一個", "/a 1"),
        ("最后一个", "/a 2"),
        ("我问的是配送时间", "/a 2"),
        ("丟失", None),
        ("丢失的那个", "/a 1"),
        ("第三个", None),
        ("第二个为什么取消了", None),
        ("退款", None),
        ("什么", None),
    ],
)
def test_so_it_is_in_chinese(text: str, payload: str | None) -> None:
    assert picked(text, CHINESE) == payload


def test_what_two_titles_hold_says_not_which_and_without_choices_nothing_is_taken() -> None:
    assert picked("refund", (("Refund time", "/a 1"), ("Refund to a card", "/a 2"))) is None
    assert picked("the first one", ()) is None
