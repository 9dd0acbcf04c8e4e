"""The language that a text is written in, where it may be any: by its script, and in Latin letters by its small words.

Customers' messages are told apart as Chinese, English or another script alone (`normalise.detect_language`); what a
company has written may be in any language, and what is asked may be in one of those. The words of each list are among
the most frequent of their language and are no word of the others listed, or a rare one.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from chatbot.language.normalise import detect_language, is_han

_SMALL_WORDS = {
    "en": "the and of to is you for that with your are this not have from will can be or on it we if by an as "
    "at when",
    "de": "der und das nicht ist sie mit für den von wird ein eine auf werden ich wie kann bei oder zu im wenn "
    "sind nach dem auch zum zur einen einer wir ihre ihr bitte aus über innerhalb kein keine mein wann "
    "warum wo welche sich haben gibt es kostet dauert man dass habe",
    "fr": "le les des est vous pour dans une pas sur et votre vos que qui avec sont nous par ou ce cette aux du "
    "au être peut pouvez si mon ma mes je quand comment où combien quel quelle il elle plus sans après "
    "avant puis coûte ai y",
    "es": "el los las por para una que con del es no se su en y como puede más son al usted si sus este esta "
    "cuando dónde cómo cuánto mi qué está desde hasta sin sobre pero también tiene o nuestra nuestro "
    "puedo hay cuesta tengo",
    "it": "il che di per una non con del della sono gli le dei è si più come nel alla puoi può se quando dove "
    "quanto mio mia ho entro dal sul anche questo questa o ma tuo tua vostro nostra e da posso costa ci "
    "avete",
    "pt": "os que não uma com para do da em é por se dos das no na mais pode você ao seu sua quando onde como "
    "quanto meu minha são até após também ou está este esta nosso nossa e pelo pela posso custa tem",
    "nl": "het een van en is niet voor met zijn op te de dat wordt kunt kan je uw bij naar als wij ook aan "
    "binnen worden ik hoe wanneer waar welke mijn geen deze dit wat of door uit tot hebben heeft u kost "
    "heb er",
    "pl": "nie w na się jest do że z po czy jak dla od są przez oraz lub może które który można jeśli ten "
    "zamówienia w ciągu o za jego ich moje gdzie kiedy ile proszę",
    "sv": "och att det som är för en på inte med av den du kan har till vi om ett din eller från när hur var "
    "jag inom så",
}
WORDS = {lang: frozenset(words.split()) for lang, words in _SMALL_WORDS.items()}
_SCRIPTS = (  # what no other language listed here is written in; the first that is found decides
    ("ja", re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")),
    ("ko", re.compile(r"[\uac00-\ud7a3]")),
    ("el", re.compile(r"[\u0391-\u03ce]")),
    ("uk", re.compile(r"[іїєґ]")),
    ("ru", re.compile(r"[а-яё]")),
    ("he", re.compile(r"[\u05d0-\u05ea]")),
    ("ar", re.compile(r"[\u0621-\u064a]")),
    ("hi", re.compile(r"[\u0905-\u0939]")),
    ("th", re.compile(r"[\u0e01-\u0e2e]")),
)
KNOWN = frozenset({*WORDS, "zh", *(lang for lang, _ in _SCRIPTS)})  # languages that can be told
_LATIN = re.compile(r"[^\W\d_]+")
_LEAST = 4  # small words that tell the language of a document
_SHARE = 0.08  # of its words
_FEW, _LEAST_OF_FEW = 30, 2  # words of a short one, small words where none is English
_READ = 20_000  # characters of a document


def document_language(text: str, *, default: str = "en") -> str:
    """The primary tag (RFC 5646) of a text of some length: ``und`` for a script that is not known here, ``default``
    where it has no letters.

    It is Chinese where it has as many Chinese characters as words of Latin letters: a Chinese name in an English text
    makes it no Chinese one. It is English in Latin letters unless small words of another language are many, and twice
    as many as English ones.
    """
    return evident_language(text) or ("en" if _letters(text) else default)


def evident_language(text: str) -> str | None:
    """As ``document_language``; None where the text is too short or too mixed to show it."""
    text = text[:_READ]
    found = detect_language(text, default="")
    if found == "und":
        return _by_script(text)
    words = _letters(text)
    if found == "zh" and sum(map(is_han, text)) >= len(words):
        return "zh"
    counts = {lang: sum(word in small for word in words) for lang, small in WORDS.items()}
    best = max(counts, key=lambda lang: counts[lang])
    few = len(words) <= _FEW and not counts["en"]
    least = _LEAST_OF_FEW if few else max(_LEAST, _SHARE * len(words), best != "en" and 2 * counts["en"])
    clear = counts[best] >= least and sorted(counts.values())[-2] < counts[best]
    return best if clear else None


def language_asked_in(text: str, among: Collection[str]) -> str | None:
    """Which of the languages ``among`` a question is in, by its script or by more small words than English has and no
    fewer than any other; None where it does not show."""
    if (told := detect_language(text, default="und")) == "und":
        told = _by_script(text)
    if told not in ("en", "und"):
        return told if told in among else None
    words = _letters(text)
    counts = {lang: sum(word in small for word in words) for lang, small in WORDS.items()}
    most = max(counts.values())
    if most < 2 and text.isascii():  # one word alone may be an English one: "per kg", "no name"
        return None
    best = [lang for lang, count in counts.items() if count == most > counts["en"] and lang in among]
    return best[0] if len(best) == 1 else None


def has_small_words(text: str, lang: str) -> bool:
    """Whether a text has any of the small words of a language in Latin letters."""
    return not WORDS.get(lang, frozenset()).isdisjoint(_LATIN.findall(text.casefold()))


def _letters(text: str) -> list[str]:
    """Words but Chinese ones."""
    return [word for word in _LATIN.findall(text.casefold()) if not is_han(word[0])]


def _by_script(text: str) -> str:
    text = text.lower()
    return next((lang for lang, script in _SCRIPTS if script.search(text)), "und")
