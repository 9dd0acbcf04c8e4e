"""Slips of who types Chinese by Pinyin, as they were meant."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chatbot.retrieval.homophones import LEAST, LEAST_FOR_WORD, Homophones
from chatbot.retrieval.spelling import Spelling

SOUNDS = ("货或火", "票漂", "保包", "修休", "在再", "登等", "的得")
ALIKE = {sign: set(same) - {sign} for same in SOUNDS for sign in same}
MUCH = 2 * LEAST
SAID = {
    "怎么": 0.1, "么退": MUCH, "退货": MUCH, "发票": MUCH, "保修": 2 * LEAST_FOR_WORD, "修期": MUCH,
    "或者": MUCH, "者换": MUCH, "再登": LEAST / 2, "漂亮": MUCH,
}  # fmt: skip
PASSAGES = {"退货": 9, "发票": 3, "保修": 2}


def homophones(said: dict[str, float], passages: dict[str, int]) -> Homophones:
    def shares(pairs: Sequence[str]) -> list[float]:
        return [said.get(pair, 0.0) for pair in pairs]

    return Homophones(ALIKE, {"包修", "漂亮"}, shares, lambda pair: passages.get(pair, 0), {"的"})


MENDS = homophones(SAID, PASSAGES)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("怎么退或", "怎么退货"),
        ("发漂在哪", "发票在哪"),
        ("包修期", "保修期"),  # a word in general, and nothing that anybody wrote here
        ("订单KC-1要退火,开发漂", "订单KC-1要退货,开发票"),
    ],
)
def test_a_character_that_sounds_alike_is_mended(written: str, meant: str) -> None:
    assert MENDS.mended(written) == meant
    assert Spelling(homophones=MENDS).mended(written, lang="zh") == meant
    assert Spelling(homophones=MENDS).mended(written, lang="en") == written


@pytest.mark.parametrize(
    "text",
    [
        "怎么退货",  # as it should be
        "退或者换",  # 或者 is known
        "发漂亮",  # 漂亮 is a word
        "登等",  # as few have written what it could be as have written this
        "登",
        "the 货 或",
        "",
    ],
)
def test_what_is_no_slip_stays(text: str) -> None:
    assert MENDS.mended(text) == text


@pytest.mark.parametrize(
    ("said", "passages"),
    [
        ({"退货": LEAST / 2}, {"退货": 9}),  # too rare
        ({"退货": MUCH, "退火": MUCH}, {"退货": 9, "退火": 9}),  # two are as likely
        ({"退货": MUCH, "退或": LEAST / 9}, {"退货": 9}),  # somebody wrote it like this
        ({"退货": MUCH}, {"退货": 1}),  # hardly any passage of today has it
        ({"退货": MUCH}, {"退货": 9, "退或": 1}),  # a passage of today has it as it stands
    ],
)
def test_where_it_is_not_sure_it_stays_as_written(said: dict[str, float], passages: dict[str, int]) -> None:
    assert homophones({"怎么": 0.1, "么退": MUCH, **said}, passages).mended("怎么退或") == "怎么退或"


def test_a_filler_is_never_put_in_and_without_sounds_nothing_is_mended() -> None:
    assert homophones({"好的": 0.5}, {"好的": 9}).mended("好得") == "好得"
    assert Homophones().mended("怎么退或") == "怎么退或"
