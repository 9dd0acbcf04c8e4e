from __future__ import annotations

import pytest

from chatbot.dialogue.person_wish import asks_for_person, declines_person, without_declined


@pytest.mark.parametrize(
    "text",
    [
        "Can I talk to a human please",
        "connect me with an agent",
        "transfer me, please, to a human",
        "I want a real person",
        "a human please",
        "Real person, please!",
        "can a real human answer me",
        "I want to talk to someone about my broken grinder",
        "I'd like to speak with customer service",
        "is there anyone I can talk to?",
        "I don't want to talk to a bot",
        "I don’t want to wait, connect me to an agent",
        "I do not want the article but a real person",
        "Why can't I talk to a person?",
        "Why don't you connect me to a human?",
        "Don't you have a real person I could ask?",
        "转人工",
        "我要人工客服",
        "能不能转个真人",
        "能不能转人工",
        "不要机器人，给我找个人",
        "不要機器人，給我找個人",
        "我想找客服问一下",
        "我想找客服問一下",
        "我想找客服问一下怎么退款",
        "转客服",
        "人工客服，我的包裹什么时候到",
        "I want to talk to someone about order number KC-204817",
        "有真人吗",
        "我想跟真人說話",
        "怎么还不给我转人工",
        "不想等了，转人工",
        "我特别想找客服",
        "叫你们经理来",
        "叫你們經理來",
        "我要见你们主管",
        "找你们领导",
        "let me see your manager",
        "get me your supervisor",
        "I want to speak to your boss",
        "manager please",
    ],
)
def test_the_wish_for_a_person_is_understood(text):
    assert asks_for_person(text) and not declines_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "The person at the door took my parcel",
        "is it hand made",
        "do I get a refund",
        "person at the door",
        "is there a person in the shop on Sunday",
        "is there a real person in your shop on Sunday",
        "how do I reach customer service by phone",
        "can I talk to someone by phone",
        "can a person return an item without a receipt",
        "can someone help me choose a grinder",
        "I don't want a grinder with a timer",
        "are you a bot?",
        "人工费多少钱",
        "the manager of the shop told me I could return it",
        "are you hiring a store manager",
        "what is the manager's name",
        "经理说可以退",
        "我昨天找你们经理，他说可以退",
        "客户经理的电话",
        "怎么联系你们经理",
        "要人工费吗",
        "这是手工做的吗",
        "怎么联系客服",
        "我想找客服电话",
        "客服电话是多少",
        "人工客服几点上班",
        "我昨天找客服说可以退",
        "可以找个人代收吗",
        "你是机器人吗",
    ],
)
def test_a_person_merely_mentioned_is_no_wish_for_one(text):
    assert not asks_for_person(text) and not declines_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "No, I don't want to talk to a person, just tell me the return period",
        "please do not connect me to an agent",
        "no need to transfer me to a human",
        "I don't want you to pass me on to a colleague",
        "I don't need a human",
        "不用转人工",
        "不用轉人工，告訴我退貨期限",
        "不需要人工客服",
        "先别给我转人工",
        "不用找客服了",
    ],
)
def test_who_declines_a_person_is_not_given_one(text):
    assert declines_person(text) and not asks_for_person(text)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("我不要转人工,就告诉我退货期限", "退货期限"),
        ("不用转人工,退货期限多久?", "退货期限多久?"),
        ("I don't want a person, just tell me the return period", "the return period"),
        ("I don't need a human. How long can I return it?", "How long can I return it?"),
        ("How long can I return it? I don't want an agent.", "How long can I return it?"),
        ("I don't want a person", "I don't want a person"),
        ("不用转人工", "不用转人工"),
        ("How long can I return it?", "How long can I return it?"),
        ("I want a person", "I want a person"),
    ],
)
def test_what_is_asked_beside_a_declined_person_is_read_without_it(text, asked):
    assert without_declined(text) == asked
