"""What the jobs of tests/web/test_jobs.py do, in the worker's child process."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from web.jobs import JobContext


def quick(context: JobContext) -> dict[str, Any]:
    context.progress("thinking", 0.5)
    return {"answer": context.arguments["number"] * 2, "pid": os.getpid()}


def broken(context: JobContext) -> dict[str, Any]:
    raise ZeroDivisionError("nothing to divide by")


def slow(context: JobContext) -> dict[str, Any]:
    """Runs until it is stopped, writing its process id where the test can read it."""
    context.progress(f"pid {os.getpid()}", 0.1)
    while True:
        time.sleep(0.05)
        context.progress(f"pid {os.getpid()}", 0.2)


def second_try(context: JobContext) -> dict[str, Any]:
    """Killed from outside at the first attempt, done at the second."""
    if context.lease.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"attempt": context.lease.attempt}


def always_killed(context: JobContext) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}
