"""The two benchmarks on messages that fit on a screen: figures of the right shape, and labels that only score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from chatbot.errors import FileError
from web.bench import discovery, learning

TOPICS = ("refund money", "parcel courier", "password login")


def rows(each: int = 20) -> list[tuple[str, str, str]]:
    words = [f"{a}{b}" for a in "abcdefg" for b in "xyzw"]
    return [
        (f"{topic} {words[n % 28]} {words[(3 * n + 1) % 28]}", "en", topic)
        for topic in TOPICS
        for n in range(each)
    ]


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """A unit vector that knows the topic, with a little noise of its own."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(0, 0.1, (len(texts), 8)).astype(np.float32)
    for row, text in enumerate(texts):
        vectors[row, next(at for at, topic in enumerate(TOPICS) if text.startswith(topic))] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_discovery_is_scored_against_labels_that_it_never_saw() -> None:
    given = rows()
    found = discovery.measure(given, encode=encode)
    assert found["n_true"] == 3 and found["coverage"] > 80
    assert found["ami"] > 50
    renamed = [(text, lang, str(number)) for number, (text, lang, _) in enumerate(given)]
    assert discovery.measure(renamed, encode=encode)["n_clusters"] == found["n_clusters"]


def test_openings_are_read_from_dialogues_and_from_rows() -> None:
    turns = [{"role": "agent", "text": "Hello"}, {"role": "customer", "text": "where is it"}]
    read = discovery.labelled_openings(
        [{"turns": turns, "intent": "a"}, {"text": "x", "intent": "b"}, {"text": "y"}]
    )
    assert [(text, intent) for text, _, intent in read] == [("where is it", "a"), ("x", "b")]
    with pytest.raises(FileError):
        discovery.labelled_openings([{"text": "no label"}])


def test_few_decisions_teach_what_many_random_labels_would() -> None:
    found = learning.measure(rows(60), rows(5), actions=12, encode=encode)
    assert found["curve"][-1][0] == 12
    assert found["curve"][-1][1] > 90
    assert found["all_labels"] > 90
    assert [number for number, _ in found["random"]["curve"]] == [100, 150]
