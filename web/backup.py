"""The whole installation in one file, taken while it serves, and put back elsewhere: same conversations, same answers.

A backup is a tar archive: ``manifest.json`` first, then the database, the bundles of all releases and the visitors'
files, each with its SHA-256 in the manifest. The database is copied first (SQLite's online backup API; pg_dump for
PostgreSQL), so whatever it names is on disk when its turn comes: bundles and files are written before their rows.
Not in it: the index (made from the database), queued wake-ups (made from the jobs table), and the session key: who
steals a backup cannot make himself a session, and everybody signs in again after a restore.

A restore unpacks beside its destination, verifies every byte, and only then moves things into place; what was there
is kept aside. Whoever was erased after the backup was taken is erased again.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url, select
from sqlalchemy.engine import URL

from chatbot.errors import ConflictError, FileError, UnavailableError
from chatbot.learning.bundles import sha256, verify
from chatbot.learning.releases import bundle_folder, live_release_id
from chatbot.records import schema
from chatbot.records.database import Database
from chatbot.records.erasure import erase_again
from chatbot.records.tables import Release, Turn, utcnow
from chatbot.settings import Settings

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE, POSTGRES = "database.sqlite", "database.dump"
FOLDERS = ("releases", "attachments", "card-pictures", "locales")  # below the data folder
TOLD_SETTINGS = ("encoder", "message_limit", "retention_days", "chat_rate", "upload_limit_mb")
_PAGES = 512  # of SQLite copied at a time; writers get in between
_LONGEST = 600  # characters of a tool's complaint


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What a backup holds. ``settings`` are those that change answers or limits, for whoever restores it elsewhere."""

    created_at: str
    database: str  # name of the database's file in the archive
    revision: str
    live: str | None
    turns: int
    settings: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    format: int = FORMAT


# --- taking one ------------------------------------------------------------------------------------------


