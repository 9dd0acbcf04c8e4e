"""Which language a conversation is held in, where one message alone does not say.

"Crane Duo", "KC-204841" and "Baker Street 221B, London" are written in Latin letters whatever language their writer
speaks: they are evidence of none. Ordinary words are, and Chinese characters. A message without evidence is answered in
the language of the customer's last one that had some, else in the locale of the page. While an action asks for a detail
only a sentence changes the language: any words could be a name or an address there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from chatbot.dialogue.trace import Message
from chatbot.language.normalise import detect_language, is_han

LEAST = 2  # ordinary words that show a language: one alone may be a name
A_SENTENCE = 3  # ordinary words, one of them of those that hold a sentence together

_PLACEHOLDER = re.compile(r"\[[A-Z]+(?:_\d+)?\]")
_WORD = re.compile(  # no part of an e-mail address, a link, a code or a file's name
    r"(?<![\w@./\-])[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z]{1,2}\b)?(?![\w@/\-]|[.][A-Za-z])"
)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}")
_SENTENCES = re.compile(
    r"(?:i|you|he|she|it|we|they|me|him|her|us|them|my|your|his|its|our|their|this|that|these|those|is|are|"
    r"was|were|be|am|been|do|does|did|have|has|had|can|could|will|would|shall|should|may|might|must|what|"
    r"when|where|which|who|whose|why|how|not|don't|doesn't|didn't|can't|won't|isn't|i'm|i'd|i've|it's|"
    r"that's|what's|where's|please|want|need|if|but|because|there|here)"
)
_JOINING = re.compile(
    r"(?:a|an|the|of|to|for|with|from|in|on|at|by|and|or|as|about|into|any|some|no|yes|hi|hello|hey|thanks|"
    r"thank|ok|okay)"
)
_PLACES = re.compile(
    r"(?:street|st|road|rd|avenue|ave|lane|drive|boulevard|way|court|place|square|terrace|close|crescent|"
    r"gardens|grove|hill|house|flat|apartment|apt|floor|room|unit|building|block|tower|straat|laan|weg|"
    r"straße|strasse|platz|rue|via|calle|po|box)"
)
_HAN_SENTENCE = re.compile(
    r"[我你您吗呢咱嗎們请請谁誰]|怎[么麼样樣]|什[么麼]|多少|多久|几[天个點点时]|幾[天個點时時]|不[是要用对對行能会會]|[可所]以"
    r"|[能会會]不[能会會]|[没沒]有|[谢謝]|[现現]在|[还還][没沒是有]|(?:改|寄|送|[发發]|[换換])(?:到|成|给|給|[为為]|去)|取消|算了|[麻帮幫][烦煩我]"
)


def language_of(
    text: str,
    read: str,
    before: Sequence[Message],
    *,
    default: str,
    languages: Sequence[str],
    names: Collection[str] = (),
    asked: bool = False,
) -> str:
    """The language that ``text`` is read and answered in: ``zh``, ``en``, or ``und`` for another script.

    ``read``: the message, redacted as ``before`` is; empty for a tap. ``default``: the locale's language;
    ``languages``: those that are spoken. ``names``: words that show no language, in small letters.
    ``asked``: an action waits for a detail.
    """
    found = _sentence(read, names) if asked else evident(read, names)
    if found is not None:
        return found
    earlier = [message.text for message in reversed(before) if message.role == "customer"]
    for shows in (_sentence, evident) if asked else (evident,):
        for one in earlier:
            if (told := shows(one, names)) is not None:
                return told
    if default in languages or not languages:
        return default
    found = detect_language(text, default=default)
    return found if found in languages or found == "und" else languages[0]


def evident(text: str, names: Collection[str] = ()) -> str | None:
    """The language that the words of ``text`` show; None where they show none."""
    text = _PLACEHOLDER.sub(" ", text)
    script = detect_language(text, default="")
    if script in ("", "und"):
        return script or None
    words = _ordinary(text, names)
    han = sum(map(is_han, text))
    if han:
        return "zh" if han >= 4 or han >= len(words) else "en"
    return "en" if len(words) >= LEAST else None


def _sentence(text: str, names: Collection[str]) -> str | None:
    """As ``evident``, where it is a sentence and no mere name of something."""
    found = evident(text, names)
    if found == "zh":
        return found if _HAN_SENTENCE.search(text) else None
    if found == "en":
        words = _ordinary(text, names)
        return found if len(words) >= A_SENTENCE and any(map(_SENTENCES.fullmatch, words)) else None
    return found


def latin_words(text: str) -> set[str]:
    """Words in Latin letters, in small ones: in a Chinese title they are names of products."""
    return {word.lower() for word in _LATIN.findall(text)}


def _ordinary(text: str, names: Collection[str]) -> list[str]:
    """The words that are no names: those that hold sentences together, others in small letters, and what a sentence
    begins with."""
    text = _PLACEHOLDER.sub(" ", text).replace("’", "'")
    shouted = text.isupper()
    found = list(_WORD.finditer(text))
    place = any(_PLACES.fullmatch(word[0].lower()) for word in found) and any(map(str.isdigit, text))
    words: list[str] = []
    for at, match in enumerate(found):
        word = match[0].lower()
        if _SENTENCES.fullmatch(word) or _JOINING.fullmatch(word):
            words.append(word)
        elif len(word) < 2 or place or _PLACES.fullmatch(word) or word in names:
            continue
        elif match[0].islower() or (shouted and len(found) > 2) or _begins(text, found, at):
            words.append(word)
    return words


def _begins(text: str, found: Sequence[re.Match[str]], at: int) -> bool:
    """Whether a word with a capital begins a sentence that goes on in small letters: "Order cancelled?"."""
    first = at == 0 or bool(re.search(r"[.!?\n]\s*$", text[: found[at].start()]))
    return first and at + 1 < len(found) and found[at + 1][0].islower() and found[at][0][1:].islower()
