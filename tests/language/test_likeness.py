import pytest

from chatbot.language.likeness import likeness


def test_likeness_is_of_words_whatever_their_order() -> None:
    assert likeness("same words", "Words same") == pytest.approx(1.0)
    assert likeness("same words", "other words") == pytest.approx(0.5)
    assert likeness("three days", "a week") == 0.0
    assert likeness("", "") == 0.0


def test_chinese_counts_by_character() -> None:
    assert likeness("三天退回", "三天寄回") == pytest.approx(0.75)
