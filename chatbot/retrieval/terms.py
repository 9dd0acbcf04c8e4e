"""What keyword search matches on: words, identifiers and Chinese characters.

English words are lightly stemmed (plural and verb endings) and function words dropped. Chinese is matched on single
characters: over bq_zh and atec_zh they find more than jieba's words do (LSTM_NOTES, "Retrieval"), and they need
no dictionary. Traditional characters are left as they are. An identifier such as ``E-4012``, ``KC-204817`` or
``20-45-77`` is one term however it is hyphenated or cased, so that it never matches by its parts.
"""

from __future__ import annotations

import re

from chatbot.language.normalise import fold

_TOKEN = re.compile(
    r"(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])"
    r"|(?P<code>(?=[a-z0-9._/-]*[a-z])(?=[a-z0-9._/-]*\d)[a-z0-9]+(?:[-_./][a-z0-9]+)*)"
    r"|(?P<digits>\d+(?:-\d+){2,})"
    r"|(?P<number>\d+(?:[.,:]\d+)*)"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)"
)
_JOINER = re.compile(r"[-_./]")
_APOSTROPHE = re.compile(r"['’](s|re|ve|ll|d|m)$")

# Function words of English questions. Negations stay: "can" and "cannot" ask for different articles.
STOP_WORDS = frozenset(
    word
    for line in (
        "a an and are as at be been being but by can could did do does doing for from get got had has have having",
        "he her his how i if in into is it its just like me my of on or our please she should so some than that the",
        "their them then there these they this those to us was we were what when where which who whom why will",
        "with would you your am also any about im ive",
    )
    for word in line.split()
)
_DASHED = 6  # digits of a code without letters; a year or an amount has fewer
_VOWEL = re.compile(r"[aeiouy]")


def terms(text: str) -> list[str]:
    """The search terms of a text, in order, repeats included."""
    found: list[str] = []
    for match in _TOKEN.finditer(fold(text)):
        kind, token = match.lastgroup, match.group()
        if kind in ("code", "digits"):
            found.append(_JOINER.sub("", token))
        elif kind == "word":
            word = _APOSTROPHE.sub("", token).replace("’", "'")
            if word not in STOP_WORDS:
                found.append(stem(word))
        elif kind == "number":
            found.append(token.replace(",", ""))
        else:
            found.append(token)
    return found


def is_identifier(term: str) -> bool:
    """Whether one of a text's terms is a code: letters and digits, or digits that dashes held together."""
    digits = sum(map(str.isdigit, term))
    return (0 < digits < len(term) and term.isalnum()) or digits == len(term) >= _DASHED


def stem(word: str) -> str:
    """A light English stem: plural, -ing and -ed endings (steps 1a and 1b of Porter 1980, short words spared)."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]
        if word.endswith("ie") and len(word) > 3:
            word = word[:-2] + "y"
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and _VOWEL.search(word[: -len(ending)]):
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    return word
