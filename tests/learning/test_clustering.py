"""Clusters of messages without labels, on sentences small enough to read."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from chatbot.learning.clustering import (
    UNASSIGNED,
    ClusterSettings,
    cluster,
    key_terms,
    nearest_known,
    nested,
    words_of,
)
from chatbot.learning.discovery import proposed_name, typical_answer, varied_examples

TOPICS = {
    "refund": ["money back", "refund", "paid", "return the amount", "bank account"],
    "parcel": ["parcel", "delivery", "courier", "tracking number", "doorstep"],
    "password": ["password", "login", "reset", "locked out", "sign in"],
}


def messages(seed: int = 3, each: int = 25) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    frames = ["my {} and {} {}", "help with {} {} {}", "{} {}, {} please", "the {} {} {}"]
    texts, topics = [], []
    for topic, words in TOPICS.items():
        for _ in range(each):
            chosen = rng.choice(words, 3, replace=False)
            texts.append(str(rng.choice(frames)).format(*chosen))
            topics.append(topic)
    return texts, topics


def agreement(labels: np.ndarray, topics: list[str]) -> float:
    """Share of the messages that carry their cluster's most frequent topic."""
    inside = 0
    for label in set(labels.tolist()) - {UNASSIGNED}:
        own = [topics[row] for row in np.flatnonzero(labels == label)]
        inside += max(map(own.count, set(own)))
    return inside / len(topics)


def test_messages_about_the_same_come_together_without_a_label() -> None:
    texts, topics = messages()
    found = cluster(texts)
    assert 3 <= found.count <= 8
    assert found.coverage > 0.9
    assert agreement(found.labels, topics) > 0.9


@pytest.mark.parametrize(("seed", "noise"), [(0, 6), (1, 6), (0, 10)])
def test_short_messages_alike_do_not_outweigh_long_ones_where_each_has_one_vote(
    seed: int, noise: int
) -> None:
    """Two topics of sixty messages with the same three words, six of twenty that share few of many."""
    rng = np.random.default_rng(seed)
    letters = "klmnopqrstuvwxyz"
    texts, topics = [], []
    for topic in "abcdefgh":
        words = [topic + letter for letter in letters]
        for at in range(60 if topic in "ab" else 20):
            if topic in "ab":
                said = list(rng.choice(words[:4], 3, replace=False))
            else:
                said = list(rng.choice(words, 4, replace=False))
                said += [
                    f"z{one}{two}"
                    for one, two in zip(
                        rng.choice(list(letters), noise), rng.choice(list(letters[:6]), noise), strict=True
                    )
                ]
            texts.append(" ".join([*said, f"n{chr(97 + at % 26)}{chr(97 + at // 26)}"]))
            topics.append(topic)
    plain, voted = (
        adjusted_mutual_info_score(topics, cluster(texts, settings=ClusterSettings(one_vote=vote)).labels)
        for vote in (False, True)
    )
    assert voted > plain + 0.05
    assert voted > 0.7


def test_the_number_of_clusters_can_be_given() -> None:
    texts, topics = messages()
    found = cluster(texts, clusters=3)
    assert found.count == 3
    assert agreement(found.labels, topics) > 0.9


def test_sentence_vectors_join_what_shares_no_word() -> None:
    texts = [f"{chr(97 + i % 20) * 3} {chr(97 + i // 20) * 2}" for i in range(40)]
    vectors = np.zeros((40, 4), dtype=np.float32)
    vectors[:20, 0] = vectors[20:, 1] = 1.0
    labels = cluster(texts, vectors, clusters=2).labels
    assert len(set(labels[:20].tolist())) == len(set(labels[20:].tolist())) == 1
    assert labels[0] != labels[20]


def test_equal_messages_share_a_label_and_the_run_is_repeatable() -> None:
    texts, _ = messages()
    doubled = [*texts, *(text.upper() + "!" for text in texts)]
    found, again = cluster(doubled), cluster(doubled)
    assert (found.labels[: len(texts)] == found.labels[len(texts) :]).all()
    assert (found.labels == again.labels).all()


def test_more_messages_than_are_clustered_at_once_join_their_nearest() -> None:
    texts, topics = messages(each=60)
    found = cluster(texts, clusters=3, settings=ClusterSettings(most_texts=60))
    assert found.coverage > 0.9
    assert agreement(found.labels, topics) > 0.85


