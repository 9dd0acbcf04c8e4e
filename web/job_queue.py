"""The queue that wakes workers up (huey: a SQLite file in the data folder, or Redis).

A message is the JSON ``{"job": <id>}`` and nothing else. Apart from web/jobs.py, as huey brings the clients of Redis
and PostgreSQL with it: a web process needs them when it queues its first job, not before it can answer.
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey
from huey.api import Task
from huey.registry import Message
from huey.serializer import Serializer

from chatbot.errors import InputError
from chatbot.settings import Settings

log = logging.getLogger(__name__)

QUEUE_NAME = "frontdesk"
_TASK = "frontdesk.job"


class JobIdSerializer(Serializer):
    """A message as ``{"job": 12}``: no pickle, and nothing in it that could be run."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps({"job": data.args[0]}).encode()

    def _deserialize(self, data: bytes) -> Message:
        job_id = json.loads(data)["job"]
        if not isinstance(job_id, int):
            raise ValueError(f"not a job id: {job_id!r}")
        return Message(id=f"job-{job_id}", name=_TASK, args=(job_id,), kwargs={}, retries=0, retry_delay=0)


def open_queue(settings: Settings) -> Huey:
    """The queue of an installation. Raises InputError for a URL that no queue understands."""
    return _open_queue(settings.queue_url, str(settings.data.absolute()))


@lru_cache(maxsize=8)
def _open_queue(url: str, data: str) -> Huey:
    options: dict[str, Any] = {"results": False, "serializer": JobIdSerializer()}
    if not url:
        Path(data).mkdir(parents=True, exist_ok=True)
        queue = SqliteHuey(QUEUE_NAME, filename=str(Path(data) / "queue.db"), fsync=False, **options)
    elif url.startswith(("redis://", "rediss://", "unix://")):
        queue = RedisHuey(QUEUE_NAME, url=url, **options)
    else:
        raise InputError(
            "The queue URL cannot be used",
            field="FRONTDESK_QUEUE_URL",
            value=url,
            remedy="Leave it empty, or use redis://host:port/number",
        )
    # huey names a task after the module and the class; ours is the same whichever process queues it
    queue._registry.register(type("job", (Task,), {"__module__": "frontdesk", "execute": _not_here}))
    return queue


def _not_here(self: Task) -> None:
    raise RuntimeError("web.worker runs jobs; a queue message only names one")


def send(queue: Huey, job_id: int) -> None:
    queue.enqueue(queue._registry.string_to_task(_TASK)((job_id,)))


def next_job_id(queue: Huey) -> int | None:
    """The job that the oldest message names, or None when there is none; an unreadable message is dropped."""
    try:
        task = queue.dequeue()
    except (ValueError, KeyError, TypeError):
        log.warning("dropped a queue message that names no job", exc_info=True)
        return None
    return int(task.args[0]) if task is not None else None
