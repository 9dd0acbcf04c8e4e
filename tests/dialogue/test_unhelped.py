from __future__ import annotations

import pytest

from chatbot.dialogue.trace import Hit, Message
from chatbot.dialogue.unhelped import did_not_help, unhelped
from chatbot.dialogue.weighing import KnownIntent

STEPS = (
    "The pump draws no water.\nHow to clear it\n1. Fill the tank. If it still fails, go on.\n2. Switch it on.\n"
    "If it comes back\nA dry filter is a cause. If the code still comes back, book a repair."
)
SEALED = "If the bag is still sealed, it can be returned."


@pytest.mark.parametrize(
    "text",
    [
        "did that, still there",
        "I did all of that. Still the same.",
        "tried that already",
        "it didn’t help",
        "nope, still nothing",
        "no change",
        "I followed your instructions, no luck",
        "did it twice now, still the same code",
        "did that once still dry",
        "changed that already",
        "I've already checked it",
        "checked spam already",
        "已经调过了",
        "垃圾邮件也看了",
        "试过了还是不行",
        "試過了還是不行",
        "弄过了没用",
        "按你说的做了，还是报错",
        "還是沒解決",
    ],
)
def test_a_trouble_that_goes_on_is_understood(text: str) -> None:
    assert did_not_help(text) == "stays"


@pytest.mark.parametrize(
    "text",
    [
        "that's not what I asked",
        "no, that is not my question",
        "you didn't answer my question",
        "我不是问这个",
        "我不是問這個",
        "答非所问",
        "不是这个意思",
    ],
)
def test_a_question_that_was_missed_is_understood(text: str) -> None:
    assert did_not_help(text) == "missed"


@pytest.mark.parametrize(
    "text",
    [
        "still sealed",
        "is it still possible?",
        "did that arrive?",
        "changed my address already",
        "checked it",
        "换过了",
        "已经付过款了",
        "垃圾邮件怎么退订",
        "tried it four times now",
        "my machine is not working",
        "I didn't ask for a refund",
        "did that, how long now?",
        "it works now",
        "that's what I asked",
        "that's not a problem",
        "没用过的能退吗",
        "试用过的机器能退吗",
        "还是不行。那送去修的话要几天",
        "没有问题",
        "我问的是几点送",
        "不是",
        "不行",
    ],
)
def test_what_says_or_asks_anything_else_is_not(text: str) -> None:
    assert did_not_help(text) is None


class Knowledge:
    def __init__(self, text: str) -> None:
        self._text = text

    def intents(self, names, lang):
        return (
            {"no_water": KnownIntent("no_water", "No water", "no-water", None)} if "no_water" in names else {}
        )

    def passages(self, slug, lang):
        return [Hit(1, 1, slug, "No water", "No water", "", self._text, lang, 0.0, 0.0, 0.0)]


def behind(text: str, *, article: str = STEPS, last: str = "The pump draws no water.", topic="no_water"):
    before = [Message("customer", "no water"), Message("bot", last, topic=topic)]
    return unhelped(text, before, Knowledge(article), "en")


def test_what_comes_next_is_said_where_the_article_says_so_and_no_step_is_torn_from_its_list() -> None:
    part = behind("did that, still there")
    assert part is not None and (part.decision.kind, part.decision.rule) == ("passage", "did_not_help")
    assert part.decision.told == "If the code still comes back, book a repair."
    assert part.decision.chosen is not None and part.decision.chosen.topic == "no_water"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("that's not what I asked", {}),
        ("still there", {"article": SEALED}),
        ("still there", {"last": "If the code still comes back, book a repair."}),
    ],
)
def test_else_a_person_is_offered(text: str, more: dict[str, str]) -> None:
    part = behind(text, **more)
    assert part is not None and (part.decision.kind, part.trace.rule) == ("unknown", "did_not_help")


def test_behind_no_answer_it_is_a_message_like_any_other() -> None:
    assert unhelped("still there", [], Knowledge(STEPS), "en") is None
    assert behind("still there", topic=None) is None
