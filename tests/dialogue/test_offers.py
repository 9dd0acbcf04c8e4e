"""A yes or a no to a person who was offered, and that the offer is kept with the reply."""

from __future__ import annotations

import pytest

from chatbot.dialogue.offers import answered_offer, offers_person
from chatbot.dialogue.policy import Decision
from chatbot.dialogue.saying import Part
from chatbot.dialogue.trace import Classification, PartTrace, bot_message
from chatbot.dialogue.weighing import Candidate


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "Yes please!",
        "please do",
        "sure do",
        "go ahead",
        "sure",
        "yeah go for it",
        "ok thanks",
        "why not",
        "that'd be great",
        "yes, pass me on please",
        "put me through",
        "好的",
        "好",
        "可以",
        "是的",
        "要",
        "需要",
        "转吧",
        "行吧",
        "麻烦了",
        "需要，谢谢",
        "那就转吧",
        "帮我转一下吧",
        "好的，麻烦您了",
        "好啊",
        "要的",
        "嗯嗯好",
        "那麻烦你帮我转人工",
        "轉吧",
        "麻煩了",
        "好的，謝謝",
        "👍",
        "👍🏽",
    ],
)
def test_what_is_a_yes_to_an_offered_person(text: str) -> None:
    assert answered_offer(text) == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "no need",
        "No thanks!",
        "no thank you",
        "nah it's fine",
        "I'm good",
        "never mind",
        "don't",
        "no, I'd rather not",
        "not now thanks",
        "不用了",
        "不用",
        "不需要",
        "算了",
        "不用了谢谢",
        "不转了",
        "别转",
        "先不用了",
        "不用麻烦了",
        "不用麻煩了",
        "不要了",
        "還是算了吧",
        "没关系",
    ],
)
def test_what_is_a_no_to_an_offered_person(text: str) -> None:
    assert answered_offer(text) == "no"


@pytest.mark.parametrize(
    "text",
    [
        "thanks",
        "谢谢",
        "ok?",
        "要吗",
        "I see",
        "yes, and in a shop?",
        "ok but how long does it take",
        "no heat from the kettle",
        "please tell me the price",
        "right size",
        "要多久",
        "需要发票",
        "可以退货吗",
        "好的但是多少钱",
        "转账",
        "行李",
        "要不要钱",
        "不用咖啡机可以退吗",
        "对了",
        "需要多少钱",
        "好用吗",
        "成都",
    ],
)
def test_what_asks_something_else_is_neither(text: str) -> None:
    assert answered_offer(text) is None


def part(kind, rule, chosen: Candidate | None = None) -> Part:
    nothing = Classification((), 0.0, tier="none")
    return Part(
        Decision(kind, rule, "", 1.0, chosen), PartTrace("x", "en", nothing, (), None, kind, rule, "")
    )


def test_a_person_is_offered_where_the_reply_asks_for_it_and_not_where_one_can_merely_be_tapped() -> None:
    for rule in ("not_known", "asked_again", "sent_before", "too_long"):
        assert offers_person(part("unknown", rule))
    assert offers_person(part("ask", "action_failed"))
    assert not offers_person(part("person", "action_failed"))
    assert not offers_person(part("unknown", "nothing_to_read"))
    assert not offers_person(part("choices", "perhaps"))
    assert not offers_person(part("approved", "sure"))
    blamed = Candidate(1.0, "bot_blamed", "bot_blamed")
    assert offers_person(part("smalltalk", "smalltalk", blamed))
    own_words = Candidate(1.0, "bot_blamed", "bot_blamed", approved="We are sorry.")
    assert not offers_person(part("smalltalk", "smalltalk", own_words))


def test_the_last_part_says_what_the_next_message_comes_behind() -> None:
    choices = [{"title": "Shops", "payload": "/intent shops"}, {"title": "Person", "payload": "/handover"}]
    reply = {"parts": [{"kind": "unknown", "choices": choices[1:]}, {"kind": "choices", "choices": choices}]}
    told = bot_message("Which?", None, (), reply, {"parts": [{"offers_person": True}, {}]})
    assert (told.offers_person, told.choices) == (False, (("Shops", "/intent shops"),))
    told = bot_message("?", None, (), {"parts": reply["parts"][:1]}, {"parts": [{"offers_person": True}]})
    assert (told.offers_person, told.choices) == (True, ())
    old = bot_message("Hello", None, (), {}, {})
    assert (old.offers_person, old.choices) == (False, ())
