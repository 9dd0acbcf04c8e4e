"""Names of files that others have chosen."""

from __future__ import annotations

import re
import unicodedata

_UNSAFE = re.compile(r"[^\w.()\- ]")


def safe_name(name: str) -> str:
    """A file name that can do no harm and still says what the file is: its own letters, its own extension."""
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    cleaned = _UNSAFE.sub("_", base).strip(". ") or "upload"
    stem, dot, extension = cleaned.rpartition(".")
    return f"{stem[:80]}{dot}{extension[:12]}" if dot else cleaned[:80]
