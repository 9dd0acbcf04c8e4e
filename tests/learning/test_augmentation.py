from __future__ import annotations

from chatbot.learning.augmentation import augment, join_units

TEXTS = ["where is my parcel please", "i want my money back", "我的订单什么时候到"]


def test_new_texts_are_new_distinct_and_reproducible():
    made = augment(TEXTS, 60, seed=1)
    assert len(made) == 60
    assert len(set(made)) == 60
    assert not set(made) & set(TEXTS)
    assert made == augment(TEXTS, 60, seed=1)


def test_words_are_replaced_by_their_neighbours():
    made = augment(TEXTS[:1], 60, seed=1, neighbours={"parcel": ("package",)})
    assert any("package" in text.split() for text in made)


def test_a_text_too_short_to_vary_does_not_loop_for_ever():
    assert len(augment(["a"], 50, seed=1)) < 50
    assert augment([], 10, seed=1) == []


def test_chinese_is_joined_without_spaces_and_english_with():
    assert join_units(["我", "的", "order", "呢"]) == "我的 order 呢"
