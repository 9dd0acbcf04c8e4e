"""Several web processes hold one assistant that was loaded before the fork."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
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


HEAPS = """
import ctypes, sys, threading
from pathlib import Path
from web.serve import share_heaps

if sys.argv[1] == "few":
    share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
gate = threading.Barrier(8)

def allocate():
    gate.wait()
    kept = [libc.malloc(5000) for _ in range(50)]
    gate.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(Path(sys.argv[2]).read_text().count("<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps are glibc's")
def test_threads_share_few_heaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)

    def heaps(how: str) -> int:
        command = [sys.executable, "-c", HEAPS, how, str(tmp_path / how)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert heaps("few") <= 2 < heaps("one each")
