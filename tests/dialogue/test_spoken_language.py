from __future__ import annotations

import pytest

from chatbot.dialogue.spoken_language import evident, language_of, latin_words
from chatbot.dialogue.trace import Message

NAMES = latin_words("Falcon Pro、Falcon Lite 除垢 (E-4021)")
ZH = (Message("customer", "怎么清洗机器？"), Message("bot", "用柠檬酸。"))
EN = (Message("customer", "How do I clean the machine?"), Message("bot", "With citric acid."))


def told(text: str, before=(), *, locale="en", languages=("en", "zh"), asked=False) -> str:
    return language_of(text, text, before, default=locale, languages=languages, names=NAMES, asked=asked)


@pytest.mark.parametrize(
    "text",
    (
        "Falcon Pro",
        "falcon lite",
        "KC-204841",
        "E-4021",
        "anna.bauer@example.com",
        "example.com/register",
        "Anna Bauer",
        "Baker Street 221B, London NW1 6XE",
        "12 baker street, london",
        "OK",
        "refund",
        "[ORDER], [EMAIL_2]",
        "12 345",
        "",
    ),
)
def test_names_codes_and_addresses_show_no_language(text):
    assert evident(text, NAMES) is None
    assert told(text, ZH) == told(text, locale="zh") == "zh"
    assert told(text, EN, locale="zh") == told(text) == "en"


@pytest.mark.parametrize(
    "text",
    (
        "Where is my order?",
        "WHERE IS MY ORDER",
        "return policy",
        "Order cancelled?",
        "delivery to Norway",
        "does the Falcon Pro leak",
        "Where can I buy 茶叶?",
        "Hello there",
    ),
)
def test_ordinary_words_change_the_language_of_a_chinese_conversation(text):
    assert told(text, ZH, locale="zh") == "en"


@pytest.mark.parametrize(
    "text",
    (
        "猎鹰手冲壶",
        "Falcon 手冲壶",
        "我的 order KC-204817 呢",
        "獵鷹磨豆機",
        "伦敦 Baker Street 221B, NW1 6XE",
        "退款",
    ),
)
def test_chinese_words_are_evidence_whatever_latin_names_stand_beside_them(text):
    assert told(text, EN) == "zh"


def test_the_last_message_with_evidence_counts_and_not_what_the_bot_said():
    before = (*EN, *ZH, Message("customer", "Falcon Pro"), Message("bot", "The Falcon Pro has two boilers."))
    assert told("E-4021", before) == "zh"


@pytest.mark.parametrize("text", ("Wo ist mein Paket", "Rua Augusta", "leave with neighbour"))
def test_an_action_that_asks_goes_on_in_its_language_until_a_sentence_changes_it(text):
    assert told(text, ZH, locale="zh", asked=True) == "zh"


def test_a_sentence_changes_the_language_of_an_action():
    assert told("can you stop this please", ZH, asked=True) == "en"
    assert told("北京市朝阳区建国路88号", EN, asked=True) == "en"
    assert told("请改到北京市朝阳区建国路88号", EN, asked=True) == "zh"
    assert told("請寄到臺北市信義路5號", EN, asked=True) == "zh"
    after_an_address = (*EN, Message("customer", "北京市朝阳区建国路88号"))
    assert told("yes", after_an_address, asked=True) == "en"


def test_who_speaks_one_language_reads_a_name_in_it_and_other_scripts_are_neither():
    assert told("Falcon Pro", locale="de", languages=("en",)) == "en"
    assert told("Falcon Pro", locale="en", languages=("zh",)) == "zh"
    assert told("注文はどこですか", ZH) == "und"
