"""Each thing that can be wrong is named in words, with what to do about it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from chatbot.learning import index_check
from chatbot.learning.bundles import Manifest, seal
from chatbot.records import jobs
from chatbot.records.conversations import ensure_default_site
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.people import create_person
from chatbot.records.tables import Promotion, Release, utcnow
from chatbot.settings import Settings
from web import doctor
from web.doctor import Finding, examine

RELEASE = "r20260301-120000-abcd"


def release(settings: Settings, database: Database) -> Path:
    folder = settings.releases / RELEASE
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"weights")
    seal(folder, Manifest(RELEASE, "2026-03-01", "abcd", 13, ("en",)))
    with database.write() as session:
        session.add(Release(id=RELEASE, status="promoted", snapshot="abcd"))
        session.flush()
        session.add(Promotion(release_id=RELEASE, reason="first"))
    return folder


def found(settings: Settings, what: str) -> list[Finding]:
    return [one for one in examine(settings) if one.what == what]


def test_every_error_and_warning_of_a_fresh_installation_has_a_remedy(
    settings: Settings, database: Database
) -> None:
    findings = [one for one in examine(settings) if one.level in ("error", "warning")]
    assert {one.what for one in findings} >= {"release", "people", "knowledge"}
    assert all(one.remedy for one in findings)


def test_an_installation_in_order_has_nothing_to_be_done(settings: Settings, database: Database) -> None:
    release(settings, database)
    with database.write() as session:
        create_person(session, email="a@b.example", name="A", password="correct horse battery", role="admin")
        ensure_default_site(session)
    assert not [one for one in examine(settings) if one.level == "error"]


@pytest.mark.parametrize(
    ("name", "level", "says"),
    [
        ("domain", "fine", ""),
        ("pakaged", "error", "FRONTDESK_ENCODER=packaged"),
        ("somebody/some-model", "warning", "reaches the hub"),
    ],
)
def test_the_encoder_is_looked_for_before_a_training_needs_it(
    settings: Settings, database: Database, name: str, level: str, says: str
) -> None:
    (one,) = found(settings.model_copy(update={"encoder": name}), "encoder")
    assert one.level == level and says in one.remedy and name in one.message


def test_a_damaged_bundle_is_named_by_its_file(settings: Settings, database: Database) -> None:
    (release(settings, database) / "weights").write_bytes(b"damaged")
    (one,) = found(settings, "release")
    assert one.level == "error" and "damaged" in one.message and "Roll back" in one.remedy


def test_erased_people_in_the_live_release_ask_for_a_retraining(
    settings: Settings, database: Database
) -> None:
    release(settings, database)
    with database.write() as session:
        session.get_one(Release, RELEASE).erased_people = 2
    assert any(one.level == "warning" and "retrain" in one.remedy for one in found(settings, "release"))


def test_a_job_that_nobody_takes_says_that_there_is_no_worker(settings: Settings, database: Database) -> None:
    with database.write() as session:
        jobs.add_job(session, kind="retrain", arguments={}, now=utcnow() - timedelta(minutes=20))
    (one,) = found(settings, "worker")
    assert one.level == "error" and "20 minutes" in one.message and "frontdesk worker" in one.remedy


def test_a_damaged_database_file_is_found(settings: Settings, database: Database) -> None:
    database.dispose()
    path = settings.data / "frontdesk.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * (4096 * 3)
    path.write_bytes(content)
    for rest in settings.data.glob("frontdesk.db-*"):
        rest.unlink()
    findings = found(settings, "database")
    assert any(one.level == "error" for one in findings)


def test_a_damaged_index_is_an_error_that_names_its_repair(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        put_article(session, ArticleDraft("a", "en", "A", "B", (PassageDraft("A", "B"),)))
    monkeypatch.setattr(index_check, "_encoders", lambda *_: (RELEASE, {}))
    (none,) = doctor._index(database, settings, RELEASE)
    assert none.level == "fine"  # a small index is never written: a start makes it
    index_check.prepare_index(database, settings, RELEASE)
    (whole,) = doctor._index(database, settings, RELEASE)
    assert whole.level == "fine" and "1 passages" in whole.message
    (words,) = settings.data.glob("index/*/s*/en/title.words.npz")
    words.write_bytes(words.read_bytes()[:100])
    (one,) = doctor._index(database, settings, RELEASE)
    assert (one.level, one.what) == ("error", "index") and "index check --repair" in one.remedy
    assert words.stat().st_size == 100  # it looked, and changed nothing


def test_an_old_schema_an_absent_database_and_a_full_disk(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '20261120_01'")
    assert any("db upgrade" in one.remedy for one in found(settings, "database"))
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    assert any("does not answer" in one.message for one in found(away, "database"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 1))  # type: ignore[attr-defined]
    assert any(one.level == "error" and "free" in one.message for one in found(settings, "disk"))


def test_settings_that_do_not_go_together_are_noticed(settings: Settings, database: Database) -> None:
    shaky = settings.model_copy(
        update={"web_processes": 3, "host": "0.0.0.0", "queue_url": "redis://127.0.0.1:1/0"}
    )
    findings = {one.what: one for one in examine(shaky) if one.level in ("error", "warning")}
    assert "REDIS" in findings["limits"].remedy.upper() and "TLS" in findings["address"].remedy
    assert findings["queue"].level == "error"
