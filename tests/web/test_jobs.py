from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chatbot.errors import ConflictError, InputError
from chatbot.records import jobs as rows
from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import Job, utcnow
from chatbot.settings import Settings
from web import jobs
from web.job_queue import next_job_id, open_queue
from web.jobs import JobKind, announce, enqueue
from web.worker import Worker, is_gone, worker_name

REDIS = os.environ.get("FRONTDESK_TEST_REDIS_URL")


@pytest.fixture(autouse=True)
def probes(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    """Kinds of job that only these tests know, importable in the child as well."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    monkeypatch.setattr(jobs, "KINDS", dict(jobs.KINDS))
    for name in ("quick", "broken", "slow", "second_try", "always_killed"):
        jobs.register(JobKind(name, f"job_probes:{name}", exclusive=name == "slow"))
    upgrade(database)


@pytest.fixture
def worker(database: Database, settings: Settings) -> Worker:
    return Worker(database, settings)


@pytest.fixture
def job(database: Database) -> Callable[[int], Job]:
    def read(job_id: int) -> Job:
        with database.read() as session:
            return rows.get_job(session, job_id)

    return read


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)


def test_a_queued_job_is_done_in_a_process_of_its_own(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "quick", {"number": 21})
    assert job(job_id).state == "queued"
    worker.run(until_idle=True)
    done = job(job_id)
    assert (done.state, done.progress, done.stage, done.attempt) == ("done", 1.0, "thinking", 1)
    assert done.result is not None
    assert done.result["answer"] == 42
    assert done.result["pid"] != os.getpid()


def test_a_message_carries_the_job_id_alone_as_json(database: Database, settings: Settings) -> None:
    job_id = enqueue(database, settings, "quick", {"number": 1})
    (raw,) = open_queue(settings).storage.enqueued_items()
    assert json.loads(bytes(raw)) == {"job": job_id}


@pytest.mark.parametrize("message", [b"\x80\x04K\x01.", b"{}", b'{"job": "1; drop"}', b"[]"])
def test_a_message_that_names_no_job_is_dropped(settings: Settings, message: bytes) -> None:
    queue = open_queue(settings)
    queue.storage.enqueue(message)
    assert next_job_id(queue) is None
    assert queue.storage.queue_size() == 0


def test_a_doubled_message_runs_a_job_once(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "quick", {"number": 1})
    announce(settings, job_id)
    announce(settings, job_id)
    worker.run(until_idle=True)
    assert (job(job_id).state, job(job_id).attempt) == ("done", 1)


def test_a_job_whose_message_was_lost_is_found_at_the_next_start(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "quick", {"number": 1})
    open_queue(settings).storage.flush_queue()
    worker.run(until_idle=True)
    assert job(job_id).state == "done"


def test_a_crash_is_told_with_its_type_and_message(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "broken")
    worker.run(until_idle=True)
    failed = job(job_id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["message"] == "ZeroDivisionError: nothing to divide by"


def test_a_killed_child_is_tried_again_and_given_up_after_three_attempts(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    once = enqueue(database, settings, "second_try")
    always = enqueue(database, settings, "always_killed")
    worker.run(until_idle=True)
    assert (job(once).state, job(once).result) == ("done", {"attempt": 2})
    lost = job(always)
    assert (lost.state, lost.attempt) == ("failed", rows.MAX_ATTEMPTS)
    assert lost.error is not None
    assert lost.error["code"] == "worker_lost"


def test_cancelling_ends_the_process_of_a_running_job(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "slow")
    running = threading.Thread(target=lambda: worker.run(until_idle=True))
    running.start()
    wait_for(lambda: job(job_id).stage.startswith("pid"))
    pid = int(job(job_id).stage.removeprefix("pid "))
    jobs.cancel(database, job_id)
    running.join(timeout=20)
    assert not running.is_alive()
    assert job(job_id).state == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_that_is_told_to_stop_puts_its_job_back_without_counting_the_attempt(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "slow")
    running = threading.Thread(target=worker.run)
    running.start()
    wait_for(lambda: job(job_id).stage.startswith("pid"))
    worker.stop()
    running.join(timeout=20)
    assert not running.is_alive()
    assert (job(job_id).state, job(job_id).attempt, job(job_id).worker) == ("queued", 0, None)


@pytest.fixture
def other_worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own that knows the probes."""
    script = (
        "import job_probes\n"
        "from chatbot.settings import Settings\n"
        "from web import jobs, worker\n"
        "jobs.register(jobs.JobKind('slow', 'job_probes:slow', exclusive=True))\n"
        "worker.run_worker(Settings())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ | settings.as_environment())
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def test_a_job_of_a_killed_worker_is_taken_over_and_its_child_does_not_live_on(
    other_worker: subprocess.Popen[bytes],
    worker: Worker,
    database: Database,
    settings: Settings,
    job: Callable[[int], Job],
) -> None:
    job_id = enqueue(database, settings, "slow")
    wait_for(lambda: job(job_id).stage.startswith("pid"))
    child = int(job(job_id).stage.removeprefix("pid "))
    other_worker.send_signal(signal.SIGKILL)
    other_worker.wait()

    def child_gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    wait_for(child_gone)
    worker.recover()
    assert (job(job_id).state, job(job_id).attempt) == ("queued", 1)


def test_a_worker_that_was_given_up_cannot_touch_the_job_any_more(
    database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "quick", {"number": 1})
    start = utcnow()
    with database.write() as session:
        slow = rows.claim(session, job_id, worker="elsewhere:1:1", now=start)
        assert slow is not None
        assert rows.claim(session, job_id, worker="here:2:2") is None
    later = start + rows.LOST_AFTER + timedelta(seconds=1)
    with database.write() as session:
        (lost,) = rows.lost_jobs(session, now=later)
        assert rows.give_up_or_requeue(session, lost, now=later)
        again = rows.claim(session, job_id, worker="here:2:2", now=later)
    assert again is not None
    with database.write() as session:
        assert not rows.finish(session, slow, result={"from": "the dead"})
        assert not rows.beat(session, slow)
        assert rows.finish(session, again, result={"from": "the living"})
    assert job(job_id).result == {"from": "the living"}


def test_only_one_job_of_an_exclusive_kind_is_open(database: Database, settings: Settings) -> None:
    first = enqueue(database, settings, "slow")
    with pytest.raises(ConflictError) as refused:
        enqueue(database, settings, "slow")
    assert refused.value.value == first
    jobs.cancel(database, first)
    assert enqueue(database, settings, "slow") > first


def test_a_failed_job_can_run_again_and_an_open_one_cannot(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    job_id = enqueue(database, settings, "broken")
    with pytest.raises(ConflictError):
        jobs.run_again(database, settings, job_id)
    worker.run(until_idle=True)
    jobs.run_again(database, settings, job_id)
    assert (job(job_id).state, job(job_id).error) == ("queued", None)
    worker.run(until_idle=True)
    assert job(job_id).state == "failed"


def test_an_unknown_kind_is_refused_before_it_is_queued(database: Database, settings: Settings) -> None:
    with pytest.raises(InputError, match="Unknown kind of job"):
        enqueue(database, settings, "format_disk")


def test_a_job_reads_nothing_outside_the_uploads_folder(
    worker: Worker, database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    (settings.data / "secret.md").write_text("# not an upload")
    job_id = enqueue(database, settings, "import_articles", {"files": ["../secret.md"]})
    worker.run(until_idle=True)
    failed = job(job_id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["field"] == "files"
    assert (settings.data / "secret.md").is_file()


def test_a_process_number_that_came_back_is_not_the_old_worker() -> None:
    me = worker_name()
    host, pid, _ = me.split(":")
    assert not is_gone(me)
    assert is_gone(f"{host}:{pid}:1")
    assert not is_gone(f"another-host:{pid}:1")
    assert not is_gone(None)


@pytest.mark.skipif(not REDIS, reason="FRONTDESK_TEST_REDIS_URL is not set")
def test_redis_announces_jobs_just_as_well(
    database: Database, settings: Settings, job: Callable[[int], Job]
) -> None:
    assert REDIS is not None
    settings = settings.model_copy(update={"queue_url": REDIS})
    queue = open_queue(settings)
    queue.storage.flush_queue()
    try:
        job_id = enqueue(database, settings, "quick", {"number": 4})
        worker = Worker(database, settings)
        worker.run(until_idle=True)
        assert job(job_id).state == "done"
    finally:
        queue.storage.flush_all()
        queue.storage.conn.close()


def test_a_queue_that_is_away_does_not_lose_the_job(
    database: Database, settings: Settings, job: Callable[[int], Job], caplog: pytest.LogCaptureFixture
) -> None:
    away = settings.model_copy(update={"queue_url": "redis://127.0.0.1:1/0"})
    job_id = enqueue(database, away, "quick", {"number": 1})
    assert job(job_id).state == "queued"
    assert "could not announce" in caplog.text
