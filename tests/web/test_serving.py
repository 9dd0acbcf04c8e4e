"""This process follows the live release and the knowledge, and never stops answering meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from chatbot.errors import UnavailableError
from chatbot.records.database import Database
from chatbot.records.tables import Canary, KnowledgeClock, Promotion, Release, utcnow
from chatbot.settings import Settings
from web.serving import RETRY_SECONDS, Serving


@dataclass
class Loaded:
    release_id: str
    refreshed: int = 0

    def refresh(self) -> None:
        self.refreshed += 1


@dataclass
class Loader:
    loads: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def __call__(self, database: Database, settings: Settings, release_id: str) -> Loaded:
        self.loads.append(release_id)
        if release_id in self.broken:
            raise ValueError("a damaged file")
        return Loaded(release_id)


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def serving(
    database: Database, settings: Settings, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> Serving:
    with database.write() as session:
        session.merge(KnowledgeClock(id=1, revision=0))
    serving = Serving(database, settings, load=loader)  # type: ignore[arg-type]
    monkeypatch.setattr(serving, "start", lambda: None)  # each test looks when it wants to
    return serving


def promote(database: Database, release_id: str) -> None:
    with database.write() as session:
        if session.get(Release, release_id) is None:
            session.add(Release(id=release_id, snapshot="s"))
            session.flush()
        session.add(Promotion(release_id=release_id))


def change_knowledge(database: Database) -> None:
    with database.write() as session:
        session.get_one(KnowledgeClock, 1).revision += 1


def test_without_a_release_nothing_answers_and_the_remedy_is_said(serving: Serving) -> None:
    serving.update()
    assert serving.ready()["ready"] is False
    with pytest.raises(UnavailableError) as raised:
        serving.assistant()
    assert raised.value.retry_after
    assert "retrain" in str(raised.value.remedy)


def test_the_last_promotion_decides_and_a_roll_back_is_one(
    serving: Serving, database: Database, loader: Loader
) -> None:
    for release_id in ("r1", "r2", "r1"):
        promote(database, release_id)
        serving.update()
        assert serving.assistant().release_id == release_id
    serving.update()
    assert loader.loads == ["r1", "r2", "r1"]  # looking again loads nothing


def test_a_change_of_the_knowledge_refreshes_without_loading_anew(
    serving: Serving, database: Database, loader: Loader
) -> None:
    promote(database, "r1")
    serving.update()
    before = serving.assistant()
    serving.update()
    change_knowledge(database)
    serving.update()
    serving.update()
    assert serving.assistant() is before
    assert before.refreshed == 1  # type: ignore[attr-defined]
    assert serving.ready() == {"ready": True, "release": "r1", "knowledge": 1}


def test_a_release_that_cannot_be_loaded_leaves_the_old_one_answering(
    serving: Serving, database: Database, loader: Loader
) -> None:
    promote(database, "r1")
    serving.update(now=0.0)
    loader.broken.add("r2")
    promote(database, "r2")
    serving.update(now=1.0)
    serving.update(now=2.0)
    assert serving.assistant().release_id == "r1"
    assert "r2" in serving.ready()["error"]
    assert loader.loads == ["r1", "r2"]  # not again every second
    loader.broken.clear()
    serving.update(now=2.0 + RETRY_SECONDS)
    assert serving.ready() == {"ready": True, "release": "r2", "knowledge": 0}


def test_a_broken_release_does_not_stand_in_the_way_of_the_next(
    serving: Serving, database: Database, loader: Loader
) -> None:
    loader.broken.add("r1")
    promote(database, "r1")
    serving.update(now=0.0)
    promote(database, "r2")
    serving.update(now=1.0)
    assert serving.assistant().release_id == "r2"


def test_a_database_that_is_away_is_reported_and_the_old_release_answers(
    serving: Serving, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(database, "r1")
    serving.update()

    def away(database: Database) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr("web.serving.look", away)
    serving.update()
    assert serving.assistant().release_id == "r1"
    assert "refused" in serving.ready()["error"]


def test_the_thread_finds_a_promotion_by_itself(
    database: Database, settings: Settings, loader: Loader
) -> None:
    promote(database, "r1")
    serving = Serving(database, settings, load=loader)  # type: ignore[arg-type]
    serving.start()
    try:
        deadline = time.monotonic() + 60
        while not serving.ready()["ready"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert serving.assistant().release_id == "r1"
    finally:
        serving.stop()


def test_a_release_on_trial_answers_its_share_of_the_conversations_begun_since(
    serving: Serving, database: Database, loader: Loader
) -> None:
    promote(database, "r1")
    with database.write() as session:
        session.add(Release(id="r2", snapshot="s"))
        session.flush()
        session.add(Canary(release_id="r2", live_id="r1", share=0.5))
    serving.update()
    now, ids = utcnow(), [f"c{number}" for number in range(200)]
    chosen = [serving.assistant(public_id, now).release_id for public_id in ids]
    assert 70 < chosen.count("r2") < 130
    assert [serving.assistant(public_id, now).release_id for public_id in ids] == chosen
    before = now - timedelta(hours=1)
    assert {serving.assistant(public_id, before).release_id for public_id in ids} == {"r1"}
    assert serving.assistant().release_id == "r1"
    assert serving.ready()["trial"] == "r2"
    change_knowledge(database)
    serving.update()
    assert serving._trial is not None
    assert serving._trial[1].refreshed == 1  # type: ignore[attr-defined]
    promote(database, "r3")  # the trial was against r1
    serving.update()
    assert {serving.assistant(public_id, now).release_id for public_id in ids} == {"r3"}


def test_a_trial_that_cannot_be_loaded_leaves_every_conversation_to_the_live_release(
    serving: Serving, database: Database, loader: Loader
) -> None:
    promote(database, "r1")
    loader.broken.add("r2")
    with database.write() as session:
        session.add(Release(id="r2", snapshot="s"))
        session.flush()
        session.add(Canary(release_id="r2", live_id="r1", share=0.5))
    serving.update(now=0.0)
    serving.update(now=1.0)
    assert loader.loads == ["r1", "r2"]
    assert {serving.assistant(f"c{number}", utcnow()).release_id for number in range(50)} == {"r1"}
