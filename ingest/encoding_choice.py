"""What a file would say in each encoding that it may be in, for a person to choose from."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from chatbot.errors import FrontdeskError
from ingest.encodings import likeliest
from ingest.files import HEAD, open_text

# offered where none of the likely ones is right, by the name that people know
ENCODINGS = (
    "utf-8",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1252",
    "cp1250",
    "cp1251",
    "iso8859-2",
    "iso8859-9",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp874",
    "utf-16",
)
_LINES = 4  # shown
_WIDTH = 120  # characters of a line


@dataclass(frozen=True, slots=True)
class EncodingReading:
    """The first lines that differ between encodings, as this one reads them."""

    encoding: str
    lines: tuple[str, ...]


def doubtful_readings(path: Path) -> list[EncodingReading]:
    """The likeliest readings of a file whose encoding is not certain, the one that would be taken first; none where it
    is certain, and where the file is no text or cannot be read: its import says why."""
    try:
        file = open_text(path)
        if file.sure:
            return []
        with gzip.open(path, "rb") if file.compressed else path.open("rb") as opened:
            raw = opened.read(HEAD)
    except (FrontdeskError, OSError, EOFError):
        return []
    found = likeliest(raw, complete=file.complete)
    if file.encoding not in (encoding for encoding, _ in found):
        found.insert(0, (file.encoding, file.head))
    return [EncodingReading(encoding, _telling(text)) for encoding, text in found]


def _telling(text: str) -> tuple[str, ...]:
    lines = [line.strip()[:_WIDTH] for line in text.splitlines() if not line.isascii()]
    return tuple(lines[:_LINES])
