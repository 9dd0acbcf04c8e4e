"""The wish for a person taken back while one is awaited."""

from __future__ import annotations

import pytest

from chatbot.dialogue.taking_back import only_takes_back, takes_back, without_taking_back


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("no wait, forget the person. how do i get my money back", "no wait, how do i get my money back"),
        ("forget it, how long is the warranty?", "how long is the warranty?"),
        ("I don't need a human. How long can I return it?", "How long can I return it?"),
        ("算了不转了，怎么退款", "怎么退款"),
        ("不用等了。退货期限多久？", "退货期限多久?"),
    ],
)
def test_what_is_asked_beside_it_is_kept(text: str, asked: str) -> None:
    assert takes_back(text) and not only_takes_back(text)
    assert without_taking_back(text) == asked


@pytest.mark.parametrize(
    "text",
    [
        "No thanks, I'd rather ask you",
        "never mind",
        "no need",
        "不用了谢谢，你回答就行",
        "算了，不轉了",
        "不等了",
    ],
)
def test_it_may_be_all_that_is_said(text: str) -> None:
    assert only_takes_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello?",
        "退款的事算了吧",
        "我买的东西不用了，想退",
        "I never got it",
        "I don't want to wait, connect me to an agent",
        "不想等了，转人工",
        "cancel my order",
        "no, I did not order that one",
        "please forget my old address",
    ],
)
def test_who_goes_on_waiting_does_not_take_it_back(text: str) -> None:
    assert not takes_back(text)
