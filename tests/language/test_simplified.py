"""Traditional characters read as simplified ones, for rules."""

from __future__ import annotations

from chatbot.language.simplified import plain


def test_a_text_keeps_its_length_and_its_places():
    written = "機器冒煙了 I Can’t"
    assert plain(written) == "机器冒烟了 i can't"
    assert len(plain(written)) == len(written)


def test_what_is_simplified_already_stays():
    assert plain("孩子喝了除垢剂") == "孩子喝了除垢剂"
