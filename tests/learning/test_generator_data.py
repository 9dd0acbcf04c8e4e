"""What the generator learns from: cleaned targets, linked passages, facts varied alike everywhere."""

from collections import Counter
from random import Random

import pytest

from chatbot.dialogue.trace import Message
from chatbot.learning.generator_data import (
    Sample,
    passage_samples,
    read_passages,
    read_samples,
    vary,
    without_courtesies,
)
from chatbot.learning.generator_training import _enough

PASSAGES = read_passages(
    [
        {"id": 1, "title": "Refunds", "lang": "en",
         "text": "A refund takes 5 working days. It goes to the original payment method."},
        {"id": 2, "title": "Repairs", "lang": "en", "text": "A repair takes 14 days. Bring it to the workshop."},
        {"id": 3, "title": "退款", "lang": "zh", "text": "退款需要5个工作日。款项原路退回。"},
    ]
)  # fmt: skip


def dialogue(*turns: tuple[str, str], sources: list[int] | None = None, **more: object) -> dict:
    rows = [{"role": role, "text": text} for role, text in turns]
    if sources:
        rows[-1]["sources"] = sources  # type: ignore[assignment]
    return {"id": "d", "lang": "en", "turns": rows, **more}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Hello there! A refund takes 5 days. Have a nice day!", "A refund takes 5 days."),
        ("Thanks for your message. You're welcome! Kind regards", ""),
        ("您好！退款需要5个工作日。祝您生活愉快！", "退款需要5个工作日。"),
        ("亲，在的。不客气。", ""),
        ("亲，退款要5天。", "退款要5天。"),
        ("在的哦～退款要5天。", "退款要5天。"),
        ("在途的包裹要5天。", "在途的包裹要5天。"),
        ("抱歉，刻字商品不能退。", "刻字商品不能退。"),
        ("Hi, it takes 5 days.", "It takes 5 days."),
        ("Sorry, engraved items cannot be returned.", "Engraved items cannot be returned."),
        ("Hello [NAME]! Thanks for your patience. Happy to help!", ""),
        ("Hello Anna, your parcel is on its way.", "Your parcel is on its way."),
        ("Sorry about that.\nPlease send the machine to us.", "Please send the machine to us."),
    ],
)
def test_courtesies_go_and_statements_stay(said: str, kept: str) -> None:
    assert without_courtesies(said) == kept


def test_a_target_keeps_what_its_sources_support() -> None:
    row = dialogue(
        ("customer", "how long is a refund"),
        ("agent", "Hi! A refund takes 5 working days. My cat likes boxes a lot."),
        sources=[1],
    )
    (sample,) = read_samples([row], PASSAGES, splits=("train",))
    assert sample.reply == "A refund takes 5 working days."
    assert sample.passages == (PASSAGES["1"].source,)


def test_a_turn_without_sources_is_linked_to_the_passage_that_supports_it() -> None:
    row = dialogue(("customer", "money back?"), ("agent", "Your refund takes 5 working days."))
    (sample,) = read_samples([row], PASSAGES, splits=("train",))
    assert sample.passages == (PASSAGES["1"].source,)
    assert PASSAGES["1"].source not in sample.others


def test_without_cleaning_every_turn_is_learned_as_it_was_said() -> None:
    row = dialogue(("customer", "hi"), ("agent", "Hello!"), ("action", "query x"), ("agent", "Bye!"))
    samples = read_samples([row], {}, splits=("train",), clean=False)
    assert [sample.reply for sample in samples] == ["Hello!", "Bye!"]
    assert samples[1].turns[-1].role == "action"


def test_other_splits_and_an_agent_who_speaks_first_are_left_out() -> None:
    rows = [
        dialogue(("agent", "Welcome to our shop, how are you?"), ("customer", "hi")),
        dialogue(("customer", "x"), ("agent", "A refund takes 5 working days."), split="test"),
    ]
    assert read_samples(rows, PASSAGES, splits=("train", "valid")) == []


def test_numbers_are_replaced_alike_in_source_history_and_reply() -> None:
    sample = Sample(
        (Message("customer", "is it 5 working days?"),),
        ("A refund takes 5 working days. Code [ORDER_5] stays.",),
        "A refund takes 5 working days.",
        "en",
    )
    random = Random(1)
    seen = {vary(sample, random, names=[]) for _ in range(40)}
    assert len(seen) > 3
    for varied in seen:
        number = varied.reply.split()[3]
        assert f"takes {number} working" in varied.passages[0]
        assert f"is it {number} working" in varied.turns[0].text
        assert "[ORDER_5]" in varied.passages[0]


def test_distractors_come_from_the_others_and_the_right_passage_stays() -> None:
    sample = Sample((Message("customer", "?"),), ("right",), "right", "en", others=("wrong 1", "wrong 2"))
    random = Random(2)
    seen = [vary(sample, random, names=[]).passages for _ in range(40)]
    assert all("right" in passages for passages in seen)
    assert any(len(passages) > 1 for passages in seen)
    assert any(passages[0] != "right" for passages in seen)


def test_a_passage_teaches_its_title_and_its_sentences() -> None:
    samples = passage_samples(PASSAGES.values())
    assert any(s.turns[0].text == "Refunds" and "5 working days" in s.reply for s in samples)
    assert any(s.lang == "zh" and s.reply == "款项原路退回。" for s in samples)
    assert all(s.passages for s in samples)


def test_in_the_minutes_of_a_processor_no_more_is_read_than_it_comes_to() -> None:
    rows = [
        {
            "id": str(n),
            "split": "valid" if n % 4 == 0 else "train",
            "turns": [{"role": "customer"}, {"role": "agent"}],
        }
        for n in range(4000)
    ]
    taken = _enough(rows, 500, Random(3))
    assert Counter(row["split"] for row in taken) == {"train": 500, "valid": 1000}  # all that are held
    assert taken == _enough(rows, 500, Random(3))
    assert len(_enough(rows[:40], 500, Random(3))) == 40
