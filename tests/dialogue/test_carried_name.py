"""The product that was named last, put into a question that leaves it out."""

from __future__ import annotations

import pytest

from chatbot.dialogue.carried_name import tells_more, with_the_name
from chatbot.dialogue.trace import Hit, Message
from chatbot.dialogue.weighing import Candidate

NAMES = frozenset(["crane", "mini", "one", "heron", "40"])


def behind(*said: str) -> list[Message]:
    return [
        turn
        for text in said
        for turn in (Message("customer", text), Message("bot", "The Crane Duo is nice."))
    ]


@pytest.mark.parametrize(
    ("said", "request_", "read"),
    [
        (["I like the Crane Mini"], "how much is it?", "how much is the Crane Mini?"),
        (["i like the crane mini", "thanks"], "And is it in stock?", "And is the crane mini in stock?"),
        (
            ["my Crane Mini broke", "what about the Heron 40?"],
            "how big is its hopper?",
            "how big is the Heron 40's hopper?",
        ),
        (["we sell the Basic Plan 2"], "what does this cost", "what does the Basic Plan 2 cost"),
        (["Crane Mini 有什么颜色"], "它多少钱", "Crane Mini 多少钱"),
        (["我想买Crane One"], "这款能退吗", "Crane One 能退吗"),
        (["我想买Crane One"], "多少钱？", "Crane One 多少钱？"),
        (["我想買 Crane One"], "有貨嗎", "Crane One 有貨嗎"),
    ],
)
def test_the_name_takes_the_place_of_the_pronoun(said: list[str], request_: str, read: str) -> None:
    assert with_the_name(request_, behind(*said), NAMES) == read


@pytest.mark.parametrize(
    ("said", "request_"),
    [
        (["I like the Crane Mini"], "how much is the Crane One, is it dear?"),
        (["I like the Crane Mini"], "how much is shipping?"),
        (["I like coffee"], "how much is it?"),
        (["I like the Crane Mini"], "I heard that shipping is free"),
        (["I like the Crane Mini", "a", "b", "c"], "how much is it?"),  # too long ago
        (["I like the Crane"], "how much is it?"),  # no name of its own
        (["Crane Mini 有什么颜色"], "运费多少钱"),
        (["Crane Mini 有什么颜色"], "可以退货吗"),
    ],
)
def test_where_nothing_is_left_out_or_nothing_was_named_there_is_nothing_to_read(
    said: list[str], request_: str
) -> None:
    assert with_the_name(request_, behind(*said), NAMES) is None


def candidate(slug: str, text: str) -> Candidate:
    hit = Hit(1, 1, slug, slug, slug, "", text, "en", 0.9, 0.0, 0.0)
    return Candidate(0.9, slug, None, slug, hit=hit)


def test_what_was_spoken_of_is_told_by_the_name_only_where_it_holds_the_price_that_was_asked_for() -> None:
    machines, plain = candidate("machines", "Crane Mini: €249."), candidate("machines", "The Mini is small.")
    before = [machines.topic]
    assert tells_more("how much is the Crane Mini?", machines, before)
    assert tells_more("Crane Mini 多少钱", candidate("machines", "Crane Mini：249 欧元。"), before)
    assert not tells_more("how much is the Crane Mini?", plain, before)
    assert not tells_more("is the Crane Mini vegan?", machines, before)
    assert tells_more("is the Crane Mini vegan?", machines, ["article:other", None])
