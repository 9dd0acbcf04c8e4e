from __future__ import annotations

import random
import re

from chatbot.learning.outlier_texts import gibberish, off_topic, outlier_pools

SHOP = [
    "where is my order",
    "i want my money back",
    "can i change the delivery address",
    "我的订单到哪里了",
] * 5


def test_the_packaged_sentences_are_many_and_distinct():
    for name, least in (("en", 150), ("zh", 150), ("other", 40)):
        sentences = off_topic(name)
        assert len(sentences) >= least
        assert len(set(sentences)) == len(sentences)


def test_training_and_calibration_share_no_outlier():
    pools = outlier_pools(SHOP, ("en", "zh"), seed=1, size=600)
    assert len(pools.train) >= 500
    assert len(pools.held) >= 100
    shared = set(pools.train) & set(pools.held)
    assert len(shared) <= 0.02 * len(pools.held)  # short noise may coincide


def test_pools_are_reproducible():
    assert outlier_pools(SHOP, ("en",), seed=1, size=300) == outlier_pools(SHOP, ("en",), seed=1, size=300)
    assert outlier_pools(SHOP, ("en",), seed=1, size=300) != outlier_pools(SHOP, ("en",), seed=2, size=300)


def test_a_sentence_that_resembles_a_training_message_is_no_outlier():
    assistant = [
        "tell me a joke",
        "another joke please",
        "what's the weather",
        "weather in london",
        "set a timer",
    ]
    pools = outlier_pools(assistant, ("en",), seed=1, size=300)
    assert not any("tell me a joke" in text for text in pools.train + pools.held)
    shop = outlier_pools(SHOP, ("en",), seed=1, size=300)
    assert any("joke about penguins" in text for text in shop.train + shop.held)


def test_gibberish_comes_in_both_scripts():
    source = random.Random(3)
    assert all(gibberish(source).isascii() for _ in range(20))
    assert not any(gibberish(source, chinese=True).isascii() for _ in range(20))


def test_calibration_sees_noise_however_many_real_messages_there_are():
    pools = outlier_pools(SHOP, ("en",), seed=1, size=300)
    assert set(pools.noise) < set(pools.held)
    few, many = [f"weather {i}" for i in range(5)], [f"weather {i}" for i in range(100)]
    assert pools.to_calibrate_with(few) == [*few, *pools.held]
    mixed = pools.to_calibrate_with(many)
    assert mixed[:100] == many
    assert 0 < len(mixed) - len(many) <= len(many) // 2
    assert set(mixed[100:]) <= set(pools.noise)


def test_known_characters_in_random_company_are_noise() -> None:
    texts = ["我要退款", "什么时候发货", "珠峰在哪里"] * 20
    pools = outlier_pools(texts, ("zh",), seed=3, size=300)
    known = set("".join(texts))
    strangers = [
        text for text in pools.trained_noise if len(text) >= 3 and set(text) <= known and " " not in text
    ]
    assert len(strangers) > 40
    assert pools.trained_noise <= set(pools.train)
    assert sum("珠" in text for text in strangers) > 5  # as often as a frequent one
    english = outlier_pools(["where is my parcel"] * 20, ("en",), seed=3, size=300)
    assert not any("\u4e00" <= sign <= "\u9fff" for text in english.trained_noise for sign in text)


def test_bare_numbers_are_noise_in_training_and_calibration() -> None:
    pools = outlier_pools(SHOP, ("en", "zh"), seed=1, size=600)
    for noise in (pools.trained_noise, pools.noise):
        numbers = [text for text in noise if re.fullmatch(r"[\d\s+\-x/:,=?%€$¥]+", text)]
        assert len(numbers) >= 5 and any("+" in text for text in numbers)
        assert all(len(number) <= 3 for text in numbers if "+" in text for number in re.findall(r"\d+", text))
