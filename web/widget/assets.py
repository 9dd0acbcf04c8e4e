"""The widget's static files under an address that changes with their content, so that a browser may keep them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

import rcssmin
import rjsmin

from web.tokens import rules_for

PACKAGE = files("web.widget")
MODULES = (
    "app.js",
    "colour.js",
    "conversation.js",
    "dom.js",
    "files.js",
    "forms.js",
    "hours.js",
    "identity.js",
    "markup.js",
    "messages.js",
    "outbox.js",
    "storage.js",
    "transport.js",
    "turns.js",
)
TOKENS: dict[str, dict[str, Any]] = {
    "app.css": {"dark": ':root[data-theme="dark"]', "without": ("accent", "accent-strong", "on-accent")},
    "help.css": {},  # read without a script as well
    "widget.js": {"root": ":host", "without": ("accent", "on-accent")},
}
FILES = {
    **dict.fromkeys(MODULES, "text/javascript"),
    "app.css": "text/css",
    "help.css": "text/css",
    "help.js": "text/javascript",
    "preview.js": "text/javascript",
    "sound.js": "text/javascript",  # off until a visitor turns it on
    "mark.svg": "image/svg+xml",
}


@lru_cache(maxsize=1)
def version() -> str:
    """Changes with the content of any file that a page links to."""
    digest = hashlib.sha256()
    for name in sorted(FILES):
        digest.update(read(name))
    return digest.hexdigest()[:12]


@lru_cache(maxsize=64)
def read(name: str) -> bytes:
    """A file as it is sent: scripts and styles without comments and without space that says nothing.

    It is done once in a process, when a file is first asked for: no build step, and what is read here is what runs.
    Names stay as they are written, so that an error in a visitor's browser can be read.
    """
    content = (PACKAGE / "static" / name).read_bytes()
    if name.endswith(".css"):
        style = content.decode("utf-8")
        return rcssmin.cssmin(rules_for(style, **TOKENS[name]) + style).encode()
    if name.endswith(".js"):
        script = content.decode("utf-8")
        if name in TOKENS:
            script = script.replace("/* tokens */", rcssmin.cssmin(rules_for(script, **TOKENS[name])))
        packed = rjsmin.jsmin(script)
        lines = [line.strip() for line in packed.splitlines()]  # a style lies in a template string
        return "\n".join(lines).encode()
    return content
