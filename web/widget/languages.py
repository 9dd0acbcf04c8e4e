"""The languages of the widget and the help pages: those of the package, and a company's own files.

A file ``<data>/locales/<language>.json`` adds a language, or gives words of the package others. It holds what it
says differently and has the shape of ``locales/en.json``; a word that it lacks is the package's, and in a language that
the package does not have the English one. A file that is wrong is not used: the service goes on without it, the log and
``frontdesk doctor`` say which word is wrong and what to write.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from chatbot.errors import FileError

PACKAGE = files("web.widget") / "locales"
FOLDER = "locales"  # in the data folder
LARGEST_BYTES = 256 * 1024
DEFAULT = "en"
Words = dict[str, Any]
_CODE = re.compile(r"[a-z]{2,3}")
_PLACE = re.compile(r"\{\w+\}")
log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def packaged() -> dict[str, Words]:
    """Language → its words, of the languages that come with the package."""
    names = sorted(entry.name for entry in PACKAGE.iterdir() if entry.name.endswith(".json"))
    return {name.removesuffix(".json"): json.loads((PACKAGE / name).read_text("utf-8")) for name in names}


def read_file(path: Path) -> tuple[Words, list[str]]:
    """(all the words of the language that a company's file holds, the words that it lacks).

    Raises FileError, which names the word, what is there and what to write.
    """
    language = path.stem
    if not _CODE.fullmatch(language):
        raise FileError(
            "Not the name of a language",
            field=path.name,
            value=language,
            remedy="Call the file by the language's two or three small letters, such as fr.json",
        )
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise FileError("It is too large", field=path.name, remedy=f"At most {LARGEST_BYTES} bytes")
        said = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:  # not readable, not UTF-8, not JSON
        raise FileError(
            f"It cannot be read: {error}", field=path.name, remedy="Write it as JSON in UTF-8, like en.json"
        ) from error
    known = packaged()
    _check(said, known[DEFAULT], path.name)
    if language not in known and "name" not in said:
        raise FileError(
            "The language's own name is missing",
            field=f"{path.name}: name",
            remedy='Add it, as visitors choose it by it: "name": "Français"',
        )
    missing = [] if language in known else sorted(set(_keys(known[DEFAULT])) - set(_keys(said)))
    return _over(known.get(language, known[DEFAULT]), said), missing


def _check(said: Any, english: Any, at: str, path: str = "") -> None:
    where = f"{at}: {path}" if path else at
    if isinstance(english, dict):
        if not isinstance(said, dict):
            raise FileError(
                "A group of words stands here",
                field=where,
                value=said,
                remedy=f"Write an object with any of {', '.join(list(english)[:6])}, …",
            )
        for key, value in said.items():
            inside = f"{path}.{key}" if path else key
            if key not in english:
                near = get_close_matches(key, english, n=1)
                raise FileError(
                    "There is no such word",
                    field=f"{at}: {inside}",
                    value=key,
                    remedy=f"Call it {near[0]}" if near else "Take it out, or look into en.json for its name",
                )
            _check(value, english[key], at, inside)
        return
    if not isinstance(said, str) or not said.strip():
        raise FileError("A text stands here", field=where, value=said, remedy=f"Translate: {english}")
    places, wanted = set(_PLACE.findall(said)), set(_PLACE.findall(english))
    if places != wanted:
        needed = ", ".join(sorted(wanted)) or "no {…}"
        raise FileError(
            "Its places to fill are others than in English",
            field=where,
            value=said,
            remedy=f"Use {needed}, as in: {english}",
        )


def _keys(words: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in words.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{before}{key}.")
        else:
            yield before + key


def _over(below: Words, above: Words) -> Words:
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _over(below[key], value) if isinstance(value, dict) else value
    return merged


class Languages:
    """What one installation speaks to visitors, read once at its start."""

    def __init__(self, data: Path | None = None) -> None:
        self._words = dict(packaged())
        for path in own_files(data) if data else ():
            try:
                self._words[path.stem], missing = read_file(path)
            except FileError as error:
                log.error(
                    "The language file %s is not used: %s: %s", path.name, error.field, error.one_line()
                )
                continue
            if missing:
                log.warning("The language file %s lacks %d words: English there", path.name, len(missing))
        self.codes: tuple[str, ...] = tuple(sorted(self._words))
        self.names = {code: str(self._words[code]["name"]) for code in self.codes}
        self._chat = {code: _chat_json(words) for code, words in self._words.items()}
        digest = hashlib.sha256()
        for code in self.codes:
            digest.update(json.dumps(self._words[code], sort_keys=True).encode())
        self.version = digest.hexdigest()[:12]

    def words(self, language: str) -> Words:
        """KeyError for a language that has no file."""
        return self._words[language]

    def chat_json(self, language: str) -> bytes:
        """The words that the chat needs, without those of the help pages."""
        return self._chat[language]

    def best(self, *wanted: str | None) -> str:
        """The first of the wanted BCP 47 tags that is spoken here (by its primary subtag)."""
        for tag in wanted:
            primary = (tag or "").replace("_", "-").partition("-")[0].lower()
            if primary in self._words:
                return primary
        return DEFAULT


def own_files(data: Path) -> list[Path]:
    return sorted((data / FOLDER).glob("*.json"))


def _chat_json(words: Words) -> bytes:
    chat = {key: value for key, value in words.items() if key != "page"}
    chat["back"] = words["page"]["back"]
    return json.dumps(chat, ensure_ascii=False, separators=(",", ":")).encode()
