"""What happens in conversations, told to the streams that wait for it as soon as it is committed.

A stream looks into the database, which alone says what there is; news only say when to look. Between the threads of
one process they go by themselves. With ``FRONTDESK_LIVE_URL`` a channel of Redis (publish and subscribe) carries them
to the other web processes and from the worker; without it, and while Redis is away, streams look often enough
(``seconds`` of ``Watch.wait``) to see what others have written.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from chatbot.errors import InputError
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Turn
from web.passing_redis import PassingRedis

log = logging.getLogger(__name__)

CHANNEL = "frontdesk:live"
TOLD_SECONDS = 5.0  # between two looks where every process tells: against a message that Redis dropped
AGAIN_AFTER = 5.0  # seconds that Redis is left alone after it did not answer
ANSWER_WITHIN = 0.5  # seconds; a visitor's message waits for it
_NOTED = "frontdesk_conversations"


class Watch:
    """One stream's ear; forgotten with the stream that holds it."""

    def __init__(self, news: News, conversation_id: int | None, pause: float) -> None:
        self.conversation_id = conversation_id
        self._news = news
        self._pause = pause
        self._heard = threading.Event()

    def wait(self, seconds: float) -> None:
        """Until there is news since the last wait, or until it is time to look without: ``seconds``, or longer where
        every process tells. At least ``pause`` seconds, so that many news are one look."""
        begun = time.monotonic()
        self._heard.wait(max(seconds, TOLD_SECONDS) if self._news.told_by_all else seconds)
        time.sleep(max(0.0, begun + self._pause - time.monotonic()))
        self._heard.clear()

    def hear(self) -> None:
        self._heard.set()


class News:
    """Of one process. Thread-safe; begins to listen with the first watch, so it may be made before a fork.

    Raises InputError where ``url`` is neither ``memory://`` nor one of Redis.
    """

    def __init__(self, url: str = "memory://", *, connect: Callable[[str], Any] | None = None) -> None:
        if not url.startswith(("memory://", "redis://", "rediss://", "unix://")):
            raise InputError(
                "The address for live news cannot be used",
                field="FRONTDESK_LIVE_URL",
                value=url,
                remedy="Leave it out, or use redis://host:port/number",
            )
        self._redis = (
            None
            if url.startswith("memory://")
            else PassingRedis(
                url,
                what="news of conversations",
                answer_within=ANSWER_WITHIN,
                left_alone=AGAIN_AFTER,
                connect=connect,
            )
        )
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._listener: threading.Thread | None = None
        self.told_by_all = False  # whether what other processes write is heard of here just now

    def watch(self, conversation_id: int | None = None, *, pause: float = 0.0) -> Watch:
        """For news of one conversation, or of all that wait for a person or are with one."""
        watch = Watch(self, conversation_id, pause)
        with self._guard:
            self._watches.add(watch)
            if self._redis is not None and self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="news", daemon=True)
                self._listener.start()
        return watch

    def attend(self, database: Database) -> None:
        """Tell of what is written through ``database`` from now on."""
        database.on_flush(_note)
        database.on_commit(lambda session: self._tell(session.info.pop(_NOTED, set())))

    def tell(self, conversation_id: int) -> None:
        """Of something that is no record: who is typing (web/typing_signs.py)."""
        self._tell({conversation_id})

    def _tell(self, conversation_ids: set[int]) -> None:
        for conversation_id in conversation_ids:
            self._hear(conversation_id)
        if self._redis is None:
            return
        for conversation_id in conversation_ids:  # where it is away streams look by themselves
            self._redis.ask(partial(_publish, str(conversation_id)))

    def _hear(self, conversation_id: int | None) -> None:
        """Wake up those who watch it; None: everybody."""
        with self._guard:
            watches = list(self._watches)
        for watch in watches:
            if conversation_id is None or watch.conversation_id in (None, conversation_id):
                watch.hear()

    def _listen(self) -> None:
        assert self._redis is not None
        while True:
            try:
                with self._redis.connect().pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(CHANNEL)
                    self.told_by_all = True
                    self._hear(None)  # what came before may have been missed
                    while True:
                        message = channel.get_message(timeout=TOLD_SECONDS)
                        if message is None:
                            channel.ping()  # the next look finds out whether anybody answers
                        elif message["type"] == "message":
                            self._hear(int(message["data"]))
            except Exception as error:
                if self.told_by_all:
                    log.warning("news of other processes' conversations are not heard: %s", error)
                self.told_by_all = False
                self._hear(None)
                time.sleep(AGAIN_AFTER)


def _publish(conversation_id: str, redis: Any) -> object:
    return redis.publish(CHANNEL, conversation_id)


def _note(session: Session) -> None:
    """Which conversations somebody may be waiting for news of: not those that are the bot's and stay so, whose
    replies reach the visitor in the answer to his message."""
    noted: set[int] = session.info.setdefault(_NOTED, set())
    for row in (*session.new, *session.dirty):
        if isinstance(row, Conversation):
            if row.state != "bot" or inspect(row).attrs.state.history.deleted:
                noted.add(row.id)
        elif isinstance(row, Turn):
            conversation = session.identity_map.get(session.identity_key(Conversation, row.conversation_id))
            if conversation is None or conversation.state != "bot":
                noted.add(row.conversation_id)
