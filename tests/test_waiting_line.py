"""Writers take turns in the order in which they came, and whoever waits too long is told."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from chatbot.records import database as records
from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import Job
from chatbot.waiting_line import WaitingLine


def _until_waiting(queue: WaitingLine, count: int) -> None:
    end = time.monotonic() + 10
    while len(queue) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    queue, order = WaitingLine(), []

    def write(name: int) -> None:
        with queue.turn(seconds=10):
            order.append(name)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    with queue.turn(seconds=1):
        for number, thread in enumerate(threads):
            thread.start()
            _until_waiting(queue, number + 1)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_writes_again_at_once_does_not_get_in_before_one_who_waits() -> None:
    queue, waited_for = WaitingLine(), []
    asking = threading.Event()

    def wait() -> None:
        asking.set()
        with queue.turn(seconds=10):
            waited_for.append(len(written))

    written: list[int] = []
    other = threading.Thread(target=wait)
    for number in range(50):
        with queue.turn(seconds=10):
            written.append(number)
            if number == 9:
                other.start()
                _until_waiting(queue, 1)
    other.join()
    assert waited_for == [10]


def test_who_waits_too_long_is_told_and_holds_up_nobody() -> None:
    queue = WaitingLine()
    with queue.turn(seconds=1), pytest.raises(TimeoutError), queue.turn(seconds=0.01):
        pass
    assert len(queue) == 0
    with queue.turn(seconds=0):
        pass


def test_a_writer_that_fails_passes_the_turn_on(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'records.db'}")
    upgrade(database)
    with pytest.raises(ZeroDivisionError), database.write():
        raise ZeroDivisionError
    with database.write() as session:
        session.add(Job(kind="retrain"))
    database.dispose()


def test_a_write_that_does_not_get_its_turn_is_what_a_locked_database_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """web/api/errors.py answers it with 503 and Retry-After."""
    monkeypatch.setattr(records, "BUSY_TIMEOUT_MS", 20)
    database = Database(f"sqlite:///{tmp_path / 'records.db'}")
    upgrade(database)
    failed: list[Exception] = []

    def write() -> None:
        try:
            with database.write():
                pass
        except OperationalError as error:
            failed.append(error)

    with database.write():
        other = threading.Thread(target=write)
        other.start()
        other.join()
    assert len(failed) == 1
    database.dispose()
