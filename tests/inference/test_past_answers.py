import pytest

from chatbot.dialogue.trace import Message
from chatbot.inference.past_answers import PastAnswers, Situation, situation_terms


def situation(question: str, answer: str, group: str = "") -> Situation:
    return Situation((Message("customer", question),), answer, group)


PAST = PastAnswers(
    [
        situation("how long does a refund take", "Five working days.", "a"),
        situation("when do I get my money back", "Within a week.", "b"),
        situation("do you repair grinders", "Yes, in our workshop.", "c"),
        situation("how long does a refund take please", "Three days.", "d"),
        situation("退款要几天", "三个工作日。", "e"),
        situation("磨豆机可以维修吗", "可以。", "f"),
    ],
    common=1.0,
)


def ask(text: str) -> list[Message]:
    return [Message("customer", text)]


def test_the_likest_situation_comes_first() -> None:
    assert PAST.search(ask("how long does the refund take"), k=1)[0].answer == "Five working days."
    assert PAST.search(ask("can you repair my grinders"), k=1)[0].answer == "Yes, in our workshop."
    assert PAST.search(ask("我的退款要几天"), k=1)[0].answer == "三个工作日。"


def test_a_conversation_is_left_out_of_its_own_search() -> None:
    found = PAST.search(ask("how long does a refund take"), k=5, without="a")
    assert found[0].answer == "Three days."
    assert "Five working days." not in [one.answer for one in found]


def test_answers_are_distinct_and_scores_fall() -> None:
    found = PAST.search(ask("how long does a refund take"), k=5)
    assert len({one.answer for one in found}) == len(found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize("text", ["", "🙂", "zzz unheard of qqq"])
def test_nothing_alike_finds_nothing(text: str) -> None:
    assert PAST.search(ask(text)) == []


def test_a_fresh_look_up_counts_and_a_stale_one_does_not() -> None:
    asked = Message("customer", "my order?")
    lookup = Message("action", 'result {"Status": "Dispatched"}')
    assert "dispatched" in situation_terms([asked, lookup])
    assert "dispatched" not in situation_terms([lookup, asked])


def test_an_empty_past_finds_nothing() -> None:
    assert PastAnswers([]).search(ask("hello")) == []
