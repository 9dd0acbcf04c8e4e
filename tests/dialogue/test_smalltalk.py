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
        ("english please then", "languages"),
        ("Do you speak German?", "languages"),
        ("can we continue in Chinese?", "languages"),
        ("English", "languages"),
        ("ok, English please. English!", "languages"),
        ("好的，说中文吧，谢谢", "languages"),
        ("Sprechen Sie Deutsch?", "languages"),
        ("请用中文回复", "languages"),
        ("能说英文吗？", "languages"),
        ("英文可以吗", "languages"),
        ("用英文的说明书有吗", None),
        ("is the manual in English?", None),
        ("hi, where is my order", None),
        ("thanks but it still leaks", None),
        ("谢谢，那退款呢", None),
        ("", None),
        ("👋", None),
    ],
)
def test_only_a_whole_message_is_small_talk(text, name):
    assert smalltalk(text) == name
