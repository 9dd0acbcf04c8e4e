"""Several web processes hold one assistant that was loaded before the fork."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from chatbot.records.database import Database
from chatbot.records.tables import Promotion, Release
from chatbot.settings import Settings
from web import serving


class Loaded:
    release_id = "r1"
    refreshed = 0

    def refresh(self) -> None:
        self.refreshed += 1


@pytest.fixture
def promoted(database: Database) -> Database:
    with database.write() as session:
        session.add(Release(id="r1", status="promoted", snapshot="s"))
        session.flush()
        session.add(Promotion(release_id="r1", reason="test"))
    return database


@pytest.fixture(autouse=True)
def nothing_inherited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(serving, "_inherited", None)
    monkeypatch.setattr("gc.freeze", lambda: None)  # the test's own process lives on
    yield


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The releases that were loaded."""
    loaded: list[str] = []

    def load(database: Database, settings: Settings, release_id: str) -> Any:
        loaded.append(release_id)
        return Loaded()

    monkeypatch.setattr(serving, "_load_release", load)
    return loaded


def test_a_child_takes_what_its_parent_has_loaded_and_follows_from_there(
    promoted: Database, settings: Settings, loads: list[str]
) -> None:
    serving.load_before_fork(settings)
    assert loads == ["r1"]
    told, tell = os.pipe()
    if (child := os.fork()) == 0:
        try:
            here = serving.Serving(promoted, settings)
            here.update()
            os.write(tell, f"{here.assistant().release_id} {len(loads)}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(told, 100) == b"r1 1"


def test_who_is_no_child_or_finds_another_release_live_loads_for_himself(
    promoted: Database, settings: Settings, loads: list[str]
) -> None:
    serving.load_before_fork(settings)
    serving.Serving(promoted, settings).update()
    assert loads == ["r1", "r1"]


def test_a_release_that_cannot_be_loaded_stops_nobody_from_starting(
    promoted: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_load_release", lambda *_: 1 / 0)
    serving.load_before_fork(settings)
    assert serving._inherited is None
