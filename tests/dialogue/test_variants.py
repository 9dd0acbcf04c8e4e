"""A bare question for a colour, a size or a material, behind what was spoken of."""

import pytest

from chatbot.dialogue.trace import Hit
from chatbot.dialogue.variants import naming, variant_asked


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("and the blue one?", "blue"),
        ("and in large?", "large"),
        ("what about the wooden version", "wooden"),
        ("the red one", "red"),
        ("And black?", "black"),
        ("蓝色的呢？", "蓝"),
        ("那大号的呢", "大"),
        ("红色款呢？", "红"),
    ],
)
def test_a_bare_variant_is_read(text: str, variant: str) -> None:
    assert variant_asked(text) == variant


@pytest.mark.parametrize(
    "text",
    ["and the blue light?", "the blue one is broken", "how do I return the red one?", "one", "and the price?",
     "yes please", "蓝灯亮了", "红色的坏了", "大概多久", "小票呢", "and in a shop?", ""],
)  # fmt: skip
def test_what_says_more_is_none(text: str) -> None:
    assert variant_asked(text) is None


def test_the_passage_that_names_it_is_found_by_the_whole_word() -> None:
    def hit(text: str) -> Hit:
        return Hit(1, 1, "kettle", "Kettle", "Kettle", "", text, "en", 0.0, 0.0, 0.0)

    passages = [hit("Delivered in two days, bluetooth included."), hit("The Blue kettle costs more.")]
    assert naming("blue", passages) is passages[1]
    assert naming("red", passages) is None
    assert naming("蓝", [hit("有蓝色和红色")]) is not None
