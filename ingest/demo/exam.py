"""Keeping the past conversations apart from the questions that the bot is tuned on and tested with.

The questions were written by people who had not seen the conversations; still, a few of some ten thousand composed
messages come near one by chance. Such a conversation is left out: what is measured is how the bot generalises.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

QUESTIONS = tuple(Path(__file__).parent / name for name in ("test_questions.jsonl", "tuning_questions.jsonl"))
MOST_SHARED = 0.6  # of a question's words (Chinese: character bigrams) that one message may hold

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_NO_LETTER = re.compile(r"[\W_]+")


def units(text: str, lang: str) -> set[str]:
    """Lower-cased words, or the bigrams of Chinese characters without punctuation."""
    text = unicodedata.normalize("NFKC", text).lower()
    if lang != "zh":
        return set(_WORD.findall(text))
    letters = _NO_LETTER.sub("", text)
    return {letters[i : i + 2] for i in range(len(letters) - 1)}


class Exam:
    """The test questions' words, by word: a message is held only against the questions it shares one with."""

    def __init__(self, paths: Sequence[Path] = QUESTIONS) -> None:
        self._sizes: list[int] = []
        self._holders: dict[tuple[str, str], list[int]] = defaultdict(list)
        for line in "".join(path.read_text(encoding="utf-8") for path in paths).splitlines():
            question = json.loads(line)
            found = units(question["text"], question["lang"])
            for unit in found:
                self._holders[question["lang"], unit].append(len(self._sizes))
            self._sizes.append(len(found))

    def is_given_away_by(self, message: str, lang: str) -> bool:
        found = (self._holders.get((lang, unit), ()) for unit in units(message, lang))
        shared = Counter(chain.from_iterable(found))
        return any(count > MOST_SHARED * self._sizes[number] for number, count in shared.items())
