"""Given names and surnames of some fifty countries, in Latin letters and in Chinese characters.

The lists are those of the Faker package (MIT licence). Its modules are read as text and not imported: importing them
takes twenty times as long and 70 MB, and a web process redacts with its first message.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from chatbot.language.package_files import folder_of

_LATIN = """
cs_CZ da_DK de_AT de_CH de_DE en en_GB en_IE en_IN en_KE en_NG en_NZ en_PK en_US es_AR es_CO es_ES es_MX et_EE
fi_FI fr_BE fr_CA fr_CH fr_FR hr_HR hu_HU id_ID ig_NG it_IT lt_LT nl_BE nl_NL no_NO pl_PL pt_BR pt_PT ro_RO
sk_SK sl_SI sv_SE sw tr_TR tw_GH uz_UZ vi_VN yo_NG zu_ZA
"""
_CHINESE = ("zh_CN", "zh_TW")
_ATTRIBUTE = re.compile(r"^    (\w+)\s*(?::[^=\n]+)?=", re.MULTILINE)
_LITERAL = re.compile(r'"([^"\\\n]{1,40})"')
_NAME = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_LATIN_NAME = re.compile(r"[a-z'’\-\u00df-\u024f\u1e00-\u1eff]{2,}")


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Lower-case given names, each word of a double one for itself, with and without their accents."""
    return _words("first", _LATIN.split())


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Lower-case surnames, with and without their accents."""
    return _words("last", _LATIN.split())


@lru_cache(maxsize=1)
def chinese_surnames() -> frozenset[str]:
    """Chinese surnames of one or two characters, simplified and traditional."""
    return frozenset(name for name in _literals("last", _CHINESE) if 1 <= len(name) <= 2 and name > "\u4e00")


@lru_cache(maxsize=1)
def chinese_given_characters() -> frozenset[str]:
    """The characters that Chinese given names are made of most."""
    return frozenset("".join(name for name in _literals("first", _CHINESE) if name > "\u4e00"))


def _words(kind: str, locales: list[str]) -> frozenset[str]:
    found = set()
    for name in _literals(kind, locales):
        for word in _NAME.findall(name.lower()):
            if _LATIN_NAME.fullmatch(word):
                found |= {word, without_accents(word)}
    return frozenset(found)


def without_accents(word: str) -> str:
    if word.isascii():
        return word
    plain = "".join(ch for ch in unicodedata.normalize("NFD", word) if not unicodedata.combining(ch))
    return plain.replace("ł", "l").replace("ø", "o").replace("ß", "ss")


def _literals(kind: str, locales: list[str] | tuple[str, ...]) -> set[str]:
    """The texts in what the package calls ``first_names…`` or ``last_names…``."""
    found: set[str] = set()
    people = folder_of("faker") / "providers" / "person"
    for locale in locales:
        parts = _ATTRIBUTE.split((people / locale / "__init__.py").read_text(encoding="utf-8"))
        for attribute, body in zip(parts[1::2], parts[2::2], strict=True):
            if f"{kind}_name" in attribute:  # also male_last_names …
                found.update(_LITERAL.findall(body))
    return found
