"""The key that signs sessions and forms: made at the first start, kept in the data folder, never defaulted. Weak
secrets are refused, whoever chose them."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from chatbot.errors import InputError

KEY_BYTES = 32
MIN_TOKEN = 16  # characters
MIN_DIFFERENT = 8  # characters that are not alike: "aaaaaaaaaaaaaaaa" is long and no secret


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


def check_metrics_token(token: str) -> None:
    """Raises InputError for a token that could be guessed; an empty one closes the metrics."""
    if token and (len(token) < MIN_TOKEN or len(set(token)) < MIN_DIFFERENT):
        raise InputError(
            "The token for the metrics could be guessed",
            field="FRONTDESK_METRICS_TOKEN",
            remedy=f"Use at least {MIN_TOKEN} random characters, for example from: openssl rand -hex 24",
        )


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
