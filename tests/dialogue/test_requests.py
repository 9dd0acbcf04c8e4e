from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.dialogue import requests
from chatbot.dialogue.requests import Subject, sentences, split_requests
from chatbot.dialogue.weighing import Candidate


def by_word(text: str) -> Subject:
    for word in ("refund", "address", "invoice", "退款", "发票"):
        if word in text.lower():
            return Subject({"退款": "refund", "发票": "invoice"}.get(word, word), 0.9)
    return Subject(None, 0.0)


def test_small_talk_is_left_out_where_a_question_stands_beside_it():
    assert sentences("Hi there! Where is my refund?") == ["Where is my refund?"]
    assert sentences("你好。退款什么时候到？谢谢") == ["退款什么时候到？"]


def test_two_requests_are_found_and_a_sentence_without_one_stays_with_its_neighbour():
    text = "I sent it back on Monday. Where is my refund? Also, can I get an invoice?"
    assert split_requests(text, by_word, sure=0.5) == [
        "I sent it back on Monday. Where is my refund?",
        "can I get an invoice?",
    ]
    assert split_requests("退款多久到账？另外发票怎么开", by_word, sure=0.5) == [
        "退款多久到账？",
        "发票怎么开",
    ]


def test_one_request_in_several_sentences_stays_whole():
    text = "My refund is missing. It was 30 euros. When does the refund come?"
    assert split_requests(text, by_word, sure=0.5) == [text]


def test_an_unsure_second_subject_opens_no_request_of_its_own():
    def unsure(text: str) -> Subject:
        return Subject("refund", 0.9) if "refund" in text else Subject("address", 0.3)

    assert len(split_requests("My refund? The address is odd. Hm.", unsure, sure=0.5)) == 1


def test_a_story_and_the_question_it_leads_to_are_one_request():
    subject = {
        "I clicked unsubscribe in May.": Subject("newsletter", 0.9),
        "How do I make that end?": Subject("cancel-subscription", 0.9),
        "我在网上取消了订阅。": Subject("newsletter", 0.9),
        "怎么让它停下来？": Subject("cancel-subscription", 0.9),
    }
    for text in (
        "I clicked unsubscribe in May. How do I make that end?",
        "我在网上取消了订阅。怎么让它停下来？",
    ):
        assert len(split_requests(text, subject.__getitem__, sure=0.6)) == 1


def test_two_questions_are_two_requests_and_so_is_what_is_called_another():
    subject = {
        "Can I cancel it?": Subject("cancel", 0.9),
        "When do I see the refund?": Subject("refund", 0.9),
        "My parcel has not come.": Subject("late", 0.9),
        "the lid is broken.": Subject("damaged", 0.9),
    }
    for text in (
        "Can I cancel it? When do I see the refund?",
        "My parcel has not come. Also, the lid is broken.",
    ):
        assert len(split_requests(text, subject.__getitem__, sure=0.6)) == 2


def test_a_question_after_a_question_is_another_request_only_where_the_models_are_certain():
    def subject(probability: float):
        return {
            "交了定金，退不退？": Subject("deposit", 0.9),
            "要扣钱吗": Subject("fees", probability),
        }.__getitem__

    assert len(split_requests("交了定金，退不退？要扣钱吗", subject(0.6), sure=0.5)) == 1
    assert len(split_requests("交了定金，退不退？要扣钱吗", subject(0.9), sure=0.5)) == 2


def test_the_other_one_and_an_extra_charge_are_no_turn_to_another_request():
    for text in ("一单分了两个箱子发，另外那个箱子的单号上哪找", "除了进口税，快递还会另外收钱吗"):
        assert sentences(text) == [text]
    assert len(sentences("退款多久到账，另外发票怎么开")) == 2


def test_a_sentence_is_cut_where_both_halves_ask_and_ask_different_things():
    def cut(text: str) -> list[str]:
        return split_requests(text, by_word, sure=0.5)

    assert cut("How do I get my refund, and do you send an invoice?") == [
        "How do I get my refund",
        "do you send an invoice?",
    ]
    assert cut("I want a refund and change my address.") == ["I want a refund", "change my address."]
    assert cut("Give me a refund. Change my address. Send an invoice.") == [
        "Give me a refund.",
        "Change my address.",
        "Send an invoice.",
    ]
    assert cut("refund me; change my address;send the invoice") == [
        "refund me",
        "change my address",
        "send the invoice",
    ]
    assert cut("怎么退款,怎么开发票") == ["怎么退款", "怎么开发票"]
    assert cut("我想退款并且开发票") == ["我想退款", "开发票"]


def test_a_story_a_list_and_a_wish_with_its_question_are_not_cut():
    for text in (
        "my refund arrived and the address is wrong",
        "I got a refund and an invoice, where are they?",
        "it says refund and shows my address",
        "We are nine. What would that refund be and who sends the invoice?",
        "When does the refund come and how is the refund paid?",
        "我收到了退款和发票,什么时候到",
        "我想退款,怎么一直开不了发票?",
        "上个月的退款问来问去都没有结果,我想知道,要是没发票,怎么办?",
    ):
        assert split_requests(text, by_word, sure=0.5) == [text]


