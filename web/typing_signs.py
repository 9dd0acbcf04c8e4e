"""Who is writing just now: a visitor to an agent, an agent to a visitor. Never what.

A sign lasts a few seconds and is worth nothing afterwards, so it goes past the database: into Redis where live news go
through it (``FRONTDESK_LIVE_URL``), else into an empty file of the data folder, which all web processes share; the
file's time of change is the sign. Whoever types gives one every few seconds at most, not one a key; the streams that
look for news (web/streaming.py, web/inbox/live.py) look for it as well, and are woken when it begins or ends. Where it
cannot be kept, nobody is told, and nothing else fails.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from chatbot.settings import Settings
from web.news import News
from web.passing_redis import PassingRedis

Who = Literal["visitor", "agent"]
LASTS = 6.0  # seconds; clients give a sign every 3 while somebody types
SWEPT_EVERY = 3_600.0
REDIS_SECONDS = 0.2  # it is not worth waiting for
LEFT_ALONE = 10.0  # seconds after Redis has not answered


class TypingSigns(Protocol):
    def give(self, conversation_id: int, who: Who) -> None: ...

    def take_back(self, conversation_id: int, who: Who) -> None:
        """What was being written is sent, or was given up."""
        ...

    def seen(self, conversation_id: int, who: Who) -> bool:
        """Whether ``who`` has typed within the last seconds."""
        ...


class SignFiles:
    """Empty files under ``<data>/typing``; old ones are erased once an hour by whoever gives a sign."""

    def __init__(self, data: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = data / "typing"
        self._clock = clock
        self._swept = clock()

    def _path(self, conversation_id: int, who: Who) -> Path:
        return self.folder / f"{conversation_id}.{who}"

    def give(self, conversation_id: int, who: Who) -> None:
        now = self._clock()
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._path(conversation_id, who)
            path.touch()
            os.utime(path, (now, now))
            if now - self._swept > SWEPT_EVERY:
                self._swept = now
                self._sweep(now)

    def take_back(self, conversation_id: int, who: Who) -> None:
        with contextlib.suppress(OSError):
            self._path(conversation_id, who).unlink(missing_ok=True)

    def seen(self, conversation_id: int, who: Who) -> bool:
        try:
            given = self._path(conversation_id, who).stat().st_mtime
        except OSError:
            return False
        return self._clock() - given < LASTS

    def _sweep(self, now: float) -> None:
        for entry in os.scandir(self.folder):
            with contextlib.suppress(OSError):
                if now - entry.stat().st_mtime > SWEPT_EVERY:
                    os.unlink(entry.path)


class SignsInRedis:
    """Keys that end by themselves."""

    def __init__(self, url: str) -> None:
        self._redis = PassingRedis(
            url, what="signs of typing", answer_within=REDIS_SECONDS, left_alone=LEFT_ALONE
        )

    @staticmethod
    def _key(conversation_id: int, who: Who) -> str:
        return f"frontdesk:typing:{conversation_id}:{who}"

    def give(self, conversation_id: int, who: Who) -> None:
        self._redis.ask(lambda redis: redis.set(self._key(conversation_id, who), 1, px=int(LASTS * 1000)))

    def take_back(self, conversation_id: int, who: Who) -> None:
        self._redis.ask(lambda redis: redis.delete(self._key(conversation_id, who)))

    def seen(self, conversation_id: int, who: Who) -> bool:
        return bool(self._redis.ask(lambda redis: redis.exists(self._key(conversation_id, who))))


def typing_signs(settings: Settings) -> TypingSigns:
    """Where this installation keeps them."""
    url = settings.live_url
    return SignFiles(settings.data) if url.startswith("memory://") else SignsInRedis(url)


class Typing:
    """What the views and streams of one process know of it."""

    def __init__(self, signs: TypingSigns, news: News) -> None:
        self._signs = signs
        self._news = news

    def tell(self, conversation_id: int, who: Who, typing: bool) -> None:
        """``who`` writes just now, or no longer."""
        changed = typing != self._signs.seen(conversation_id, who)
        if typing:
            self._signs.give(conversation_id, who)
        elif changed:
            self._signs.take_back(conversation_id, who)
        if changed:
            self._news.tell(conversation_id)

    def seen(self, conversation_id: int, who: Who) -> bool:
        return self._signs.seen(conversation_id, who)
