"""What kind of answer a question asks for, and which sentences state one."""

from __future__ import annotations

import pytest

from chatbot.dialogue.answer_kinds import asked_for, states


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("how much is express to Vienna?", {"money"}),
        ("And what would that cost me", {"money"}),
        ("whats the postage to bergen", {"money"}),
        ("how much", {"money"}),
        ("how much water goes in?", set()),
        ("How much is it? And do you take cards?", set()),
        ("how long does it take and can i track it", set()),
        ("and do you know how long it takes?", {"time"}),
        ("退多少？晚了半小时还让进吗", set()),
        ("what do we have to pay on top?", {"money"}),
        ("what can I pay with?", set()),
        ("what do I pay with?", set()),
        ("what if the price goes down?", set()),
        ("How long do I have to report it?", {"time"}),
        ("money back when", {"time"}),
        ("when do u take the rest", {"time"}),
        ("Until what time are you open, and how much is parking?", {"money", "time"}),
        ("when it blinks twice, is it broken?", set()),
        ("can I pay when I collect it?", set()),
        ("How do I return it?", set()),
        ("寄到瑞士运费多少钱", {"money"}),
        ("要给多少手续费", {"money"}),
        ("寄到臺灣要多少運費", {"money"}),
        ("幾個工作天會到", {"time"}),
        ("什麼時候發貨", {"time"}),
        ("要多久，能加急嗎", set()),
        ("多久能到", {"time"}),
        ("周日开到几点呀", {"time"}),
        ("要付多少天的租金", {"time"}),
        ("修一次要花多少", {"money"}),
        ("要多少克柠檬酸", set()),
        ("每天能喝多少杯", set()),
        ("怎么退货", set()),
        ("晚还了几天会怎样", set()),
        ("修那几天有机器借我吗，收几块", set()),
        ("等几天才到", {"time"}),
    ],
)
def test_a_question_asks_for_an_amount_a_time_both_or_something_else(question: str, kinds: set[str]) -> None:
    assert asked_for(question) == kinds


@pytest.mark.parametrize(
    ("kind", "sentence", "stated"),
    [
        ("money", "Express costs €9.95.", True),
        ("money", "The discount is 8%.", True),
        ("money", "Returning in our shops is free.", True),
        ("money", "The parcel waits 7 days.", False),
        ("money", "The fixed prices include parts.", True),
        ("money", "到门店自提免运费。", True),
        ("money", "维修价已含零件和寄回。", True),
        ("money", "到門市自取免運費。", True),
        ("money", "退货请保留原包装。", False),
        ("time", "The parcel waits 7 days.", True),
        ("time", "Closed on Monday.", True),
        ("time", "The rest is charged on the day of dispatch.", True),
        ("time", "Express costs €9.95.", False),
        ("time", "没有最短期限。", True),
        ("time", "店裡有貨當場就能換。", True),
        ("time", "5 个工作日内答复。", True),
        ("time", "壶里的褐色斑点是矿物质沉积。", False),
    ],
)
def test_a_sentence_states_an_amount_or_a_time_in_figures_or_in_words(
    kind: str, sentence: str, stated: bool
) -> None:
    assert states(kind, sentence) is stated
