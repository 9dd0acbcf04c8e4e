"""A search's indexes on disk, so that a process starts without encoding everything again.

``data/index/<key>/`` (one key a set of encoders) holds immutable folders ``s<revision>-<random>`` and the file
``latest`` that names one; it is replaced last, in one step, so a crash leaves the earlier snapshot in force. Nothing
here is a truth: a snapshot that is missing, damaged or behind is made up for from the database
(`Searcher.repair`), entry by entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from chatbot.errors import BundleError
from chatbot.retrieval.language_index import LanguageIndex

FORMAT = 1
_LATEST, _META, _ENTRIES = "latest", "meta.json", "entries.npz"
_KEPT = 2  # snapshots; another process may be reading the one before

Signatures = dict[int, int]


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One language's index, and a signature of every passage and question as it went in."""

    index: LanguageIndex
    passages: Signatures
    questions: Signatures


def key_of(encoders: Mapping[str, str]) -> str:
    """Folder name for a set of encoders, given as language → fingerprint."""
    text = json.dumps([FORMAT, sorted(encoders.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def signature(*fields: object) -> int:
    """A 63-bit hash of an entry's content."""
    text = "\0".join(str(field) for field in fields)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def write(folder: Path, parts: Mapping[str, StoredPart], *, revision: int) -> Path:
    """Write a snapshot beside the earlier ones and make it the latest; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"s{revision:010d}-", dir=folder))
    try:
        for lang, part in parts.items():
            place = scratch / lang
            part.index.save(place)
            arrays: dict[str, Any] = {}
            for name, signatures in (("passages", part.passages), ("questions", part.questions)):
                arrays[f"{name}_ids"] = np.array(list(signatures.keys()), dtype=np.int64)
                arrays[name] = np.array(list(signatures.values()), dtype=np.int64)
            np.savez(place / _ENTRIES, **arrays)
        meta = {"format": FORMAT, "revision": revision, "languages": sorted(parts)}
        (scratch / _META).write_text(json.dumps(meta), encoding="utf-8")
        for path in scratch.rglob("*"):
            _flush(path)
        handle, name = tempfile.mkstemp(prefix=".latest-", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(scratch.name)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / _LATEST)
        _flush(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    _prune(folder, scratch.name)
    return scratch


def read(folder: Path) -> tuple[dict[str, StoredPart], int] | None:
    """The latest snapshot's parts by language and its revision; None where there is none of this format.

    Raises BundleError naming the snapshot, or the language's folder in it, that cannot be read.
    """
    if not (folder / _LATEST).is_file():
        return None
    where = _LATEST
    try:
        where = (folder / _LATEST).read_text(encoding="utf-8").strip()
        place = folder / where
        meta = json.loads((place / _META).read_text(encoding="utf-8"))
        if meta["format"] != FORMAT:
            return None
        parts = {}
        for lang in meta["languages"]:
            where = f"{place.name}/{lang}"
            with (place / lang / _ENTRIES).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                passages, questions = (
                    dict(zip(stored[f"{name}_ids"].tolist(), stored[name].tolist(), strict=True))
                    for name in ("passages", "questions")
                )
            index = LanguageIndex.load(place / lang)
            if index.passage_ids != set(passages) or index.question_ids != set(questions):
                raise BundleError("The snapshot's list of entries does not fit its index", value=lang)
            parts[lang] = StoredPart(index, passages, questions)
        return parts, int(meta["revision"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, BundleError) as error:
        raise BundleError(
            "The search index on disk cannot be read",
            value=where,
            remedy="Run: frontdesk index check --repair",
        ) from error


def _prune(folder: Path, latest: str) -> None:
    old = sorted(
        (path for path in folder.iterdir() if path.is_dir() and path.name != latest),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in old[_KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
