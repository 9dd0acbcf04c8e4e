import pytest

from chatbot.language.normalise import (
    detect_language,
    fold,
    has_letters,
    normalise,
    says_too_much,
    tidy,
)


def test_full_width_becomes_half_width_and_spaces_collapse():
    assert normalise("  ＫＣ－２０４８１７\n\t谢谢\u200b ") == "KC-204817 谢谢"


def test_tidy_text_keeps_chinese_punctuation_and_makes_codes_half_width():
    assert tidy("订单ＫＣ－１２，  已发货！\n") == "订单KC-12， 已发货！"


def test_folding_ignores_case():
    assert fold("Straße") == fold("STRASSE")


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("where is my order", "en"),
        ("我的订单呢", "zh"),
        ("我的 order KC-204817 呢", "zh"),
        ("注文はどこですか", "und"),
        ("где мой заказ", "und"),
        ("12345 !!", "en"),
    ],
)
def test_language_by_script(text, lang):
    assert detect_language(text) == lang


def test_emoji_alone_says_nothing():
    assert not has_letters("😀 ?!")
    assert has_letters("ok 😀")


def test_pages_of_text_say_too_much_and_a_long_letter_does_not():
    assert says_too_much("word " * 500) and says_too_much("退货期限是多久" * 101)
    assert not says_too_much("word " * 400) and not says_too_much("退货期限是多久" * 99)
