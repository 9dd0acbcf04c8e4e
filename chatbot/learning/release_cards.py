"""The model card of a release that is there: gathered from its row, its bundle and its snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from chatbot.errors import BundleError
from chatbot.learning import parity
from chatbot.learning.bundles import Manifest, read_manifest, seal
from chatbot.learning.model_card import CARD, ModelCard, page
from chatbot.learning.releases import ReleaseRow, bundle_folder, get_release
from chatbot.records.database import Database
from chatbot.records.tables import Snapshot
from chatbot.settings import Settings


def card_of(database: Database, settings: Settings, release_id: str) -> ModelCard:
    """Raises NotFoundError. A bundle whose manifest cannot be read leaves its lines empty."""
    row = get_release(database, release_id)
    with database.read() as session:
        snapshot = session.get(Snapshot, row.snapshot)
    return gather(row, bundle_folder(settings, release_id), counts=snapshot.counts if snapshot else {})


def gather(row: ReleaseRow, folder: Path, *, counts: Mapping[str, int]) -> ModelCard:
    manifest = _manifest(folder)
    return ModelCard(
        release_id=row.id,
        made=f"{row.created_at:%Y-%m-%d %H:%M} UTC",
        status=row.status,
        reason=row.reason,
        metrics=row.metrics,
        gate=row.gate,
        counts=counts,
        languages=manifest.languages if manifest else (),
        snapshot=row.snapshot,
        seed=manifest.seed if manifest else None,
        device=manifest.device if manifest else "",
        size=sum(int(file["bytes"]) for file in manifest.files.values()) if manifest else 0,
        parent_id=row.parent_id,
        skipped=skipped_parts(folder),
        cut=cut_parts(folder),
        parity=parity.kept(manifest.parity) if manifest else {},
        erased_people=row.erased_people,
    )


def write_card(folder: Path, card: ModelCard) -> Manifest:
    """Put the card into a bundle that nobody serves yet, and seal it again; the manifest as written."""
    (folder / CARD).write_text(page(card), encoding="utf-8")
    return seal(folder, read_manifest(folder))


def skipped_parts(folder: Path) -> dict[str, str]:
    """What the training left out, with the reason; empty where the bundle does not say."""
    return _parts(folder, "skipped")


def cut_parts(folder: Path) -> dict[str, str]:
    """What the clock cut short of the training, and how far it came; empty where the bundle does not say."""
    return _parts(folder, "cut")


def _parts(folder: Path, name: str) -> dict[str, str]:
    try:
        return dict(json.loads((folder / "card.json").read_text(encoding="utf-8"))[name])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except BundleError:
        return None
