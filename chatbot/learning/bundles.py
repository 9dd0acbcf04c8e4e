"""A release's weights on disk: built under a temporary name, sealed with hashes, renamed, verified before use.

No training and no serving here: only files. The manifest lists every file with its SHA-256, so that a damaged or
foreign bundle is refused before anything in it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from chatbot.errors import BundleError, ConflictError

FORMAT = 1
MANIFEST = "manifest.json"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is and holds. ``encoders`` maps a language (``*``: any other) to an encoder's folder name."""

    id: str
    created_at: str
    snapshot: str
    seed: int
    languages: tuple[str, ...]
    torch: str = ""
    device: str = ""
    encoders: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    format: int = FORMAT


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that becomes it when the block ends well, and is gone otherwise.

    Raises ConflictError where ``folder`` is already there.
    """
    if folder.exists():
        raise ConflictError(
            "There is already a bundle of this name", value=folder.name, remedy="Choose another name"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for path in temporary.rglob("*"):
            if path.is_file():
                _flush(path)
        os.replace(temporary, folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Hash every file of the folder and write the manifest; the manifest as written."""
    hashed = {
        path.relative_to(folder).as_posix(): {"sha256": sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    values = {item.name: getattr(manifest, item.name) for item in fields(Manifest)} | {"files": hashed}
    sealed = Manifest(**values)
    text = json.dumps(asdict(sealed), ensure_ascii=False, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return sealed


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone, files unverified. Raises BundleError where there is none that can be understood."""
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if values.get("format") != FORMAT:
            raise BundleError("The bundle's format is not known", field="format", value=values.get("format"))
        known = {item.name for item in fields(Manifest)}
        manifest = Manifest(**{key: value for key, value in values.items() if key in known})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BundleError(
            "No readable release bundle in this folder",
            value=folder.name,
            remedy="Train it: python -m chatbot.learning.training SNAPSHOT --out BUNDLE; the bundle is what is imported"
            if (folder / "examples.jsonl").is_file()  # a snapshot, as it was exported
            else "Retrain, or import it again",
        ) from error
    object.__setattr__(manifest, "languages", tuple(manifest.languages))
    return manifest


def verify(folder: Path) -> Manifest:
    """The manifest of a bundle whose every file is present and has its hash.

    Raises BundleError naming the first file that is missing, changed or not listed.
    """
    manifest = read_manifest(folder)
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {MANIFEST}
    remedy = "Roll back to another release, or retrain"
    for name in sorted(present - manifest.files.keys()):
        raise BundleError(
            "The bundle holds a file that its manifest does not list", value=name, remedy=remedy
        )
    for name, expected in manifest.files.items():
        if name not in present:
            raise BundleError("A file of the bundle is missing", value=name, remedy=remedy)
        if sha256(folder / name) != expected["sha256"]:
            raise BundleError("A file of the bundle was changed or damaged", value=name, remedy=remedy)
    return manifest


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    """Make a file's content, or a folder's entries, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
