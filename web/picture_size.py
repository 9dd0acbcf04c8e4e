"""How large a picture is when it is drawn, read from its head (by ``imagesize``) without decoding it.

A small file can hold a picture that fills the memory of whoever looks at it: one with more than MOST_PIXELS is refused
before anybody does (web/attachments.py).
"""

from __future__ import annotations

import io

import imagesize

MOST_PIXELS = 64_000_000


def picture_size(content: bytes, media_type: str) -> tuple[int, int] | None:
    """(width, height) in pixels; None where the file does not say, or is no picture."""
    if not media_type.startswith("image/"):
        return None
    width, height = imagesize.get(io.BytesIO(content), exif_rotation=False)
    return (width, height) if width >= 0 and height >= 0 else None
