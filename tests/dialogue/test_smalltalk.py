from __future__ import annotations

import pytest

from chatbot.dialogue.smalltalk import smalltalk


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
