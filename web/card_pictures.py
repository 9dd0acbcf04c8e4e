"""Pictures that editors upload for cards (chatbot/dialogue/cards.py): for everybody, under an address of their content.

They pass the checks of visitors' files and lie in ``<data>/card-pictures``. An answer that is withdrawn keeps its
pictures: old conversations show them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from chatbot.errors import InputError, NotFoundError
from web.attachments import EXTENSIONS, checked_file

MOST_MB = 2
KINDS = {EXTENSIONS[kind]: kind for kind in ("image/png", "image/jpeg", "image/gif", "image/webp")}
_NAME = re.compile(rf"[0-9a-f]{{32}}\.({'|'.join(KINDS)})")
_PICTURE = re.compile(r"(!\[[^\]\n]*\]\()([^()\n]+)(\))")


class CardPictures:
    def __init__(self, data: Path) -> None:
        self.folder = data / "card-pictures"

    def keep(self, content: bytes, given_name: str) -> str:
        """The path on this installation under which it is shown; the same content again has the same one.

        Raises LimitError or InputError for what is no picture that browsers draw, or is too large.
        """
        file = checked_file(content, given_name, limit_mb=MOST_MB)
        extension = EXTENSIONS[file.media_type]
        if extension not in KINDS:
            raise InputError(
                "This is no picture for a card",
                field="pictures",
                value=file.name,
                remedy=f"Choose one of {', '.join(KINDS)}",
            )
        name = f"{hashlib.sha256(content).hexdigest()[:32]}.{extension}"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / f"{name}.{os.getpid()}.part"
        draft.write_bytes(content)
        os.replace(draft, self.folder / name)
        return f"/pictures/{name}"

    def read(self, name: str) -> tuple[bytes, str]:
        """(content, media type). Raises NotFoundError."""
        known = _NAME.fullmatch(name)
        path = self.folder / name
        if known is None or not path.is_file():
            raise NotFoundError("There is no such picture", field="picture", value=name)
        return path.read_bytes(), KINDS[known[1]]


def with_addresses(text: str, addresses: Mapping[str, str]) -> str:
    """Cards as people write them, each picture that is named by its file under its address."""
    return _PICTURE.sub(lambda match: match[1] + addresses.get(match[2].strip(), match[2]) + match[3], text)
