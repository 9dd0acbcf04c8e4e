"""The worker: takes queued jobs one after another and runs each in a child process of its own.

A child gives all its memory back when it ends (training takes a gigabyte that serving must not lose), cannot
take the worker down with it, and can be stopped at any moment. The worker beats for it every few seconds. When
a worker itself is killed, its child goes with it (a parent-death signal on Linux, a refused progress report
elsewhere), and another worker, or the next start, puts the job back: at once where the dead process was on this
machine, after 45 seconds without a heartbeat elsewhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

from chatbot.errors import InputError
from chatbot.records import jobs
from chatbot.records.database import Database
from chatbot.records.tables import Job, utcnow
from chatbot.settings import Settings
from chatbot.termination import ended_in_order
from web import logs
from web.attachments import AttachmentFiles
from web.job_queue import next_job_id, open_queue
from web.jobs import (
    JobContext,
    JobStopped,
    announce,
    discard_uploads,
    error_as_json,
    job_kind,
    load,
)
from web.news import News
from web.rounds import Rounds

log = logging.getLogger(__name__)

BEAT_EVERY = 5.0  # seconds
LOOK_EVERY = 60.0  # seconds between two looks for jobs whose worker is gone
POLL_EVERY = 0.5  # seconds between two looks into an empty queue
STOP_GRACE = 10.0  # seconds a child gets to end after SIGTERM
KEEP_UPLOADS = 7 * 86_400  # seconds a failed import's files wait for another try
_LOST_CHILD = 75  # exit status of a child whose job was taken away (EX_TEMPFAIL)


def worker_name() -> str:
    """``host:pid:start``; the start tells a process from an older one that had the same number."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot (proc(5), field 22); empty where that is unknown."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def is_gone(worker: str | None) -> bool:
    """Whether a worker of this machine is surely dead. False where nobody can tell from here."""
    host, pid, started = [*(worker or "").split(":"), "", "", ""][:3]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(started) and _started(int(pid)) not in ("", started)


class Worker:
    """Runs until ``stop()``; ``run(until_idle=True)`` returns when nothing is queued any more."""

    def __init__(
        self, database: Database, settings: Settings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.database = database
        self.settings = settings
        self.name = worker_name()
        self.queue = open_queue(settings)
        self.clock = clock
        self._stopping = threading.Event()
        self._looked = float("-inf")
        self._queue_away = False

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        self._stopping.set()

    def run(self, *, until_idle: bool = False) -> None:
        log.info("worker %s is ready", self.name)
        while not self._stopping.is_set():
            if self.clock() - self._looked >= LOOK_EVERY:
                self._looked = self.clock()
                self._safely(self.recover)
                self._safely(self.sweep_uploads)
                self._safely(partial(AttachmentFiles(self.settings.data).sweep, self.database))
            try:
                job_id = next_job_id(self.queue)
            except Exception:  # sqlite3's or redis-py's own errors: the queue is away, the table is not
                if not self._queue_away:  # once an outage, not every other second
                    log.warning("the queue does not answer; trying again", exc_info=True)
                self._queue_away = True
                job_id = None
                self._stopping.wait(POLL_EVERY * 4)
            else:
                self._queue_away = False
            if job_id is not None:
                self._safely(partial(self.run_job, job_id))
            elif until_idle:
                return
            else:
                self._stopping.wait(POLL_EVERY)
        log.info("worker %s has stopped", self.name)

    def _safely(self, step: Callable[[], object]) -> None:
        """One failing step (a database that is away for a moment) must not end the worker."""
        try:
            step()
        except Exception:
            log.exception("a step of the worker failed; it goes on")
            self._stopping.wait(POLL_EVERY)

    def recover(self) -> None:
        """Put jobs whose worker is gone back into the queue, and announce every queued job once more."""
        with self.database.write() as session:
            lost = {job.id: job for job in jobs.lost_jobs(session)}
            lost |= {job.id: job for job in jobs.running_jobs(session) if is_gone(job.worker)}
            for job in lost.values():
                again = jobs.give_up_or_requeue(session, job)
                log.warning(
                    "job %s (%s): its worker %s is gone; %s",
                    job.id,
                    job.kind,
                    job.worker,
                    "queued again" if again else "given up",
                )
            waiting = jobs.queued_jobs(session)
        for job_id in waiting:  # a doubled message is harmless: only one claim succeeds
            announce(self.settings, job_id)

    def sweep_uploads(self) -> None:
        """Erase uploads that no open job needs and that are older than a week."""
        if not self.settings.uploads.is_dir():
            return
        with self.database.read() as session:
            needed = {
                str(name).partition("/")[0]
                for state in jobs.OPEN_STATES
                for job in session.query(Job).where(Job.state == state)
                for name in job.arguments.get("files", [])
            }
        for folder in self.settings.uploads.iterdir():
            with contextlib.suppress(OSError):
                old = time.time() - folder.stat().st_mtime > KEEP_UPLOADS
                if old and folder.is_dir() and folder.name not in needed:
                    shutil.rmtree(folder, ignore_errors=True)

    def run_job(self, job_id: int) -> None:
        """Claim a job and see its child process through; a job that is not queued (any more) is left alone."""
        with self.database.write() as session:
            lease = jobs.claim(session, job_id, worker=self.name)
            job = jobs.get_job(session, job_id) if lease else None
        if lease is None or job is None:
            return
        kind = job.kind
        logs.job_id.set(job_id)
        logs.request_id.set(job.request_id or "")
        try:
            self._run_claimed(lease, kind)
        finally:
            logs.job_id.set(0)
            logs.request_id.set("")

    def _run_claimed(self, lease: jobs.Lease, kind: str) -> None:
        job_id = lease.job_id
        log.info("job %s (%s): attempt %s", job_id, kind, lease.attempt)
        try:
            run = job_kind(kind).run
        except InputError as error:  # queued by a newer version of ours
            with self.database.write() as session:
                jobs.fail(session, lease, error=error_as_json(error))
            return
        child = subprocess.Popen(
            [sys.executable, "-m", "web.worker", run, str(job_id), lease.worker, str(lease.attempt)],
            env=os.environ | self.settings.as_environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal goes to the worker, which ends the child in order
        )
        try:
            self._watch(child, lease)
        finally:
            end_process(child)
        self._settle(lease, child.returncode)

    def _watch(self, child: subprocess.Popen[bytes], lease: jobs.Lease) -> None:
        beaten = self.clock()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=POLL_EVERY)
                return
            if self._stopping.is_set():
                end_process(child)
                with self.database.write() as session:
                    jobs.release(session, lease)
                return
            if self.clock() - beaten >= BEAT_EVERY:
                beaten = self.clock()
                with self.database.write() as session:
                    mine = jobs.beat(session, lease)
                if not mine:
                    log.info("job %s was cancelled or taken over", lease.job_id)
                    return

    def _settle(self, lease: jobs.Lease, status: int) -> None:
        """A child that ended without a word (killed, out of memory) leaves its job running: decide here."""
        with self.database.write() as session:
            job = jobs.get_job(session, lease.job_id)
            if (job.state, job.worker, job.attempt) != ("running", lease.worker, lease.attempt):
                return
            log.error("job %s: its process ended with status %s", lease.job_id, status)
            again = jobs.give_up_or_requeue(session, job, now=utcnow())
        if again:
            announce(self.settings, lease.job_id)


