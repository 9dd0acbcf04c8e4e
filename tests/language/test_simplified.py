"""Traditional characters read as simplified ones, for rules."""

from __future__ import annotations

from chatbot.language.simplified import simplified


def test_a_text_keeps_its_length_and_its_places():
    written = "機器冒煙了 I Can’t"
    assert simplified(written) == "机器冒烟了 i can't"
    assert len(simplified(written)) == len(written)


def test_what_is_simplified_already_stays():
    assert simplified("孩子喝了除垢剂") == "孩子喝了除垢剂"
