"""Text as the models see it: Unicode form, width, script and language.

NFKC (Unicode Standard Annex #15) folds full-width Latin letters and digits into half-width ones, which is how
Chinese users type order numbers half of the time.
"""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_SPACE = re.compile(r"\s+")
_WORDS = re.compile(r"[\u3400-\u9fff]|[^\W\d_]{3}|\d{4}")
_LETTER = re.compile(r"[^\W_]")  # what str.isalnum says yes to
_MUCH = 2_100  # Latin letters; a Chinese character says as much as three
_HALF_WIDTH = {
    code: code - 0xFEE0
    for code in range(0xFF01, 0xFF5F)
    if chr(code - 0xFEE0).isalnum() or chr(code) in "－＠％＋／＃＿．＝＆"
}
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af\u1100-\u11ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_OTHER_LETTER = re.compile(r"[\u0370-\u1fff\u2c00-\u2dff\ua640-\uabff]")


def normalise(text: str) -> str:
    """NFKC, control and zero-width characters removed, runs of white space as one space, ends stripped."""
    text = unicodedata.normalize("NFKC", text)
    if text.isprintable():  # nothing to remove, and no white space but the plain one: nearly every message
        return " ".join(text.split())
    return _SPACE.sub(" ", _CONTROL.sub("", text)).strip()


def tidy(text: str) -> str:
    """Like ``normalise``, for text that people read again: Chinese punctuation stays full-width.

    An answer in Chinese with ASCII commas looks like a machine's; letters and digits still become half-width.
    """
    text = unicodedata.normalize("NFC", text)
    if not text.isascii():
        text = text.translate(_HALF_WIDTH)
    if text.isprintable():
        return " ".join(text.split())
    return _SPACE.sub(" ", _CONTROL.sub("", text)).strip()


def fold(text: str) -> str:
    """Normalised and case-folded, for comparing."""
    return normalise(text).casefold()


def says_something(text: str) -> bool:
    """Whether there is a word of three letters, a Chinese character or a longer number: "2+2", "50%" and "po" ask for
    nothing by themselves."""
    return _WORDS.search(text) is not None


def says_too_much(text: str) -> bool:
    """Whether it is longer than people tell what they want: some 350 words, or 700 Chinese characters. A paste of pages
    asks for nothing, whatever its first lines are about."""
    return 3 * len(text) > _MUCH and len(text) + 2 * len(_HAN.findall(text)) > _MUCH


def has_letters(text: str) -> bool:
    """Whether there is any letter or digit at all (emoji and punctuation alone say nothing)."""
    return _LETTER.search(text) is not None


def detect_language(text: str, *, default: str = "en") -> str:
    """``zh``, ``en``, or ``und`` for a script of neither; ``default`` where the text has no letters.

    A mixed message is Chinese as soon as it holds a meaningful share of Han characters: "我的 order KC-204817 呢"
    is a Chinese question with an English word in it.
    """
    if text.isascii():
        return "en" if _LATIN.search(text) else default
    han = len(_HAN.findall(text))
    if _KANA_HANGUL.search(text):
        return "und"
    words = len(_LATIN.findall(text))
    other = len(_OTHER_LETTER.findall(text))
    if other > 2 * (han + words):
        return "und"
    if han == 0 and words == 0:
        return default
    return "zh" if han >= words or han >= 4 else ("en" if words else "zh")


def is_han(ch: str) -> bool:
    return bool(_HAN.match(ch))
