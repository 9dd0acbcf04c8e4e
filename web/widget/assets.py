"""The widget's static files under an address that changes with their content, so that a browser may keep them."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import rcssmin
import rjsmin

PACKAGE = files("web.widget")
MODULES = (
    "app.js",
    "cards.js",
    "colour.js",
    "conversation.js",
    "dom.js",
    "files.js",
    "hours.js",
    "identity.js",
    "markup.js",
    "messages.js",
    "prechat.js",
    "rating.js",
    "sound.js",
    "storage.js",
    "transport.js",
    "turns.js",
)
FILES = {
    **dict.fromkeys(MODULES, "text/javascript"),
    "app.css": "text/css",
    "help.css": "text/css",
    "help.js": "text/javascript",
    "preview.js": "text/javascript",
    "mark.svg": "image/svg+xml",
}


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Languages of the widget: one JSON file each."""
    names = (entry.name for entry in (PACKAGE / "locales").iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


@lru_cache(maxsize=64)
def words(language: str) -> dict[str, Any]:
    """The widget's and the pages' words. KeyError for a language that has no file."""
    if language not in languages():
        raise KeyError(language)
    loaded: dict[str, Any] = json.loads((PACKAGE / "locales" / f"{language}.json").read_text("utf-8"))
    return loaded


@lru_cache(maxsize=1)
def version() -> str:
    """Changes with the content of any file that a page links to."""
    digest = hashlib.sha256()
    for name in sorted(FILES):
        digest.update(read(name))
    for language in languages():
        digest.update((PACKAGE / "locales" / f"{language}.json").read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=64)
def read(name: str) -> bytes:
    """A file as it is sent: scripts and styles without comments and without space that says nothing.

    It is done once in a process, when a file is first asked for: no build step, and what is read here is what runs.
    Names stay as they are written, so that an error in a visitor's browser can be read.
    """
    content = (PACKAGE / "static" / name).read_bytes()
    if name.endswith(".css"):
        return rcssmin.cssmin(content.decode("utf-8")).encode()
    if name.endswith(".js"):
        packed = rjsmin.jsmin(content.decode("utf-8"))
        lines = [line.strip() for line in packed.splitlines()]  # a style lies in a template string
        return "\n".join(lines).encode()
    return content


@lru_cache(maxsize=64)
def locale_json(language: str) -> bytes:
    """The words that the chat needs, without those of the help pages."""
    chat = {key: value for key, value in words(language).items() if key != "page"}
    chat["back"] = words(language)["page"]["back"]
    return json.dumps(chat, ensure_ascii=False, separators=(",", ":")).encode()


def best_language(*wanted: str | None, default: str = "en") -> str:
    """The first of the wanted BCP 47 tags that the widget speaks (by its primary subtag)."""
    for tag in wanted:
        primary = (tag or "").replace("_", "-").partition("-")[0].lower()
        if primary in languages():
            return primary
    return default
