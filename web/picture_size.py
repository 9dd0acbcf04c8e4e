"""How large a picture is when it is drawn, read from its first bytes without decoding it.

A small file can hold a picture that fills the memory of whoever looks at it: one with more than MOST_PIXELS is refused
before anybody does (web/attachments.py). PNG (W3C, 11.2.1), GIF89a (section 18), JPEG (ITU-T T.81, B.2.2), WebP
(RFC 9649, sections 2.5 to 2.7).
"""

from __future__ import annotations

import struct

MOST_PIXELS = 64_000_000
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # JPEG's SOF markers
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG's markers without a length


def picture_size(content: bytes, media_type: str) -> tuple[int, int] | None:
    """(width, height) in pixels; None where the file does not say, or is of another kind."""
    try:
        match media_type:
            case "image/png":
                return struct.unpack(">II", content[16:24])
            case "image/gif":
                return struct.unpack("<HH", content[6:10])
            case "image/jpeg":
                return _jpeg(content)
            case "image/webp":
                return _webp(content)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at < len(content):
        if content[at] != 0xFF:
            at += 1
            continue
        marker = content[at + 1]
        if marker == 0xFF:  # filling
            at += 1
        elif marker == 0 or marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = content[24:27] + b"\0", content[27:30] + b"\0"
        return 1 + struct.unpack("<I", width)[0], 1 + struct.unpack("<I", height)[0]
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", content[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None
