"""The run behind `frontdesk retrain`: harvest → snapshot → train → fit the search → evaluate → gates → promote.

Training happens in a child process: its memory (torch) is given back when it ends, and a crash in it cannot take
the caller along. What the run writes appears under its final name only when it is whole; a run that was killed
leaves a snapshot, which the next run finds and uses again.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from chatbot.dialogue.heard import Heard
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import BundleError, ConflictError, NotFoundError, TrainingError
from chatbot.extras import require_training
from chatbot.learning import gate
from chatbot.learning.bundles import Manifest, building, read_manifest, seal, verify
from chatbot.learning.evaluation import Evaluation, evaluate
from chatbot.learning.harvest import freeze, publish_questions
from chatbot.learning.index_check import prepare_index
from chatbot.learning.loading import (
    ASKED_AFTER,
    SAID_WORDS,
    SEARCH_MODEL,
    WEIGHING,
    frozen_search,
    load_classifier,
    load_parts,
)
from chatbot.learning.parity import differences
from chatbot.learning.read_vectors import take_noted
from chatbot.learning.recipe_search import RECIPE_FILE
from chatbot.learning.release_cards import cut_parts, gather, skipped_parts, write_card
from chatbot.learning.releases import (
    ReleaseRow,
    bundle_folder,
    go_live,
    labels_in,
    labels_of,
    live_release_id,
)
from chatbot.learning.search_fitting import fit_search
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot, SnapshotManifest, load_snapshot
from chatbot.learning.sureness_judging import measure_sureness
from chatbot.learning.time_plan import exceeded_in_words, for_training
from chatbot.learning.training_process import train_apart
from chatbot.learning.weighing_fit import Readers, asked_after, fit_weighing, said_words
from chatbot.learning.writing import WRITING, judge_writing
from chatbot.records import tables
from chatbot.records.database import Database
from chatbot.records.tables import AuditEntry, Release, utcnow
from chatbot.retrieval.embeddings import EmbeddingCache
from chatbot.retrieval.ranking import SearchModel
from chatbot.retrieval.search import EMBEDDINGS
from chatbot.settings import Settings

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
KEPT_SNAPSHOTS = 5
MOST_NEW = 0.25  # of the intents; with more, there is little to learn on from
KEPT_WORK_SECONDS = 24 * 3600
FROM_SCRATCH = (
    "trained from scratch; learning on needs a whole live release, a new intent, none gone and at most a quarter of "
    "them new"
)
ASKED_FOR = "asked_for"  # in a manifest's metrics
_FINISHING = "finishing"  # in a release's metrics: seconds from the end of its training to the gate's word
_clock = time.monotonic


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a retraining came to. ``status``: promoted, candidate (a person decides), refused or unchanged."""

    release_id: str
    status: str
    reason: str
    metrics: dict[str, Any] = field(default_factory=dict)
    gate: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)  # by the clock, and how far it came


def retrain(
    database: Database,
    settings: Settings,
    *,
    device: str = "auto",
    seed: int = 13,
    progress: Progress | None = None,
    created_by: int | None = None,
    budget_seconds: float | None = None,
    force: bool = False,
    warm: bool = False,
    start: Path | None = None,
) -> Outcome:
    """Train a release from what the database knows now, and promote it where the gate lets it through.

    ``warm``: the generator learns on from the live one's weights, and where only some intents are new the classifier
    too; the outcome's ``skipped`` says what did not. ``start``: a bundle to learn on from instead of the live one, also
    where nothing has changed.
    ``budget_seconds``: instead of the setting's, wall time for all of it; 0: no limit. The training's stages are cut
    to it (chatbot/learning/time_plan.py); reading the data, fitting the search, measuring and the index are not.

    The live release's own data, seed, encoder, recipe and budget are not trained again unless ``force``, or its bundle
    is damaged: that one cannot answer, so it is not learnt on from, and nothing is held against it. Raises
    TrainingError where there is nothing to train on or the training process failed, BundleError for a damaged
    ``start``.
    """
    require_training()
    if start is not None:
        verify(start)
    began = _clock()
    tell = progress or (lambda stage, share: None)
    tell("snapshot", 0.0)
    folder = _freeze(database, settings, seed)
    snapshot = load_snapshot(folder)
    with database.write() as session:
        publish_questions(session, snapshot.pairs)
    tell("snapshot", 1.0)
    with database.read() as session:
        live = live_release_id(session)
        before = session.get(Release, live) if live is not None else None
        finishing = before.metrics.get(_FINISHING) if before is not None else None
    budget = settings.training_budget if budget_seconds is None else budget_seconds
    asked = _asked_for(settings, budget)
    if live is not None and not force and start is None and _same(settings, live, snapshot, seed, asked):
        return Outcome(live, "unchanged", "nothing has changed since the live release was trained")
    if not snapshot.passages and not snapshot.dialogues:
        raise _nothing()

    release_id = new_release_id(utcnow(), snapshot.manifest.fingerprint)
    with tempfile.TemporaryDirectory(prefix="training-", dir=_swept(settings.data / "work")) as work:
        trained = Path(work) / release_id
        base = start or (_whole(settings, live) if warm and live is not None else None)
        learnt_on = base if base is not None and _classifier_fits(base, snapshot) else None
        training_began = _clock()
        train_apart(
            folder,
            trained,
            settings,
            device=device,
            seed=seed,
            budget=for_training(budget, training_began - began, finishing),
            tell=tell,
            start=learnt_on,
            generator_start=base,
        )
        trained_at = _clock()
        manifest = _finish_bundle(trained, release_id, snapshot, settings, tell, asked)
    outcome = _decide(database, settings, snapshot, manifest, created_by, tell)
    if (warm or start is not None) and learnt_on is None:
        outcome = replace(outcome, skipped={**outcome.skipped, "learning on": FROM_SCRATCH})
    return _timed(database, outcome, budget, (began, training_began, trained_at))


