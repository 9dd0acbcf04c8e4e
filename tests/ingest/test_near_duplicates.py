import random
from collections import Counter

from ingest.near_duplicates import band_keys, group_of, shingles, split_of

LONG = "where is the parcel that you said would be delivered to my work address on friday morning"


def test_texts_that_differ_in_a_letter_share_a_group():
    known: dict[int, str] = {}
    first = group_of(band_keys(LONG), known)
    assert group_of(band_keys(LONG.replace("friday", "fryday")), known) == first
    assert group_of(band_keys("可以帮我修改一下收货地址吗我明天要回老家了"), known) != first


def test_chinese_near_duplicates_share_a_group():
    known: dict[int, str] = {}
    first = group_of(band_keys("可以帮我修改一下收货地址吗我明天要回老家了"), known)
    assert group_of(band_keys("可以帮我修改一下收货地址吗我明天要回老家"), known) == first


def test_different_questions_have_different_groups():
    known: dict[int, str] = {}
    texts = [
        "how do i descale it",
        "where is my refund",
        "cancel my subscription",
        "is the shop open",
        "怎么退货",
        "能开发票吗",
    ]
    assert len({group_of(band_keys(text), known) for text in texts}) == len(texts)


def test_a_group_does_not_depend_on_the_process():
    assert band_keys("where is my refund") == band_keys("where is my refund")
    assert group_of(band_keys("where is my refund"), {}) == "2c8de5ba2e20b28a"


def test_most_is_trained_on_and_both_held_back_parts_are_alike_in_size():
    share = Counter(split_of(f"group {n}") for n in range(5000))
    assert 0.86 < share["train"] / 5000 < 0.90
    assert 0.045 < share["valid"] / 5000 < 0.075
    assert 0.045 < share["test"] / 5000 < 0.075


def test_texts_meet_as_often_as_their_similarity_says():
    """1 − (1 − J⁶)⁵ for Jaccard similarity J, on random sets of 4-grams."""
    draw = random.Random(13)
    letters = "abcdefghijklmnopqrstuvwxyz "
    met = {0.9: 0, 0.5: 0}
    seen = {0.9: 0, 0.5: 0}
    for _ in range(600):
        text = "".join(draw.choice(letters) for _ in range(120))
        for similarity, changes in ((0.9, 1), (0.5, 9)):
            other = list(text)
            for _ in range(changes):
                other[draw.randrange(len(other))] = draw.choice(letters)
            a, b = shingles(text), shingles("".join(other))
            if abs(len(a & b) / len(a | b) - similarity) < 0.05:
                seen[similarity] += 1
                met[similarity] += bool(set(band_keys(text)) & set(band_keys("".join(other))))
    assert min(seen.values()) > 50
    assert met[0.9] / seen[0.9] > 0.95
    assert met[0.5] / seen[0.5] < 0.2