def test_a_half_that_leans_on_the_one_before_is_compared_as_it_is_said_behind_it():
    def subject(text: str, behind: str = "") -> Subject:
        known = {
            "How do I return my kettle": Subject("return", 0.9),
            "Where is my order": Subject("status", 0.9),
            "can I cancel it?": Subject("cancel", 0.9 if behind == "Where is my order" else 0.4),
            "who pays for that?": Subject("return", 0.9) if behind else Subject("shipping-costs", 0.9),
        }
        return known[text]

    assert split_requests("Where is my order and can I cancel it?", subject, sure=0.5) == [
        "Where is my order",
        "can I cancel it?",
    ]
    one = "How do I return my kettle and who pays for that?"
    assert split_requests(one, subject, sure=0.5) == [one]


def test_the_models_are_not_asked_where_nothing_that_is_said_could_open_a_request():
    def asked(text: str) -> Subject:
        raise AssertionError(text)

    story = "My parcel has not come. It was due on Monday. I am annoyed."
    assert split_requests(story, asked, sure=0.5) == [story]
    assert split_requests("I unsubscribed in May. How do I make that end?", asked, sure=0.5)[0].startswith(
        "I uns"
    )


@given(
    st.lists(
        st.sampled_from(
            ["My refund is late.", "Where is it?", "Also, an invoice please.", "退款多久到账？", "另外要发票。",
             "I am annoyed.", "Can I change the address?", "Thanks."]
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([0.4, 0.6, 0.9]),
)  # fmt: skip
def test_not_asking_them_changes_no_request(said: list[str], probability: float) -> None:
    def subject(text: str) -> Subject:
        return Subject(by_word(text).key, probability)

    text = " ".join(said)
    short = split_requests(text, subject, sure=0.5)
    may_open = requests._may_open
    asked: list[str] = []

    def first_yes(piece: str, before: list[str]) -> bool:
        asked.append(piece)
        return True if len(asked) == 1 else may_open(piece, before)

    requests._may_open = first_yes  # as if something could always open one: the models decide alone
    try:
        assert split_requests(text, subject, sure=0.5) == short
    finally:
        requests._may_open = may_open


WORDS = {"order": "order", "invoice": "invoice", "ship": "countries", "repair": "repair", "descale": "descale",
         "发票": "invoice", "退款": "refund", "运费": "shipping", "發票": "invoice", "運費": "shipping"}  # fmt: skip


def of_words(text: str, behind: str = "") -> Subject:
    return next(
        (Subject(key, 0.9) for word, key in WORDS.items() if word in text.lower()), Subject(None, 0.0)
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    (
        (
            "Hi, three things: where's my order, how do I get an invoice, and do you ship to Norway?",
            ["where's my order", "how do I get an invoice", "do you ship to Norway?"],
        ),
        (
            "I have two questions - how long does a repair take, can I get an invoice?",
            ["how long does a repair take", "can I get an invoice?"],
        ),
        (
            "How do I descale the Crane Duo, what does a repair cost?",
            ["How do I descale the Crane Duo", "what does a repair cost?"],
        ),
        ("repair my kettle. where is my order?", ["repair my kettle.", "where is my order?"]),
        (
            "I need to repair my kettle and know where my order is",
            ["I need to repair my kettle", "know where my order is"],
        ),
        ("By the way, do you ship to Norway?", ["do you ship to Norway?"]),
        ("顺便问一下，运费多少", ["运费多少"]),
        ("还有货吗，另外那个也行", ["还有货吗，另外那个也行"]),
        ("where is my order, do you ship to Norway", ["where is my order", "do you ship to Norway"]),
        ("你好，两个问题：怎么开发票，运费多少", ["怎么开发票", "运费多少"]),
        ("三件事：退款多久到账，发票怎么开", ["退款多久到账", "发票怎么开"]),
        ("兩個問題：發票怎麼開，運費多少", ["發票怎麼開", "運費多少"]),
    ),
)
def test_questions_joined_by_commas_and_counted_ones_are_answered_in_turn(text, wanted):
    assert split_requests(text, of_words, sure=0.5) == wanted


@pytest.mark.parametrize(
    "text",
    (
        "Do you repair the machine, which I order capsules for, in May?",
        "Where is my order, the one with the invoice, the repair and the kettle?",
        "Can I repair it, or if not, can I get an invoice?",
        "How long is the repair, who do I order with?",  # asks one thing unless the models are certain
        "You said three things, the order, the invoice, were sent",
        "I have two machines, the order was in May",
    ),
)
def test_relative_clauses_lists_and_what_is_no_question_stay_whole(text):
    def unsure(text: str, behind: str = "") -> Subject:
        return Subject(of_words(text).key, 0.7)

    assert split_requests(text, unsure, sure=0.5) == [text]


@pytest.mark.parametrize(
    "text",
    ["退款多久到账，大概几天能拿到发票", "退款几天到，发票多少页", "My refund? and my invoice?"],
)
def test_a_clause_that_asks_however_it_begins_and_a_question_that_goes_on_are_requests(text):
    def certain_if_joined(sentence: str, behind: str = "") -> Subject:
        found = by_word(sentence)
        return Subject(found.key, 0.7 if "My" in text else 0.9)

    assert len(split_requests(text, certain_if_joined, sure=0.5)) == 2


def test_a_sentence_is_asked_about_once_and_behind_another_where_it_leans_on_it():
    asked: list[tuple[str, int]] = []

    def best_of(sentence, before):
        asked.append((sentence, len(before)))
        return Candidate(0.9, "Refund", "refund", "refund-time") if "refund" in sentence else None

    subject_of = requests.subjects(best_of)
    assert subject_of("my refund") == subject_of("my refund") == Subject("refund-time", 0.9)
    assert subject_of("how long is it", "my refund") == Subject(None, 0.0)
    assert asked == [("my refund", 0), ("how long is it", 2)]
