from __future__ import annotations

import pytest

from chatbot.dialogue.smalltalk import calls, smalltalk


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
        ("ok thanks bye", "goodbye"),
        ("perfect, thank you so much! have a nice weekend", "goodbye"),
        ("lol thanks for your help", "thanks"),
        ("好的谢谢拜拜", "goodbye"),
        ("哈哈谢谢", "thanks"),
        ("you're welcome", "nothing_else"),
        ("no worries", "nothing_else"),
        ("hahaha", "nothing_else"),
        ("LOL", "nothing_else"),
        ("不客气", "nothing_else"),
        ("哈哈哈哈", "nothing_else"),
        ("HELLO??", "greeting"),
        ("yo", "greeting"),
        ("？？", "greeting"),
        ("idk", "not_meant"),
        ("I'm not sure", "not_meant"),
        ("不知道", "not_meant"),
        ("随便", "not_meant"),
        ("ok whatever", "nothing_else"),
        ("i luv ur coffee 😍😍", "bot_praised"),
        ("爱死你们家咖啡了😍", "bot_praised"),
        ("I love your coffee but it is late", None),
        ("not sure it works", None),
        ("不知道怎么退货", None),
        ("你们家咖啡怎么样", None),
        ("anyone there?", "greeting"),
        ("人呢？？", "greeting"),
        ("thanks for nothing", None),
        ("ok bye the way where is it", None),
        ("and then", None),
        ("have a problem", None),
        ("没关系的快递能退吗", None),
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


@pytest.mark.parametrize(
    "text",
    [
        "HELLO??",
        "?",
        "hello?",
        "hello, anyone there",
        "are you still there?",
        "在吗",
        "人呢？",
        "怎么不说话了",
    ],
)
def test_who_calls_for_somebody_is_told_from_who_greets(text):
    assert smalltalk(text) == "greeting" and calls(text)


@pytest.mark.parametrize("text", ["hello", "hi there!", "你好？", "good morning"])
def test_a_greeting_is_no_call(text):
    assert smalltalk(text) == "greeting" and not calls(text)
