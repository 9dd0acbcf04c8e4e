"""The key that signs sessions and forms: made at the first start, kept in the data folder, never defaulted."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from chatbot.errors import InputError

KEY_BYTES = 32


def session_key(data: Path) -> str:
    """The installation's key as hex. Several processes that start at once end up with the same one.

    Raises InputError where the file holds no key or others may read it.
    """
    folder = data / "secrets"
    path = folder / "session.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_once(path, secrets.token_hex(KEY_BYTES))
    if path.stat().st_mode & 0o077:
        raise InputError(
            "The session key can be read by others",
            field="FRONTDESK_DATA",
            value=path,
            remedy=f"Run chmod 600 {path}, or delete the file to have a new key made (it signs everybody out)",
        )
    key = path.read_text("ascii").strip()
    if len(key) < 2 * KEY_BYTES:
        raise InputError(
            "The session key is too short",
            field="FRONTDESK_DATA",
            value=path,
            remedy="Delete the file to have a new key made (it signs everybody out)",
        )
    return key


def _write_once(path: Path, content: str) -> None:
    """Whole or not at all, and only if nobody else did: link(2) refuses to replace a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