def _timed(database: Database, outcome: Outcome, budget: float, times: tuple[float, float, float]) -> Outcome:
    """The outcome with the wall time of it all, and what exceeded the budget; the next retraining knows by the release
    what comes after a training takes. ``times``: when all began, when its training did, when that was done."""
    began, training_began, trained_at = times
    now = _clock()
    finishing = round(now - trained_at, 2)
    with database.write() as session:
        row = session.get_one(Release, outcome.release_id)
        row.metrics = {**row.metrics, _FINISHING: finishing}
    cut = dict(outcome.cut)
    exceeded = exceeded_in_words(
        budget, before=training_began - began, training=trained_at - training_began, after=now - trained_at
    )
    if exceeded:
        cut["retraining"] = exceeded
    for part, how_far in cut.items():
        log.info("release %s, %s: %s", outcome.release_id, part, how_far)
    return replace(outcome, cut=cut, seconds={**outcome.seconds, "search and evaluation": finishing})


def snapshot_of(database: Database, settings: Settings, *, seed: int = 13) -> Snapshot:
    """What the database knows now, as a training would see it."""
    return load_snapshot(_freeze(database, settings, seed))


def export_snapshot(database: Database, settings: Settings, out: Path, *, seed: int = 13) -> SnapshotManifest:
    """Freeze what the database knows now into the folder ``out``, for a machine that only trains.

    A copy stays in the data folder, so that the bundle made from it can be taken in again (``import_bundle``).
    Raises ConflictError where ``out`` exists, TrainingError where there is nothing to train on.
    """
    if out.exists():
        raise ConflictError(
            "There is something of this name already", value=out, remedy="Name a folder that does not exist"
        )
    folder = _freeze(database, settings, seed)
    snapshot = load_snapshot(folder)
    if not snapshot.passages and not snapshot.dialogues:
        raise _nothing()
    with database.write() as session:
        publish_questions(session, snapshot.pairs)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        shutil.copytree(folder, draft)
        os.replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return snapshot.manifest


def import_bundle(
    database: Database,
    settings: Settings,
    trained: Path,
    snapshot_folder: Path | None = None,
    *,
    progress: Progress | None = None,
    created_by: int | None = None,
) -> Outcome:
    """Take in a bundle that another machine trained from a snapshot: finish, evaluate, gate.

    ``snapshot_folder``: by default the data folder's copy of the snapshot that the bundle names. Raises BundleError
    where the bundle is damaged, NotFoundError where its snapshot is gone, TrainingError where it was made from another.
    """
    tell = progress or (lambda stage, share: None)
    found = verify(trained)
    if snapshot_folder is None:
        snapshot_folder = settings.data / "snapshots" / found.snapshot
        if not snapshot_folder.is_dir():
            raise NotFoundError(
                "The snapshot that the bundle was trained from is not in the data folder any more",
                value=found.snapshot[:12],
                remedy="Give its folder with --snapshot",
            )
    snapshot = load_snapshot(snapshot_folder)
    if found.snapshot != snapshot.manifest.fingerprint:
        raise TrainingError(
            "The bundle was trained from another snapshot",
            value=found.snapshot[:12],
            remedy="Give that snapshot",
        )
    with database.write() as session:
        _keep_row(session, snapshot.manifest)
    release_id = new_release_id(utcnow(), snapshot.manifest.fingerprint)
    manifest = _finish_bundle(trained, release_id, snapshot, settings, tell, {})
    return _decide(database, settings, snapshot, manifest, created_by, tell)


