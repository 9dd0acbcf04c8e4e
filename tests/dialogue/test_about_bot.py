"""What is said about the bot instead of asking something."""

from __future__ import annotations

import pytest

from chatbot.dialogue.about_bot import LIMIT
from chatbot.dialogue.person_wish import asks_for_person
from chatbot.dialogue.smalltalk import smalltalk


@pytest.mark.parametrize(
    "text",
    [
        "are you a bot?",
        "Are you even human?",
        "am I talking to a robot or a person?",
        "who are you",
        "is this a bot or a person",
        "so are you a real person?",
        "wait, am I chatting with an AI?",
        "you're a bot, aren't you",
        "what is your name",
        "r u a robot",
        "Are you a human being or a machine?",
        "你是真人吗",
        "你是机器人吗？",
        "你是機器人嗎",
        "你是AI吗",
        "你是人工还是机器",
        "请问您是人工客服吗",
        "对面是不是机器人",
        "我是在和机器人说话吗",
        "你到底是谁",
        "你叫什么名字",
    ],
)
def test_who_asks_whom_he_talks_to_is_told_and_given_no_contact_data(text: str) -> None:
    assert smalltalk(text) == "about_bot" and not asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "you're not helping",
        "You are useless!",
        "stupid bot",
        "that's not what I asked",
        "you don't understand me",
        "that didn't help",
        "this is a joke",
        "you never answered my question",
        "你真没用",
        "你怎么这么笨",
        "我不是问这个",
        "我问的不是这个",
        "你没听懂我的意思",
        "答非所问",
        "垃圾機器人",
        "你聽不懂人話嗎",
        "😡😡😡",
        "👎",
    ],
)
def test_who_complains_about_the_bot_is_understood(text: str) -> None:
    assert smalltalk(text) == "bot_blamed"


@pytest.mark.parametrize(
    "text",
    [
        "thank you so much you are great",
        "haha you're pretty smart",
        "good bot",
        "that was really helpful",
        "well done",
        "哈哈你还挺聪明",
        "你真厉害",
        "你好聪明啊",
        "太棒了谢谢",
        "這個機器人挺好用",
    ],
)
def test_who_praises_the_bot_is_understood(text: str) -> None:
    assert smalltalk(text) == "bot_praised"


@pytest.mark.parametrize(
    "text",
    [
        "one more thing",
        "well?",
        "Oh, one more question!",
        "I have a question",
        "can I ask you something?",
        "还有个问题",
        "请问一下",
        "对了",
        "喂？",
        "我想問一下",
    ],
)
def test_who_is_about_to_ask_is_asked_on(text: str) -> None:
    assert smalltalk(text) == "go_on"


@pytest.mark.parametrize(
    "text",
    [
        "is this a machine",
        "is it a good machine",
        "are you open now?",
        "are you hiring a manager",
        "is the person at the door from you",
        "who is this for",
        "this is terrible coffee",
        "you are late with my order",
        "you're charging me twice",
        "is there a real human here",
        "I have a question about my order",
        "do you sell robots",
        "这个没用",
        "弄过了没用",
        "你们的机器怎么这么差",
        "你们是上海的吗",
        "你们是不是卖机器人",
        "机器人多少钱",
        "对了，怎么退款",
        "我想问怎么退款",
        "这是人工制作的吗",
        "你们的咖啡真好喝吗",
    ],
)
def test_what_asks_about_something_else_is_no_small_talk(text: str) -> None:
    assert smalltalk(text) is None


def test_who_writes_more_says_more() -> None:
    assert smalltalk("are you a bot " + "or what " * LIMIT) is None


@pytest.mark.parametrize(
    ("text", "said"), [("👍", "thanks"), ("🙏🏽", "thanks"), ("👍😡", "bot_blamed"), ("🐳", None)]
)
def test_emoji_alone_say_something_where_everybody_means_the_same_by_them(
    text: str, said: str | None
) -> None:
    assert smalltalk(text) == said
