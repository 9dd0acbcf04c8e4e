from __future__ import annotations

import pytest

from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference.attribution import explain, weigh_words


class KeywordClassifier:
    """Sure of a refund as far as the message speaks of money and back."""

    labels = ("refund", "tracking")

    def __init__(self) -> None:
        self.asked = 0

    def classify(self, text, *, history=(), lang=None):
        self.asked += 1
        if not text.strip():
            return Classification((), 0.0)
        p = 0.2 + 0.5 * ("money" in text or "退款" in text) + 0.2 * ("back" in text)
        guesses = [IntentGuess("refund", p), IntentGuess("tracking", 1 - p)]
        return Classification(tuple(sorted(guesses, key=lambda g: -g.confidence)), 1.0)

    def classify_without(self, text, without, *, history=(), lang=None):
        return self.classify(text), [self.classify(one) for one in without]


def test_the_words_that_decided_weigh_most():
    found = explain(KeywordClassifier(), "i want my money back")
    weights = {word.text: word.weight for word in found.words}
    assert weights == pytest.approx({"i": 0, "want": 0, "my": 0, "money": 0.5, "back": 0.2})
    assert found.runner_up == IntentGuess("tracking", pytest.approx(0.1))
    assert found.against is not None
    assert found.against.text == "money"


def test_stretches_point_into_the_message_and_chinese_goes_by_two_characters():
    text = "我要退款 [ORDER_2] 谢谢"
    found = explain(KeywordClassifier(), text)
    assert [word.text for word in found.words] == ["我要", "退款", "[ORDER_2]", "谢谢"]
    assert all(text[word.start : word.end] == word.text for word in found.words)
    assert max(found.words, key=lambda word: word.weight).text == "退款"


def test_a_long_message_costs_a_bounded_number_of_classifications():
    classifier = KeywordClassifier()
    found = explain(classifier, "money " * 1000)
    assert classifier.asked <= 41
    assert found.words[-1].end == len("money " * 1000) - 1


def test_nothing_to_read_has_no_explanation():
    found = explain(KeywordClassifier(), "   ")
    assert (found.words, found.runner_up, found.against) == ((), None, None)


@pytest.mark.parametrize(
    ("pieces", "stretches"),
    [(9, ["gift", "cards", "for", "a", "friend"]), (2, ["gift cards for", "a friend"])],
)
def test_whatever_gives_a_text_a_chance_is_asked_once_for_all_its_stretches(pieces, stretches):
    asked = []

    def chances(texts):
        asked.append(list(texts))
        return [0.1 + 0.8 * ("cards" in text) for text in texts]

    found = weigh_words("gift cards for a friend", chances, pieces=pieces)
    assert [word.text for word in found] == stretches
    assert [word.weight for word in found] == pytest.approx([0.8 * ("cards" in one) for one in stretches])
    assert len(asked) == 1 and asked[0][0] == "gift cards for a friend"
