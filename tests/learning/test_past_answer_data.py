"""What of past conversations may be offered again as an answer."""

from typing import Any

from chatbot.learning.generator_data import read_passages
from chatbot.learning.past_answer_data import gist, merged, read_past_replies, with_fillable_holes

PASSAGES = read_passages(
    [
        {
            "id": 1,
            "title": "Refunds",
            "text": "A refund takes 5 working days after we have the parcel.",
            "lang": "en",
        }
    ]
)


def talk(number: int, question: str, answer: str, split: str = "train", **turn: Any) -> dict[str, Any]:
    turns = [{"role": "customer", "text": question}, {"role": "agent", "text": answer, **turn}]
    return {"id": str(number), "lang": "en", "split": split, "turns": turns}


def test_courtesies_go_and_what_is_said_in_several_conversations_is_counted_once_each() -> None:
    rows = [
        talk(1, "refund?", "Hello! A refund takes 5 working days. Is there anything else?"),
        talk(2, "my refund", "The refund takes 5 working days", sources=[1]),
        talk(3, "grinder", "Hello! Thank you for waiting."),
        talk(4, "grinder", "Clean the burrs with the brush."),
        talk(5, "a refund", "A refund takes 5 working days.", split="valid"),
        talk(6, "secret", "Nobody may read this sentence.", split="test"),
    ]
    found = read_past_replies(rows, PASSAGES)
    assert found.times == {"A refund takes 5 working days.": 2, "Clean the burrs with the brush.": 1}
    assert found.languages["Clean the burrs with the brush."] == "en"
    assert {sample.reply for sample in found.train} == set(found.times)
    assert [sample.reply for sample in found.valid] == ["A refund takes 5 working days."]
    assert found.train[1].passages[0].startswith("Refunds\n")


def test_other_numbers_and_a_negation_are_other_answers() -> None:
    assert gist("Please send it within 14 days!") == gist("send it, within 14 days.")
    assert gist("send it within 14 days") != gist("send it within 15 days")
    assert gist("You can return it.") != gist("You cannot return it.")
    assert gist("您好，退款三天到账哦。") == gist("你好，退款三天到账")
    assert gist("可以退。") != gist("不可以退。")
    same = merged({"It takes 5 days.": 1, "It just takes 5 days": 3, "It takes 6 days.": 1})
    assert same["It takes 5 days."] == "It just takes 5 days"
    assert same["It takes 6 days."] == "It takes 6 days."


def test_a_placeholder_stays_only_where_the_customer_wrote_its_one_value() -> None:
    answer = "Order [ORDER_2] was sent."
    assert with_fillable_holes(answer, ["where is [ORDER_2]?"]) == "Order [ORDER] was sent."
    assert with_fillable_holes(answer, ["[ORDER] or [ORDER_2]?"]) is None
    assert with_fillable_holes(answer, ["where is it?"]) is None
    assert with_fillable_holes("Dear {customer}", ["where is it?"]) is None
    assert with_fillable_holes("It was sent.", ["[ORDER] and [ORDER_2]"]) == "It was sent."


def test_sentences_that_are_said_whatever_was_asked_answer_nothing() -> None:
    things = ("filter", "label", "invoice", "voucher", "lamp", "spoon", "carton", "hose", "lid", "scale")
    rows = [talk(n, f"{thing}?", f"The {thing} is in shelf {n}. Warmly, your desk team.")
            for n, thing in enumerate(things)]  # fmt: skip
    rows += [
        talk(20 + n, "is the kettle broken?", "Kettles are replaced by return of post.") for n in range(10)
    ]
    found = read_past_replies(rows, {})
    assert found.times["Kettles are replaced by return of post."] >= 8  # a tenth is held back
    assert not any("desk team" in answer for answer in found.times)
    assert any("is in shelf" in answer for answer in found.times)


def test_so_many_situations_are_drawn_as_asked_for_and_the_counts_are_of_all() -> None:
    rows = [talk(n, f"question {n}", "A refund takes 5 working days.") for n in range(30)]
    rows.append(talk(99, "and?", "The burrs want cleaning.", split="valid"))
    found = read_past_replies(rows, PASSAGES, situations=7)
    assert len(found.train) == 7
    assert found.times["A refund takes 5 working days."] == 30