def backup(
    database: Database, settings: Settings, target: Path, *, progress: Progress | None = None
) -> BackupManifest:
    """Write a backup to ``target``, whole or not at all; the service may go on meanwhile.

    Raises ConflictError where the file is there already, BundleError where the live release is damaged,
    UnavailableError where PostgreSQL's tools are missing or fail.
    """
    tell = progress or (lambda stage, share: None)
    if target.exists():
        raise ConflictError(
            "There is a file of this name already", value=target, remedy="Choose another name, or remove it"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as work:
        tell("database", 0.0)
        copy = Path(work) / (SQLITE if database.is_sqlite else POSTGRES)
        if database.is_sqlite:
            _copy_sqlite(database, copy, lambda share: tell("database", share))
        else:
            _dump_postgres(settings, copy)
        tell("database", 1.0)
        files = [(copy.name, copy), *_kept_files(database, settings)]
        hashed: dict[str, dict[str, Any]] = {}
        for number, (name, path) in enumerate(files):
            hashed[name] = {"sha256": sha256(path), "bytes": path.stat().st_size}
            tell("checksums", (number + 1) / len(files))
        with database.read() as session:
            newest = session.scalar(select(Turn.id).order_by(Turn.id.desc()).limit(1)) or 0
            live = live_release_id(session)
        manifest = BackupManifest(
            created_at=utcnow().isoformat(timespec="seconds"),
            database=copy.name,
            revision=schema.current_revision(database) or "",
            live=live,
            turns=newest,
            settings={name: getattr(settings, name) for name in TOLD_SETTINGS},
            files=hashed,
        )
        draft = Path(work) / "backup.tar"
        with draft.open("xb") as raw:
            os.chmod(draft, 0o600)  # it holds what customers wrote
            with tarfile.open(fileobj=raw, mode="w") as archive:
                text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
                _add(archive, MANIFEST, io.BytesIO(text), len(text))
                for number, (name, path) in enumerate(files):
                    with path.open("rb") as content:
                        _add(archive, name, content, hashed[name]["bytes"])
                    tell("archive", (number + 1) / len(files))
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(draft, target)
    return manifest


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o600
    entry.mtime = int(utcnow().timestamp())
    archive.addfile(entry, content)


def _copy_sqlite(database: Database, target: Path, tell: Callable[[float], None]) -> None:
    """sqlite.org/backup.html: pages in portions; one that changes meanwhile is copied again."""
    source = sqlite3.connect(str(database.engine.url.database))
    copy = sqlite3.connect(target)
    try:
        source.execute("PRAGMA busy_timeout = 15000")
        source.backup(
            copy, pages=_PAGES, progress=lambda _, left, whole: tell(1 - left / max(whole, 1)), sleep=0.005
        )
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, no -wal beside it
    finally:
        copy.close()
        source.close()


def _kept_files(database: Database, settings: Settings) -> list[tuple[str, Path]]:
    """Names in the archive and files on disk: the bundles of known releases, what visitors and agents sent, and the
    pictures of cards."""
    with database.read() as session:
        ids = session.scalars(select(Release.id).order_by(Release.id)).all()
        live = live_release_id(session)
    found: list[tuple[str, Path]] = []
    for release_id in ids:
        folder = bundle_folder(settings, release_id)
        if release_id == live:
            verify(folder)  # a backup with a damaged live release would be found out on the worst day
        if folder.is_dir():
            found += _below(folder, settings.data)
    for name in FOLDERS[1:]:
        found += _below(settings.data / name, settings.data)
    return found


def _below(folder: Path, root: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path


# --- putting one back ------------------------------------------------------------------------------------


def read_manifest(source: Path) -> BackupManifest:
    """What a backup says of itself. Raises FileError where it is none that can be read."""
    try:
        with tarfile.open(source, mode="r:") as archive:
            return _manifest_of(archive)
    except FileNotFoundError:
        raise FileError("There is no such file", value=source, remedy="Check the name") from None
    except (tarfile.TarError, OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(source) from error


def _manifest_of(archive: tarfile.TarFile) -> BackupManifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or first.size > 64 * 2**20:
        raise ValueError("no manifest")
    content = archive.extractfile(first)
    values = json.loads(content.read() if content else b"")
    if values["format"] != FORMAT:
        raise FileError(
            "The backup's format is not known",
            field="format",
            value=values["format"],
            remedy="Restore it with the version of Frontdesk that made it, or a newer one",
        )
    return BackupManifest(**values)


def _unreadable(source: Path) -> FileError:
    return FileError(
        "This is not a readable backup",
        value=source,
        remedy="Use a file that frontdesk backup wrote; it may have been cut short while it was copied",
    )


def restore(
    settings: Settings, source: Path, *, replace: bool = False, progress: Progress | None = None
) -> BackupManifest:
    """Put a backup in place of what is there; the service must not be running.

    Without ``replace`` nothing that holds data is touched. With it the old database and files are kept in a folder
    ``replaced-<time>`` of the data folder (SQLite), or are dropped as pg_restore does (PostgreSQL). Raises FileError
    for a damaged backup, ConflictError where data is in the way or the database is of the other kind.
    """
    tell = progress or (lambda stage, share: None)
    manifest = read_manifest(source)
    database = Database(settings.database)
    try:
        _check_destination(database, settings, manifest, replace=replace)
        settings.data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restoring-", dir=settings.data) as work:
            _unpack(source, manifest, Path(work), lambda share: tell("unpack", share))
            tell("database", 0.0)
            database.dispose()
            aside = settings.data / f"replaced-{utcnow():%Y%m%d-%H%M%S}"
            if database.is_sqlite:
                _put(Path(work) / SQLITE, Path(str(database.engine.url.database)), aside)
            else:
                _restore_postgres(settings, Path(work) / POSTGRES, replace=replace)
            for name in FOLDERS:
                if (Path(work) / name).is_dir() or (settings.data / name).exists():
                    _put(Path(work) / name, settings.data / name, aside)
            for stale in ("index", "queue.db", "queue.db-wal", "queue.db-shm"):  # made again by themselves
                _put(None, settings.data / stale, aside)
        schema.upgrade(database)
        tell("database", 1.0)
        again = erase_again(database, settings.data)
        if again:
            log.warning("%d people who were erased after this backup was taken have been erased again", again)
    finally:
        database.dispose()
    return manifest


def _check_destination(
    database: Database, settings: Settings, manifest: BackupManifest, *, replace: bool
) -> None:
    if (manifest.database == SQLITE) != database.is_sqlite:
        raise ConflictError(
            f"This is a backup of {'SQLite' if manifest.database == SQLITE else 'PostgreSQL'}",
            field="FRONTDESK_DATABASE_URL",
            remedy="Point FRONTDESK_DATABASE_URL at a database of the same kind, or leave it empty for SQLite",
        )
    known = {
        one.revision for one in ScriptDirectory.from_config(schema.alembic_config(database)).walk_revisions()
    }
    if manifest.revision not in known:
        raise ConflictError(
            "The backup is of a newer version of Frontdesk",
            value=manifest.revision,
            remedy="Update this installation first",
        )
    if database.is_sqlite:
        path = Path(str(database.engine.url.database))
        taken = path.exists() and path.stat().st_size > 0
    else:
        taken = bool(inspect(database.engine).get_table_names())
    if taken and not replace:
        raise ConflictError(
            "There is a database already",
            value=settings.data if database.is_sqlite else database.engine.url.database,
            remedy="Restore into an empty installation, or add --replace (stop the service first)",
        )


def _unpack(source: Path, manifest: BackupManifest, into: Path, tell: Callable[[float], None]) -> None:
    """Every file of the manifest, its hash checked on the way. An archive that names anything else is refused, so no
    entry can lead outside the folder."""
    missing = dict(manifest.files)
    try:
        with tarfile.open(source, mode="r:") as archive:
            _manifest_of(archive)
            for entry in archive:
                if entry.name == MANIFEST:
                    continue
                expected = missing.pop(entry.name, None)
                place = PurePosixPath(entry.name)
                if expected is None or not entry.isreg() or place.is_absolute() or ".." in place.parts:
                    raise _damaged(entry.name)
                path = into / place
                path.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(entry)
                if content is None or _written(content, path) != expected["sha256"]:
                    raise _damaged(entry.name)
                tell(1 - len(missing) / max(len(manifest.files), 1))
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _unreadable(source) from error
    if missing:
        raise _damaged(sorted(missing)[0])


def _written(content: IO[bytes], path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        os.chmod(path, 0o600)
        while block := content.read(1 << 20):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _damaged(name: str) -> FileError:
    return FileError(
        "The backup is damaged: a file in it is missing, changed or not listed",
        value=name,
        remedy="Copy it again from where it is kept, or use an older one",
    )


def _put(new: Path | None, place: Path, aside: Path) -> None:
    """Move ``new`` to ``place``; what is there goes aside, a SQLite file with its log."""
    for old in (place, *(place.with_name(place.name + end) for end in ("-wal", "-shm"))):
        if old.exists():
            aside.mkdir(parents=True, exist_ok=True)
            shutil.move(old, aside / old.name)
    if new is not None and new.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(new, place)


# --- PostgreSQL's own tools ------------------------------------------------------------------------------


def _dump_postgres(settings: Settings, target: Path) -> None:
    _run_tool(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}"], settings)


def _restore_postgres(settings: Settings, dump: Path, *, replace: bool) -> None:
    clean = ["--clean", "--if-exists"] if replace else []
    _run_tool(
        ["pg_restore", "--no-owner", "--no-privileges", "--single-transaction", *clean, str(dump)],
        settings,
        named="--dbname",
    )


def _run_tool(command: list[str], settings: Settings, *, named: str = "--dbname") -> None:
    """The password goes by the environment: a command line can be read by everybody on the machine."""
    if shutil.which(command[0]) is None:
        raise UnavailableError(
            f"{command[0]} is not installed",
            remedy="Install PostgreSQL's client programs (Debian: postgresql-client), of the server's version or newer",
        )
    url = make_url(settings.database).set(drivername="postgresql")
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    done = subprocess.run(
        [command[0], f"{named}={address.render_as_string()}", *command[1:]],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise UnavailableError(
            f"{command[0]} failed: {done.stderr.strip()[-_LONGEST:]}",
            remedy="The installation has not been changed" if command[0] == "pg_restore" else None,
        )
