from __future__ import annotations

import pytest

from chatbot.language.tokens import Vocabulary, grams, han_pairs, tokenise


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Where's my ORDER?", ["where's", "my", "order", "?"]),
        ("退款呢", ["~_退款", "~退款呢", "~款呢_"]),
        ("我的 order 呢?", ["~_我的", "~我的_", "order", "~_呢_", "?"]),
        (
            "mail bob@x.com about KC-204817, paid 12.50",
            ["mail", "[email]", "about", "[order]", "paid", "[number]"],
        ),
        ("E-4012 or e4021 since 2024?", ["e", "4012", "or", "e", "4021", "since", "[number]", "?"]),
        ("see [ORDER_2] and [EMAIL]", ["see", "[order]", "and", "[email]"]),
        ("２４ hours", ["24", "hours"]),
        ("great 😡!", ["great", "😡", "!"]),
        ("", []),
        ("…,,, ", []),
    ],
)
def test_text_becomes_tokens(text: str, tokens: list[str]):
    assert tokenise(text) == tokens


def test_of_a_long_text_beginning_and_end_are_read():
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(300)]
    tokens = tokenise(" ".join(words), limit=10)
    assert tokens == words[:5] + words[-5:]


def test_a_pasted_blob_costs_no_more_than_its_limit():
    assert len(tokenise("x" * 100_000, limit=20)) <= 2
    assert len(grams("x" * 100_000)) < 100


def test_a_typo_shares_most_of_its_features_with_the_word():
    vocabulary = Vocabulary(["delivery"], buckets=1 << 20)
    word, typo = vocabulary.features("delivery"), vocabulary.features("delivey")
    assert (word.word, typo.word) == (1, 0)
    assert len(set(word.grams) & set(typo.grams)) >= len(typo.grams) / 2


def test_hashing_does_not_change_between_processes():
    assert Vocabulary(["a"], buckets=16384).features("card").grams[:3] == (11340, 9885, 1584)


def test_frequent_words_come_first_and_ties_are_spelled():
    texts = [["b", "a", "a"], ["b", "c"], ["c", "~_退款"], ["~_退货"]]
    assert Vocabulary.count(texts, buckets=8).words == ("a", "b", "c", "退")


def test_a_characters_pairs_are_hashed_once_for_both_uses():
    vocabulary = Vocabulary(["退"], buckets=16384)
    for token in ("~我退款", "~_退款", "~我退_", "~_退_", "refund", "[order]"):
        assert list(vocabulary.features(token).pairs) == han_pairs(token), token
