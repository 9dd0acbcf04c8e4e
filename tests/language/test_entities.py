import pytest

from chatbot.errors import InputError
from chatbot.language.entities import find_entities


def values(text, **options):
    return [(entity.kind, entity.value) for entity in find_entities(text, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where is KC-204817?", [("order", "KC204817")]),
        ("order number: 204817 please", [("order", "204817")]),
        ("我的订单号是204817", [("order", "204817")]),
        ("write to Anna.B@Example.com", [("email", "anna.b@example.com")]),
        ("call +31 6 1234 5678", [("phone", "+31612345678")]),
        ("(020) 7946 0958", [("phone", "02079460958")]),
        ("打我手机138-1234-5678", [("phone", "13812345678")]),
        ("paid €1,200.50 for it", [("amount", "1200.50 EUR")]),
        ("退款 99.9 元", [("amount", "99.9 CNY")]),
        ("since 20 November 2026", [("date", "2026-11-20")]),
        ("11月20日下单的", [("date", "--11-20")]),
        ("昨天买的", [("date", "昨天")]),
        ("my card 4111 1111 1111 1111 12/26", [("card", "4111111111111111")]),
        ("IBAN NL91 ABNA 0417 1643 00 thanks", [("iban", "NL91ABNA0417164300")]),
        ("身份证11010519491231002X", [("id", "11010519491231002X")]),
    ],
)
def test_finds_the_value_and_its_canonical_form(text, expected):
    assert values(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "it shows E-4012 again",
        "my Heron 40 leaks",
        "ISO-27001 certified",
        "version 10.0.19045 on 192.168.10.250",
        "ISBN 9780306406157",
        "4111 1111 1111 1112 is not a card",
        "1234567 units",
        "30 days or 24 hours",
    ],
)
def test_leaves_look_alikes_alone(text):
    assert [v for v in values(text) if v[0] in ("order", "phone", "card", "iban", "id")] == []


def test_spans_point_into_the_text_as_written_even_when_full_width():
    text = "单号ＫＣ－２０４８１７谢谢"
    (entity,) = find_entities(text)
    assert text[entity.start : entity.end] == entity.text == "ＫＣ－２０４８１７"
    assert entity.value == "KC204817"


def test_a_company_s_own_order_pattern_replaces_the_default():
    assert values("see AB/77/X", order_pattern=r"[A-Z]{2}/\d{2}/[A-Z]") == [("order", "AB/77/X")]


def test_a_broken_order_pattern_is_named():
    with pytest.raises(InputError) as error:
        find_entities("x 1", order_pattern="[A-")
    assert error.value.value == "[A-"
    assert error.value.remedy


def test_only_the_kinds_asked_for_are_returned():
    assert values("KC-204817 to a@b.nl", kinds=("email",)) == [("email", "a@b.nl")]