@pytest.mark.parametrize("texts", [[], ["hello"], ["?!", "…"], ["a b", "c d", "e f"]])
def test_too_few_messages_make_no_cluster(texts: list[str]) -> None:
    found = cluster(texts)
    assert found.count == 0
    assert found.labels.tolist() == [UNASSIGNED] * len(texts)


def test_finer_cuts_of_a_tree_lie_within_coarser_ones() -> None:
    texts, _ = messages()
    coarse, fine = nested(texts, None, [3, 12])
    for label in set(fine.tolist()):
        assert len(set(coarse[fine == label].tolist())) == 1


def test_a_new_message_finds_what_it_is_like_and_only_that() -> None:
    known = ["where is my parcel", "my parcel is late", "reset my password", "password does not work"]
    labels = np.array([7, 7, 9, 9])
    found = nearest_known(["where is the parcel", "opening hours"], None, known, None, labels, least=0.4)
    assert found.tolist() == [7, UNASSIGNED]


def test_chinese_is_read_by_characters_and_their_pairs() -> None:
    assert words_of("退款 [ORDER_2] OK") == ["退", "款", "退款", "ok"]


def test_key_terms_name_what_sets_a_cluster_apart() -> None:
    texts, topics = messages()
    labels = np.array([list(TOPICS).index(topic) for topic in topics])
    terms = key_terms(texts, labels)
    assert {"refund", "money"} & set(terms[0])
    assert {"parcel", "courier"} & set(terms[1]) and {"password", "login"} & set(terms[2])
    assert not {"my", "the", "with"} & {word for found in terms.values() for word in found}


def test_a_mixed_cluster_is_not_named_by_filler() -> None:
    texts = [f"how do i {word} it or the other" for word in ("cancel", "order", "pay", "return", "order")]
    other = ["the parcel is late", "parcel lost", "怎么退款"]
    terms = key_terms([*texts, *other], np.array([0] * len(texts) + [1] * len(other)))
    assert terms[0] and not {"how", "do", "or", "it", "the"} & {*terms[0], *terms[1]}
    assert "怎么" not in terms[1]


def test_a_name_repeats_no_part_of_itself() -> None:
    assert proposed_name(["card", "cards", "arrival", "退款", "x"]) == "card_arrival_退款"
    assert proposed_name([]) == "unnamed"


def test_the_typical_answer_is_one_that_was_given_and_most_resembled() -> None:
    said = ["Refunds take five days", "Refunds usually take five days", "Hello", "Refunds take five days now"]
    assert typical_answer(said) in said[:2]
    assert typical_answer(["", " "]) is None


def test_examples_are_typical_and_different() -> None:
    texts = ["where is my parcel", "where is my parcel please", "track a shipment", "it never came"]
    assert varied_examples(texts, [0, 1, 2, 3], most=3) == [texts[0], texts[2], texts[3]]


def test_how_near_is_near_enough_is_what_the_known_messages_reach_among_themselves():
    """Two kinds of messages whose vectors share a half with the next of their kind, and no words."""
    rng = np.random.default_rng(5)

    def vectors(kind: int, count: int) -> np.ndarray:
        rows = np.zeros((count, 64), np.float32)
        rows[:, kind] = 1.0
        rows[:, 2:] = rng.normal(size=(count, 62)) * 0.12
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    known = np.concatenate([vectors(0, 40), vectors(1, 40)])
    words = ["".join(chr(97 + int(digit)) for digit in f"{number:03d}") for number in range(120)]
    texts, new = words[:80], words[80:]
    labels = np.repeat([0, 1], 40)
    asked = np.concatenate([vectors(0, 20), vectors(1, 20)])
    found = nearest_known(new, asked, texts, known, labels, least=0.95)
    assert (found[found != UNASSIGNED] == np.repeat([0, 1], 20)[found != UNASSIGNED]).all()
    assert (found != UNASSIGNED).mean() > 0.5
    few = nearest_known(new, asked, texts[:30], known[:30], labels[:30], least=0.95)
    assert (few == UNASSIGNED).all(), "too few to say how near their kind lies"
