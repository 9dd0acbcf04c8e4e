"""Which Chinese characters sound alike."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chatbot.language.sounds import alike, without_tones, words


@pytest.mark.parametrize(
    ("one", "other"), [("货", "或"), ("票", "漂"), ("保", "包"), ("修", "休"), ("機", "雞")]
)
def test_what_sounds_the_same_is_alike_whatever_the_tone(one: str, other: str) -> None:
    assert other in alike()[one] and one in alike()[other]


@pytest.mark.parametrize(("one", "other"), [("货", "票"), ("努", "女"), ("和", "壶")])
def test_what_sounds_otherwise_or_did_in_old_books_is_not(one: str, other: str) -> None:
    assert other not in alike()[one] and one not in alike()[other]


def test_tones_go_and_the_two_dots_stay() -> None:
    assert [without_tones(pinyin) for pinyin in ("huò", "lǜ", "lù")] == ["huo", "lü", "lu"]


def test_words_are_of_two_characters() -> None:
    assert {"发票", "瞎说"} <= words() and {len(word) for word in words()} == {2}


def test_the_tables_are_read_without_importing_their_package() -> None:
    code = (
        "import sys; from chatbot.language.sounds import alike, words; alike(), words(); "
        "assert 'pypinyin' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
