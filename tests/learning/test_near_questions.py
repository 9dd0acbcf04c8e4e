import numpy as np
import pytest

from chatbot.learning.near_questions import differ, group_alike, join_alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I open an account?", "How do I close an account?"),
        ("Can I pay in cash?", "Can I pay by invoice?"),
        ("Can I pay in cash?", "Can't I pay in cash?"),
        ("怎么取消订单", "怎么修改订单"),
        ("学生有优惠吗", "老人有优惠吗"),
    ],
)
def test_a_word_that_each_has_alone_makes_two_questions(one, other):
    assert differ(one, other)
    assert group_alike([one, other]) == [[0], [1]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I return my order?", "how to retrun my order"),
        ("Where is my parcel?", "where are the parcels"),
        ("where is my parcel", "where is my parcel now"),
        ("包裹到哪了", "请问包裹到哪里了呢"),
        ("", "anything"),
    ],
)
def test_spelling_courtesies_and_small_words_make_none(one, other):
    assert not differ(one, other)


def joined(texts, cosines):
    """Groups of one each, joined; ``cosines`` of the pairs in order, the others are 0."""
    table = np.eye(len(texts))
    for (row, column), cosine in cosines.items():
        table[row, column] = table[column, row] = cosine
    vectors = np.linalg.cholesky(table).astype(np.float32)
    return join_alike([[at] for at in range(len(texts))], vectors, texts)


def test_a_paraphrase_of_other_words_joins_and_a_lookalike_does_not():
    texts = ["is there parking nearby", "where do I leave my car", "is there a station nearby"]
    assert joined(texts, {(0, 1): 0.6, (0, 2): 0.7}) == [[0, 1], [2]]


def test_no_two_of_one_group_are_far_apart():
    texts = ["is there parking nearby", "where do I leave my car", "my vehicle needs a wash"]
    assert joined(texts, {(0, 1): 0.6, (1, 2): 0.6, (0, 2): 0.2}) == [[0, 1], [2]]
    assert joined(texts, {(0, 1): 0.6, (1, 2): 0.6, (0, 2): 0.5}) == [[0, 1, 2]]


def test_what_is_joined_keeps_its_rows_in_order():
    texts = ["is there parking nearby", "opening hours", "where do I leave my car"]
    vectors = np.array([[1, 0], [0, 1], [0.8, 0.6]], dtype=np.float32)
    assert join_alike([[4, 7], [5], [6]], vectors, texts) == [[4, 7, 6], [5]]
    assert join_alike([], np.zeros((0, 2), dtype=np.float32), []) == []


def test_codes_tell_questions_apart_and_order_numbers_do_not():
    texts = [
        "what does E-4012 mean?",
        "What does e4012 mean",
        "what does E-4015 mean?",
        "E-9999",
        "and VP-9999-Z?",
    ]
    assert group_alike(texts) == [[0, 1], [2], [3], [4]]
    assert group_alike(["where is my order KC-204817?", "where is my order KC-204818?"]) == [[0, 1]]
    assert joined(["and VP-9999-Z?", "E-9999"], {(0, 1): 0.9}) == [[0], [1]]