def new_release_id(now: datetime, fingerprint: str) -> str:
    """``r20261120-201500-3f9a``: sorts by time, names its data."""
    return f"r{now:%Y%m%d-%H%M%S}-{fingerprint[:4]}"


def _freeze(database: Database, settings: Settings, seed: int) -> Path:
    root = _made(settings.data / "snapshots")
    with tempfile.TemporaryDirectory(prefix=".freezing-", dir=root) as temporary:
        draft = Path(temporary) / "snapshot"
        with database.read() as session:
            manifest = freeze(session, draft, seed=seed)
        folder = root / manifest.fingerprint
        if not folder.exists():
            os.replace(draft, folder)
    os.utime(folder)
    with database.write() as session:
        _keep_row(session, manifest)
    old = sorted((p for p in root.iterdir() if p.is_dir()), key=lambda p: -p.stat().st_mtime)[KEPT_SNAPSHOTS:]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return folder


def _keep_row(session: Session, manifest: SnapshotManifest) -> None:
    if session.get(tables.Snapshot, manifest.fingerprint) is None:
        session.add(tables.Snapshot(fingerprint=manifest.fingerprint, counts=manifest.counts))


def _nothing() -> TrainingError:
    return TrainingError("There is nothing to train on", remedy="Ingest transcripts and articles first")


def _whole(settings: Settings, live: str) -> Path | None:
    """The live bundle, where it is whole."""
    return None if _damage(settings, live) else bundle_folder(settings, live)


def _classifier_fits(bundle: Path, snapshot: Snapshot) -> bool:
    """Whether learning on from the bundle's classifier is worth trying."""
    wanted = {row["intent"] for row in snapshot.examples if row["split"] == "train"} - {None, OUT_OF_SCOPE}
    return only_some_new(labels_in(bundle), wanted)


def only_some_new(old: Collection[str], new: Collection[str]) -> bool:
    """Whether the new intents are the old ones and a few more: the case in which learning on is worth trying."""
    added = set(new) - set(old)
    return bool(added) and set(old) <= set(new) and len(added) <= MOST_NEW * len(set(new))


def _asked_for(settings: Settings, budget: float) -> dict[str, Any]:
    """What a training is asked for beside its data; the manifest keeps it."""
    recipe = settings.data / RECIPE_FILE
    return {
        "encoder": settings.encoder,
        "recipe": recipe.read_text(encoding="utf-8") if recipe.is_file() else None,
        "budget": budget,
    }


def _damage(settings: Settings, release_id: str) -> str:
    """What is wrong with a release's bundle; empty where it is whole."""
    try:
        verify(bundle_folder(settings, release_id))
    except BundleError as error:
        return error.one_line()
    return ""


def _same(settings: Settings, live: str, snapshot: Snapshot, seed: int, asked: dict[str, Any]) -> bool:
    """Whether the live release was made of the same; where it does not say what was asked for, its data decides."""
    if damage := _damage(settings, live):
        log.warning("the live release %s is damaged and trained anew: %s", live, damage)
        return False
    manifest = read_manifest(bundle_folder(settings, live))
    same_data = manifest.snapshot == snapshot.manifest.fingerprint and manifest.seed == seed
    return same_data and manifest.metrics.get(ASKED_FOR, asked) == asked


def _finish_bundle(
    trained: Path,
    release_id: str,
    snapshot: Snapshot,
    settings: Settings,
    tell: Progress,
    asked: dict[str, Any],
) -> Manifest:
    """The trained bundle with its search fitted, under its final name."""
    with building(bundle_folder(settings, release_id)) as folder:
        shutil.copytree(trained, folder, dirs_exist_ok=True)
        _keep_vectors(folder, settings)
        manifest = replace(read_manifest(folder), id=release_id)
        tell("fit search", 0.0)
        fitted = fit_search(snapshot, folder, settings, encoders=manifest.encoders)
        encoders = fitted.loaded
        model = SearchModel.load(folder / SEARCH_MODEL)
        search = frozen_search(snapshot, encoders, model, index=settings.data / "index")
        heard = Heard(said_words(snapshot), asked_after(snapshot, search))
        heard.words.save(folder / SAID_WORDS)
        heard.questions.save(folder / ASKED_AFTER)
        classifier = load_classifier(folder, encoders, threads=settings.inference_threads)
        weighed = fit_weighing(snapshot, classifier=classifier, search=search, heard=heard)
        weighed.weighing.save(folder / WEIGHING)
        metrics = manifest.metrics | {
            "search_fit": fitted.metrics,
            "weighing": weighed.metrics,
            "sureness": measure_sureness(snapshot, Readers(classifier, search, heard), weighed.weighing),
        }
        metrics |= {ASKED_FOR: asked} if asked else {}
        sealed = seal(folder, replace(manifest, metrics=metrics, encoders=fitted.encoders))
        tell("fit search", 1.0)
    return sealed


