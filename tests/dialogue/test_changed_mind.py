"""Who turns from what was said is read by himself; who goes on is read behind it."""

from __future__ import annotations

import pytest

from chatbot.dialogue.changed_mind import read_anew
from chatbot.dialogue.trace import Message

EN = [
    Message("customer", "How do I descale my machine?"),
    Message("bot", "With descaler.", "article:descale"),
]
ZH = [Message("customer", "怎么除垢"), Message("bot", "用除垢剂。", "article:descale")]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("hmm ok. forget it. how long do I have to return it", "how long do I have to return it"),
        ("never mind, where is my order KC-204817?", "where is my order KC-204817?"),
        ("Other thing: how do I stop your mails", "how do I stop your mails"),
        ("actually no, keep it. but can you ship it elsewhere?", "but can you ship it elsewhere?"),
        ("Something else. Do you ship to Norway?", "Do you ship to Norway?"),
        ("算了,最长能停多久", "最长能停多久"),
        ("对了,登录老要验证码", "登录老要验证码"),
        ("换个问题，你们周日营业吗", "你们周日营业吗"),
    ],
)
def test_who_turns_to_another_matter_is_read_without_what_was_said(text: str, rest: str) -> None:
    assert read_anew(text, EN) == (rest, ())
    assert read_anew(text, []) == (text, [])


@pytest.mark.parametrize(
    ("text", "before", "asked"),
    [
        ("no, I meant the kettle", EN, "How do I descale the kettle?"),
        ("I was asking about the Crane Mini!", EN, "How do I descale the Crane Mini?"),
        ("我说的是水壶", ZH, "水壶怎么除垢?"),
        ("不是，我问的是磨豆机", ZH, "磨豆机怎么除垢?"),
    ],
)
def test_what_was_meant_is_put_into_the_question_before(text: str, before: list[Message], asked: str) -> None:
    assert read_anew(text, before) == (asked, ())


@pytest.mark.parametrize(
    "text",
    [
        "forget it",
        "never mind, thanks",
        "forget the gasket, it leaks below",
        "other things in the box?",
        "something else to clean?",
        "can I leave it in the box?",
        "I meant that the box was open when it came and so on",
        "never mind the price, do you ship it",
        "算了",
        "是不是得先把这个退回去",
        "我说的是昨天下午打电话来的那位先生答应我的事",
    ],
)
def test_who_goes_on_or_only_drops_it_is_read_behind_what_was_said(text: str) -> None:
    assert read_anew(text, EN) == (text, EN)
