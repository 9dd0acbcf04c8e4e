"""A release whose index is not ready waits for a job, and not for ever."""

import pytest
from sqlalchemy import update

from chatbot.records.jobs import list_jobs
from chatbot.records.tables import Job
from web.reindexing import PATIENCE, Reindexing


@pytest.fixture
def waiting(database, settings):
    now = [0.0]
    many = Reindexing(database, settings, unprepared=lambda *_: 5000, clock=lambda: now[0])
    return many, now


def jobs(database):
    with database.read() as session:
        return [(job.kind, job.arguments, job.state) for job in list_jobs(session)]


def state(database, state):
    with database.write() as session:
        session.execute(update(Job).values(state=state))


def test_what_is_ready_is_loaded_at_once(database, settings):
    assert Reindexing(database, settings, unprepared=lambda *_: 10).may_load("r2")
    assert jobs(database) == []


def test_the_job_is_queued_once_by_whoever_is_first_and_waited_for(database, settings, waiting):
    first, _ = waiting
    second = Reindexing(database, settings, unprepared=lambda *_: 5000)
    assert not first.may_load("r2") and not second.may_load("r2") and not first.may_load("r2")
    assert jobs(database) == [("reindex", {"release": "r2"}, "queued")]
    state(database, "running")
    assert not first.may_load("r2")
    state(database, "done")
    assert first.may_load("r2") and second.may_load("r2")


@pytest.mark.parametrize("end", ["failed", "cancelled", "nobody works"])
def test_without_a_worker_the_process_does_it_by_itself(database, waiting, end):
    reindexing, now = waiting
    assert not reindexing.may_load("r2")
    if end == "nobody works":
        now[0] += PATIENCE + 1
    else:
        state(database, end)
    assert reindexing.may_load("r2")