def _keep_vectors(folder: Path, settings: Settings) -> None:
    """What the training has read need not be encoded again for the search, the index and the next retraining."""
    fingerprint, noted = take_noted(folder)
    if noted:
        dimension = len(next(iter(noted.values())))
        cache = EmbeddingCache(settings.data / "index" / EMBEDDINGS, fingerprint, dimension)
        cache.vectors(list(noted), lambda texts: np.stack([noted[text] for text in texts]))


def _decide(
    database: Database,
    settings: Settings,
    snapshot: Snapshot,
    manifest: Manifest,
    created_by: int | None,
    tell: Progress,
) -> Outcome:
    """Evaluate the candidate and the live release on the same frozen set, ask the gate, write the outcome down.

    Which release is live is read here: in the hours of a training somebody may have promoted another one.
    """
    with database.read() as session:
        live = live_release_id(session)
    candidate = _evaluate(settings, snapshot, manifest.id, lambda share: tell("evaluate", share * 0.5))
    standing, damage = None, ""
    if live is not None:
        try:
            standing = _evaluate(settings, snapshot, live, lambda share: tell("evaluate", 0.5 + share * 0.5))
        except BundleError as error:
            damage = f"the live release cannot answer, so nothing was held against it: {error.one_line()}"
    verdict = gate.judge(
        candidate.outcomes,
        standing.outcomes if standing is not None else None,
        candidate_intents=labels_of(settings, manifest.id),
        live_intents=_active(snapshot, labels_of(settings, live)) if live and standing else (),
        margin=settings.gate_margin / 100,
        differences=differences(manifest.parity),
    )
    tell("evaluate", 1.0)
    status = {True: "promoted", False: "refused", None: "candidate"}[verdict.promote]
    writing = judge_writing(candidate.drafted, standing.drafted if standing and standing.drafted else None)
    metrics = candidate.as_json() | {
        WRITING: writing,
        "training": manifest.metrics,
        "seconds": manifest.seconds,
    }
    judged = verdict.as_json() | {"live": standing.as_json() if standing is not None else None}
    folder = bundle_folder(settings, manifest.id)
    reason = damage or verdict.reason
    row = ReleaseRow(manifest.id, status, False, utcnow(), metrics, judged, reason, live, manifest.snapshot)
    write_card(folder, gather(row, folder, counts=snapshot.manifest.counts))
    if (
        verdict.promote
    ):  # its index is ready before it is live: no serving process has to encode the knowledge
        prepare_index(database, settings, manifest.id, progress=tell)
    with database.write() as session:
        if verdict.promote and live_release_id(session) != live:
            status, reason = "candidate", f"a person must look: another release went live meanwhile; {reason}"
        session.add(
            Release(
                id=manifest.id,
                status=status,
                parent_id=live,
                snapshot=manifest.snapshot,
                metrics=metrics,
                gate=judged,
                reason=reason,
                created_by_id=created_by,
            )
        )
        session.flush()
        if status == "promoted":
            go_live(session, settings, manifest.id, reason=f"gate: {reason}", person_id=created_by)
        session.add(
            AuditEntry(
                person_id=created_by,
                action=f"release.{status}",
                subject=f"release {manifest.id}",
                detail={"reason": reason},
            )
        )
    return Outcome(
        manifest.id,
        status,
        reason,
        metrics,
        judged,
        manifest.seconds,
        skipped_parts(folder),
        cut_parts(folder),
    )


def _evaluate(
    settings: Settings, snapshot: Snapshot, release_id: str, progress: Callable[[float], None]
) -> Evaluation:
    parts = load_parts(settings, release_id, snapshot=snapshot)
    return evaluate(
        snapshot,
        classifier=parts.classifier,
        search=parts.search,
        sureness=SiteOptions().sureness,
        writer=parts.writer,
        progress=progress,
    )


def _active(snapshot: Snapshot, labels: tuple[str, ...]) -> tuple[str, ...]:
    """The live release's intents that are still wanted: one that was retired since is not missed."""
    wanted = {intent["name"] for intent in snapshot.manifest.intents}
    return tuple(label for label in labels if label in wanted)


def _swept(folder: Path) -> Path:
    """The folder without what runs that were killed left in it; one of today may still be running."""
    for left in _made(folder).iterdir():
        if time.time() - left.stat().st_mtime > KEPT_WORK_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
