"""A backup taken here and restored there: the same conversations, bundles and files; damage is found, nothing lost."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from chatbot.errors import BundleError, ConflictError, FileError, UnavailableError
from chatbot.learning.bundles import Manifest, seal, verify
from chatbot.learning.releases import live_release_id
from chatbot.records import schema
from chatbot.records.conversations import start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import Promotion, Release, Turn, Visitor
from chatbot.settings import Settings
from web import backup as module
from web import privacy
from web.backup import backup, read_manifest, restore

POSTGRES = os.environ.get("FRONTDESK_TEST_DATABASE_URL")
RELEASE = "r20260301-120000-abcd"


@pytest.fixture
def installation(settings: Settings, database: Database, client: FlaskClient) -> Settings:
    """With a live release, a conversation and a file that a visitor sent."""
    fill(settings, database)
    started = client.post("/api/v1/conversations", json={}).get_json()
    answer = client.post(
        f"/api/v1/conversations/{started['id']}/messages",
        json={"text": "When is my refund due?"},
        headers={"Authorization": f"Bearer {started['token']}"},
    )
    assert answer.status_code == 200
    return settings


def fill(settings: Settings, database: Database) -> None:
    folder = settings.releases / RELEASE
    (folder / "classifier").mkdir(parents=True)
    (folder / "classifier" / "weights.safetensors").write_bytes(b"\0weights" * 1000)
    seal(folder, Manifest(RELEASE, "2026-03-01", "abcd", 13, ("en",)))
    (settings.data / "attachments" / "ab").mkdir(parents=True)
    (settings.data / "attachments" / "ab" / "abc").write_bytes(b"a receipt")
    (settings.data / "locales").mkdir()
    (settings.data / "locales" / "fr.json").write_text('{"name": "Français"}', "utf-8")
    (settings.data / "card-pictures").mkdir()
    (settings.data / "card-pictures" / "a.png").write_bytes(b"a bicycle")
    with database.write() as session:
        session.add(Release(id=RELEASE, status="promoted", snapshot="abcd"))
        session.flush()
        session.add(Promotion(release_id=RELEASE, reason="first"))


def elsewhere(settings: Settings, name: str = "there") -> Settings:
    return settings.model_copy(update={"data": settings.data / name})


def said(settings: Settings) -> list[tuple[str, str]]:
    database = Database(settings.database)
    try:
        with database.read() as session:
            return [(turn.role, turn.text) for turn in session.query(Turn).order_by(Turn.id)]
    finally:
        database.dispose()


def test_what_is_restored_elsewhere_is_what_was_here(
    installation: Settings, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "out" / "one.tar"
    manifest = backup(database, installation, file)
    there = elsewhere(installation)
    assert restore(there, file) == manifest == read_manifest(file)
    assert said(there) == said(installation) and len(said(there)) == 2
    assert verify(there.releases / RELEASE).id == manifest.live == RELEASE
    assert (there.data / "attachments" / "ab" / "abc").read_bytes() == b"a receipt"
    assert (there.data / "card-pictures" / "a.png").read_bytes() == b"a bicycle"
    assert "Français" in (there.data / "locales" / "fr.json").read_text("utf-8")
    other = Database(there.database)
    with other.read() as session:
        assert live_release_id(session) == RELEASE
    assert schema.is_current(other)
    other.dispose()
    assert not (there.data / "secrets").exists()  # whoever steals a backup can make himself no session
    assert file.stat().st_mode & 0o077 == 0


def test_a_backup_holds_what_was_committed_while_others_go_on_writing(
    installation: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = module._kept_files, []

    def in_between(*given: object) -> object:
        with database.write() as session:  # the database has been copied: this comes too late for the backup
            conversation = start_conversation(session, site_id=1, token_hash="x", locale="en")
            session.add(Turn(conversation_id=conversation.id, role="customer", text="too late"))
        written.append(True)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_kept_files", in_between)
    backup(database, installation, tmp_path / "b.tar")
    there = elsewhere(installation)
    restore(there, tmp_path / "b.tar")
    assert written and len(said(there)) == 2 and len(said(installation)) == 3


def test_nothing_is_overwritten_without_being_told_to_and_the_old_data_is_kept_aside(
    installation: Settings, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar"
    backup(database, installation, file)
    with pytest.raises(ConflictError, match="file of this name"):
        backup(database, installation, file)
    there = elsewhere(installation)
    restore(there, file)
    with pytest.raises(ConflictError, match="database already"):
        restore(there, file)
    restore(there, file, replace=True)
    (aside,) = there.data.glob("replaced-*")
    assert {path.name for path in aside.iterdir()} >= {"frontdesk.db", "releases", "attachments"}
    assert len(said(there)) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "extra", "outside"])
def test_a_damaged_backup_is_refused_before_anything_is_moved(
    installation: Settings, database: Database, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "b.tar"
    backup(database, installation, file)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        place = content.index(b"\0weights\0weights") + 2000
        content[place] ^= 1
        file.write_bytes(content)
    elif damage == "foreign":
        file.write_bytes(b"PK\x03\x04 not a tar")
    else:
        name = "releases/more.bin" if damage == "extra" else "../../outside"
        with tarfile.open(file, "a") as archive:
            archive.add(__file__, name)
    there = elsewhere(installation)
    with pytest.raises(FileError) as refused:
        restore(there, file)
    assert refused.value.remedy
    assert list(there.data.iterdir()) == [] if there.data.exists() else True


def test_a_damaged_live_release_is_found_when_the_backup_is_taken(
    installation: Settings, database: Database, tmp_path: Path
) -> None:
    (installation.releases / RELEASE / "classifier" / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(BundleError):
        backup(database, installation, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists() and not list(tmp_path.glob(".backup-*"))


def test_who_was_erased_after_the_backup_does_not_come_back_with_it(
    installation: Settings, database: Database, tmp_path: Path
) -> None:
    backup(database, installation, tmp_path / "b.tar")
    with database.read() as session:
        visitor = session.query(Visitor).one()
    privacy.erase(database, installation, visitor.id)
    there = elsewhere(installation)
    there.data.mkdir()
    shutil.copy(installation.data / "erasures.jsonl", there.data)
    restore(there, tmp_path / "b.tar")
    assert said(there) == []


def test_without_the_tools_of_postgresql_the_error_says_what_to_install(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UnavailableError, match="pg_dump is not installed") as missing:
        module._dump_postgres(settings, tmp_path / "x")
    assert "postgresql-client" in str(missing.value.remedy)


@pytest.mark.skipif(not POSTGRES, reason="FRONTDESK_TEST_DATABASE_URL is not set")
@pytest.mark.skipif(not shutil.which("pg_dump"), reason="pg_dump is not installed")
def test_postgresql_is_backed_up_and_restored(settings: Settings, tmp_path: Path) -> None:
    server = Database(str(POSTGRES))
    names = ("frontdesk_backup_a", "frontdesk_backup_b")

    def on_server(*statements: str) -> None:
        with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))

    drop = [f"DROP DATABASE IF EXISTS {name}" for name in names]
    on_server(*drop, *(f"CREATE DATABASE {name}" for name in names))
    here, there = (
        settings.model_copy(
            update={
                "database_url": str(POSTGRES).rpartition("/")[0] + "/" + name,
                "data": tmp_path / name,
            }
        )
        for name in names
    )
    database = Database(here.database)
    try:
        schema.upgrade(database)
        fill(here, database)
        backup(database, here, tmp_path / "pg.tar")
        with pytest.raises(ConflictError, match="PostgreSQL"):
            restore(elsewhere(settings, "sqlite"), tmp_path / "pg.tar")
        restore(there, tmp_path / "pg.tar")
        with pytest.raises(ConflictError, match="database already"):
            restore(there, tmp_path / "pg.tar")
        restore(there, tmp_path / "pg.tar", replace=True)
        other = Database(there.database)
        with other.read() as session:
            assert live_release_id(session) == RELEASE
        other.dispose()
        assert verify(there.releases / RELEASE)
    finally:
        database.dispose()
        on_server(*drop)
        server.dispose()