def end_process(child: subprocess.Popen[bytes], *, grace: float = STOP_GRACE) -> None:
    """Ask a process and all it started to end, then make them."""
    if child.poll() is not None:
        return
    for sign, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=seconds)
            return


def run_worker(settings: Settings, *, until_idle: bool = False) -> None:
    """The ``frontdesk worker`` command: runs until SIGTERM or SIGINT."""
    database = Database(settings.database)
    News(settings.live_url).attend(database)
    worker = Worker(database, settings)
    rounds = Rounds(database, settings)
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    try:
        if not until_idle:
            rounds.start()
        worker.run(until_idle=until_idle)
    finally:
        rounds.stop()
        database.dispose()


# --- the child -------------------------------------------------------------------------------------------


def perform(database: Database, settings: Settings, lease: jobs.Lease, *, run: str) -> int:
    """Run a claimed job in this process and write down how it ended; returns the process's exit status.

    ``run`` is the "module:function" of the job's kind, from the registry of the worker.
    """
    with database.read() as session:
        job = jobs.get_job(session, lease.job_id)
    logs.job_id.set(job.id)
    logs.request_id.set(job.request_id or "")
    context = JobContext(
        database=database,
        settings=settings,
        lease=lease,
        arguments=dict(job.arguments),
        person_id=job.created_by_id,
    )
    try:
        result = load(run)(context)
    except JobStopped:
        return _LOST_CHILD
    except Exception as error:
        log.exception("job %s failed", lease.job_id)
        with database.write() as session:
            jobs.fail(session, lease, error=error_as_json(error))
        return 1
    with database.write() as session:
        mine = jobs.finish(session, lease, result=result)
    if mine and job.arguments.get("files") and not job.arguments.get("dry_run"):
        discard_uploads(settings, job.arguments["files"])
    return 0 if mine else _LOST_CHILD


def _die_with_parent() -> None:
    """Ask the kernel to end this process when the worker dies (prctl(2), PR_SET_PDEATHSIG = 1); Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """``python -m web.worker RUN JOB WORKER ATTEMPT``, started by a worker and by nothing else."""
    _die_with_parent()
    with contextlib.suppress(OSError):
        os.nice(10)  # whoever chats just now comes first
    settings = Settings()
    logs.configure(settings.log_level, style=settings.log_format)
    run, job_id, worker, attempt = arguments
    if is_gone(worker):  # it died before the line above took effect
        return _LOST_CHILD
    database = Database(settings.database)
    News(settings.live_url).attend(database)
    try:
        with ended_in_order():
            return perform(database, settings, jobs.Lease(int(job_id), worker, int(attempt)), run=run)
    finally:
        database.dispose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
