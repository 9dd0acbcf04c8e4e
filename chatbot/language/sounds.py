"""How Chinese characters sound, in Pinyin without tones, and which ones sound alike: whoever types by Pinyin picks the
wrong one of them.

The readings, and 20,000 words of two characters, are those of the package pypinyin (MIT licence), its tables read as
they lie and not imported: importing it costs several times as much.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from chatbot.language.package_files import folder_of

_READINGS = 2  # of a character, the most frequent first; the others are of old books
_FREQUENT = {"gb2312": 0xD8, "big5": 0xC9}  # the lead byte behind the standard's frequent characters
_WORD = re.compile(r'"([\u4e00-\u9fff]{2})":')


@lru_cache(maxsize=1)
def alike() -> Mapping[str, frozenset[str]]:
    """Each frequent character, simplified or traditional, with the others that sound like it.

    Raises UnavailableError where the package is missing.
    """
    readings = {sign: sounds for sign, sounds in _readings().items() if _is_frequent(sign)}
    having: dict[str, set[str]] = {}
    for sign, sounds in readings.items():
        for sound in sounds:
            having.setdefault(sound, set()).add(sign)
    return {
        sign: frozenset().union(*(having[sound] for sound in sounds)) - {sign}
        for sign, sounds in readings.items()
    }


@lru_cache(maxsize=1)
def words() -> frozenset[str]:
    """Words of two characters. Raises UnavailableError where the package is missing."""
    return frozenset(_WORD.findall(_table("phrases_dict.json")))


def _readings() -> dict[str, list[str]]:
    rows = json.loads(_table("pinyin_dict.json"))
    return {chr(int(code)): without_tones(row).split(",")[:_READINGS] for code, row in rows.items()}


def _table(name: str) -> str:
    return (folder_of("pypinyin") / name).read_text(encoding="utf-8")


def without_tones(pinyin: str) -> str:
    """``pinyin`` without its tones; the two dots of lǜ stay, as they make another sound."""
    parts = unicodedata.normalize("NFD", pinyin)
    return unicodedata.normalize(
        "NFC", "".join(ch for ch in parts if ch == "\u0308" or not unicodedata.combining(ch))
    )


def _is_frequent(sign: str) -> bool:
    for encoding, behind in _FREQUENT.items():
        try:
            code = sign.encode(encoding)
        except UnicodeEncodeError:
            continue
        if len(code) == 2 and code[0] < behind:
            return True
    return False
