"""Marks of what a text names: their notation, and the pieces that a tagger reads."""

from __future__ import annotations

from itertools import product

import pytest

from chatbot.language.entity_marks import Mark, kind_name, place_marks, read_marks, write_marks
from chatbot.language.entity_tags import allowed, entities_of, features, spans, tags_of


def test_marks_come_off_and_go_back_on() -> None:
    written = 'to [New York](city) and [二](number) or [two]{"entity": "Number", "role": "x"}'
    text, marks = read_marks(written)
    assert text == "to New York and 二 or two"
    assert [(mark.kind, text[mark.start : mark.end]) for mark in marks] == [
        ("city", "New York"),
        ("number", "二"),
        ("number", "two"),
    ]
    assert read_marks(write_marks(text, marks)) == (text, marks)


@pytest.mark.parametrize("written", ["a [NAME] called", "see (b) [c]", "[x](", "", "[a]{not json}", "[a](!)"])
def test_what_is_no_mark_marks_nothing(written: str) -> None:
    assert read_marks(written)[1] == []


def test_kinds_are_names() -> None:
    assert kind_name(" Delivery-City ") == "delivery_city"
    assert kind_name("城市") == kind_name("9") == ""


def test_marks_are_found_again_in_order_and_what_redaction_took_is_gone() -> None:
    text = "from [NAME] Paris to Paris"
    found = place_marks(text, [("who", "Ana"), ("start", "Paris"), ("end", "Paris")])
    assert found == [Mark("start", 12, 17), Mark("end", 21, 26)]


def test_pieces_keep_their_places_and_chinese_goes_by_characters() -> None:
    text = "E-12 从北京 to Paris"
    words = [text[start:end] for start, end in spans(text)]
    assert words == ["E", "-", "12", "从", "北", "京", "to", "Paris"]
    bags = features(text, spans(text))
    assert len(bags) == len(words) and all(bags)
    assert features("Lyon", [(0, 4)])[0][1] == features("Nice", [(0, 4)])[0][1]  # one shape


def test_an_inside_follows_its_own_kind_alone() -> None:
    tags = tags_of(("city", "item"))
    follows, begins = allowed(tags)
    for (at, before), (to, after) in product(enumerate(tags), enumerate(tags)):
        assert follows[at][to] == (not after.startswith("I-") or before[2:] == after[2:])
    assert [tag for tag, may in zip(tags, begins, strict=True) if not may] == ["I-city", "I-item"]


def test_entities_of_tags() -> None:
    tags = ["B-city", "I-city", "B-city", "O", "I-item", "B-item", "I-item"]
    assert entities_of(tags) == [("city", 0, 1), ("city", 2, 2), ("item", 4, 4), ("item", 5, 6)]
