"""What a customer's few words mean to a request that waits: it is dropped, or tried again."""

from __future__ import annotations

import pytest

from chatbot.dialogue.own_words import is_dropped, tries_again


@pytest.mark.parametrize(
    "text",
    ["never mind", "Actually, forget it.", "ok forget about it", "you know what, leave it as it is", "let's leave it",
     "I no longer want to", "don't bother, thanks", "no thanks", "cancel", "算了", "那算了吧", "还是不改了",
     "算了，不改了", "我不想改了", "取消吧"],
)  # fmt: skip
def test_who_no_longer_wants_it(text: str) -> None:
    assert is_dropped(text)


@pytest.mark.parametrize(
    "text",
    ["leave it at the neighbours", "I don't want it any more", "I don't want to change the name", "forget the person",
     "cancel my order", "取消订单", "我不要了", "我不要红色的", "Stop Street 5", "不查询"],
)  # fmt: skip
def test_what_may_be_an_answer_drops_nothing(text: str) -> None:
    assert not is_dropped(text)


@pytest.mark.parametrize(
    "text",
    ["try again", "ok, try it again please", "again", "retry", "and now?", "can you check again?", "one more time",
     "再试一次", "再试试", "重试", "请再查一下", "那再试一下吧"],
)  # fmt: skip
def test_who_wants_it_tried_again(text: str) -> None:
    assert tries_again(text)


@pytest.mark.parametrize(
    "text",
    ["I want to order again", "try the other one", "so what now", "再见", "再买一个", "重新下单", "do it"],
)
def test_what_asks_for_something_else_tries_nothing_again(text: str) -> None:
    assert not tries_again(text)
