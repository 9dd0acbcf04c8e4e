"""The language of the pages behind the sign-in. English texts are their own keys; ``texts/zh.json`` holds the Chinese
ones, and ``texts/en.json`` only the words for names that the database keeps (``import_articles``, ``waiting``).

``gettext`` inside a request translates to the language of whoever reads: their own choice, else the browser's.
A text that a catalogue lacks appears in English; a test finds it before a reader does.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from flask import g, has_request_context, request, session
from flask_login import current_user

LANGUAGES = {"en": "English", "zh": "中文"}


@lru_cache(maxsize=4)
def catalogue(language: str) -> dict[str, str]:
    """Text or stored name → text of ``language``."""
    texts: dict[str, str] = json.loads((files("web") / "texts" / f"{language}.json").read_text("utf-8"))
    return texts


def page_language() -> str:
    """``en`` or ``zh``."""
    if not has_request_context():
        return "en"
    if "page_language" not in g:
        chosen = session.get("language") or (current_user.locale if current_user.is_authenticated else None)
        if chosen not in LANGUAGES:
            chosen = request.accept_languages.best_match(
                ["en", "zh", "zh-CN", "zh-Hans", "zh-TW", "zh-HK"], default="en"
            ).partition("-")[0]
        g.page_language = chosen
    language: str = g.page_language
    return language


def gettext(text: str) -> str:
    return catalogue(page_language()).get(text, text)


def counted(text: str, number: int) -> str:
    """``text`` with its ``{number}``. A language that says one of a thing otherwise has it as ``<text>|one``."""
    found = catalogue(page_language())
    said = found.get(f"{text}|one") if number == 1 else None
    return (said or found.get(text, text)).format(number=number)
