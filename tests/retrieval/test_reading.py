"""What of a conversation the indexes read, and that nothing is encoded twice for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.retrieval.reading import CONTEXT_CHARACTERS, RecentVectors, read_query, said_before


class Encoder:
    """Each text a direction of its own; counts what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.given += texts
        rows = [np.random.default_rng(abs(hash(text)) % 2**32).normal(size=8) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


HISTORY = [
    Message("customer", "old"),
    Message("customer", "When is my refund due?"),
    Message("action", "look-up"),
    Message("bot", "In three days."),
]


def test_the_last_two_spoken_turns_are_read_and_their_beginnings_alone() -> None:
    assert said_before(HISTORY) == ["When is my refund due?", "In three days."]
    assert said_before([]) == []
    (said,) = said_before([Message("bot", "x" * 500)])
    assert len(said) == CONTEXT_CHARACTERS


def test_both_turns_count_the_same_and_together_are_one_direction() -> None:
    encoder = Encoder()
    query = read_query("and in a shop?", encoder, history=HISTORY)
    assert query is not None and query.context_vector is not None
    question, answer = encoder.encode(["When is my refund due?", "In three days."])
    assert np.linalg.norm(query.context_vector) == pytest.approx(1, abs=1e-5)
    assert query.context_vector @ question == pytest.approx(query.context_vector @ answer, abs=1e-5)
    assert "refund" in query.context_terms


def test_a_first_question_has_no_context_and_signs_are_no_question() -> None:
    query = read_query("refund?", Encoder())
    assert query is not None and query.context_vector is None and query.context_terms == []
    assert read_query("?!", Encoder()) is None


def test_a_question_is_always_encoded_and_what_stands_before_it_once() -> None:
    encoder, recent = Encoder(), RecentVectors()
    read_query("When is my refund due?", encoder, recent=recent)
    first = read_query("and in a shop?", encoder, history=HISTORY, recent=recent)
    assert encoder.given == ["When is my refund due?", "and in a shop?", "In three days."]
    again = read_query("and in a shop?", encoder, history=HISTORY, recent=recent)
    assert encoder.given[3:] == ["and in a shop?"]
    alone = read_query("and in a shop?", Encoder(), history=HISTORY)
    assert first is not None and again is not None and alone is not None
    for one in (again, alone):
        assert np.array_equal(first.context_vector, one.context_vector)  # type: ignore[arg-type]


def test_a_long_question_is_not_taken_for_its_beginning() -> None:
    encoder, recent = Encoder(), RecentVectors()
    long = "word " * 60
    read_query(long, encoder, recent=recent)
    read_query("and?", encoder, history=[Message("customer", long)], recent=recent)
    assert encoder.given[-1] == long[:CONTEXT_CHARACTERS]


def test_the_least_used_is_forgotten_first() -> None:
    encoder, recent = Encoder(), RecentVectors(size=2)
    for text in ("one", "two", "one", "three"):
        recent.vector(text, encoder.encode)
    assert len(recent) == 2 and encoder.given == ["one", "two", "three"]
    recent.vector("one", encoder.encode)
    assert encoder.given[-1] == "three"
