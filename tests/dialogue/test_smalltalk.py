from __future__ import annotations

import pytest

from chatbot.dialogue.smalltalk import asks_for_person, smalltalk


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi!", "greeting"),
        ("hello there", "greeting"),
        ("您好！", "greeting"),
        ("在吗？", "greeting"),
        ("Thanks a lot!!", "thanks"),
        ("好的，谢谢", "thanks"),
        ("bye 👋", "goodbye"),
        ("拜拜", "goodbye"),
        ("hi, where is my order", None),
        ("thanks but it still leaks", None),
        ("谢谢，那退款呢", None),
        ("", None),
        ("👋", None),
    ],
)
def test_only_a_whole_message_is_small_talk(text, name):
    assert smalltalk(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "Can I talk to a human please",
        "connect me with an agent",
        "I want a real person",
        "a human please",
        "Real person, please!",
        "转人工",
        "我要人工客服",
        "能不能转个真人",
    ],
)
def test_the_wish_for_a_person_is_understood(text):
    assert asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "The person at the door took my parcel",
        "is it hand made",
        "人工费多少钱",
        "do I get a refund",
        "person at the door",
        "这是手工做的吗",
    ],
)
def test_a_person_merely_mentioned_is_no_wish_for_one(text):
    assert not asks_for_person(text)
