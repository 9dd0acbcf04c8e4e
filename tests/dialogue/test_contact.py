"""A telephone number or an e-mail address that is asked for, in the passage that has it."""

from __future__ import annotations

import pytest

from chatbot.dialogue.contact import way_asked, with_contact
from chatbot.dialogue.trace import Hit

OPENING, NUMBERS = (
    "请准备好订单号。",
    "- 电话 +31 10 555 0148：周一至周五。\n- 邮箱 help@shop.example：1 个工作日内。",
)


def hit(number: int, text: str) -> Hit:
    return Hit(number, 1, "contact", "联系", "联系", "", text, "zh", 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("电话多少", "phone"),
        ("客服電話是多少？", "phone"),
        ("我该打给谁", "phone"),
        ("what's the phone number", "phone"),
        ("who do I call", "phone"),
        ("What is your e-mail address?", "email"),
        ("你们邮箱是什么", "email"),
        ("电话？", "phone"),
        ("email?", "email"),
        ("I lost my phone", None),
        ("我收不到邮件", None),
        ("电话打不通", None),
    ],
)
def test_what_is_asked_for_is_told(text: str, way: str | None) -> None:
    assert way_asked(text) == way


def test_the_passage_that_has_it_is_shown_where_the_one_found_has_none() -> None:
    article = [hit(1, OPENING), hit(2, NUMBERS)]
    assert with_contact(article[0], "电话多少", lambda: article) == article[1]
    assert with_contact(article[0], "邮箱是什么", lambda: article) == article[1]
    assert with_contact(article[0], "怎么联系", lambda: article) == article[0]
    assert with_contact(article[0], "电话多少", lambda: article[:1]) == article[0]


def test_no_article_is_read_where_the_passage_has_it() -> None:
    def never() -> list[Hit]:
        raise AssertionError("nothing is looked up")

    assert with_contact(hit(2, NUMBERS), "电话多少", never) == hit(2, NUMBERS)
