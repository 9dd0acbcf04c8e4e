import pytest

from chatbot.retrieval.terms import is_identifier, stem, terms


@pytest.mark.parametrize("text", ["E-4012", "e4012", "Ｅ－４０１２", "E_4012"])
def test_an_identifier_is_one_term_however_it_is_written(text):
    assert terms(f"error {text}!") == ["error", "e4012"]


def test_an_order_number_beside_chinese_stays_whole():
    assert terms("订单KC-204817呢") == ["订", "单", "kc204817", "呢"]


def test_function_words_go_and_negations_stay():
    assert terms("Why can I not pay with my card?") == ["not", "pay", "card"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("returns", "return"),
        ("returned", "returning"),
        ("cancelled", "cancelling"),
        ("deliveries", "delivery"),
        ("boxes", "box"),
        ("shipped", "shipping"),
        ("changes", "change"),
        ("changing", "change"),
    ],
)
def test_forms_of_a_word_share_a_stem(one, other):
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("bus", "bu"), ("address", "addres"), ("ring", "r"), ("bed", "b")]
)
def test_short_words_are_not_cut_to_nothing(one, other):
    assert stem(one) != other


def test_text_without_words_has_no_terms():
    assert terms("🙂 !!! …") == []


def test_digits_that_dashes_hold_together_are_one_term_and_a_range_is_two():
    assert terms("20-45-77") == ["204577"] and is_identifier("204577")
    assert terms("14-21 days") == ["14", "21", "day"]
    assert not any(is_identifier(term) for term in ("14", "2026", "day", "退"))
    assert is_identifier("e4012") and is_identifier("kc204817")
