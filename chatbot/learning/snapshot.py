"""A snapshot: training's only input, frozen as files (docs/architecture.md, "Snapshot directory").

Reading and writing the files lives here and needs no database, so that a GPU box can load one;
``chatbot/learning/harvest.py`` makes one from the conversation database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chatbot.errors import InputError

FORMAT = 1
OUT_OF_SCOPE = "oos"
FILES = ("examples.jsonl", "dialogues.jsonl", "passages.jsonl", "pairs.jsonl")


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    fingerprint: str
    created_at: str
    seed: int
    counts: dict[str, int]
    languages: tuple[str, ...]
    intents: tuple[dict[str, Any], ...] = ()  # {"name", "title": {lang: text}, "status", "article"}
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A loaded snapshot: plain rows as docs/architecture.md lists them."""

    manifest: SnapshotManifest
    examples: list[dict[str, Any]] = field(default_factory=list)
    dialogues: list[dict[str, Any]] = field(default_factory=list)
    passages: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(
        default_factory=list
    )  # {"query", "article", "lang", "split", "intent"}


def write_snapshot(
    folder: Path,
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    *,
    created_at: str,
    seed: int,
    languages: tuple[str, ...],
    intents: tuple[dict[str, Any], ...],
) -> SnapshotManifest:
    """Write the files (``rows`` by file name) and the manifest whose fingerprint is the content's SHA-256.

    The same content has the same fingerprint whenever it is frozen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(json.dumps([intents, seed], sort_keys=True).encode())
    counts: dict[str, int] = {}
    for name in FILES:
        count = 0
        with (folder / name).open("w", encoding="utf-8") as file:
            for row in rows.get(name, ()):
                line = json.dumps(row, ensure_ascii=False, sort_keys=True)
                digest.update(line.encode())
                file.write(line + "\n")
                count += 1
        counts[name.removesuffix(".jsonl")] = count
    manifest = SnapshotManifest(digest.hexdigest(), created_at, seed, counts, languages, intents)
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return manifest


def load_snapshot(folder: Path) -> Snapshot:
    """Raises InputError where the folder holds no snapshot that this version can read."""
    try:
        values = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT:
            raise InputError("The snapshot's format is not known", value=folder.name)
        values["languages"] = tuple(values["languages"])
        values["intents"] = tuple(values["intents"])
        manifest = SnapshotManifest(**values)
        parts = {name.removesuffix(".jsonl"): list(_lines(folder / name)) for name in FILES}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "This folder holds no readable snapshot",
            value=folder,
            remedy="Make one with: frontdesk snapshot export",
        ) from error
    return Snapshot(manifest, **parts)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
