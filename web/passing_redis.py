"""Redis for what is worth little a moment later: who is typing, that there is news. Nobody waits for it.

It is asked with a short time to answer, and where it does not, it is left alone for some seconds: each question would
hold up a visitor for as long again. What was asked meanwhile is answered with None, and the caller does without.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)


class PassingRedis:
    """``answer_within`` and ``left_alone`` in seconds; ``what`` says in the log what it is asked for."""

    def __init__(
        self,
        url: str,
        *,
        what: str,
        answer_within: float,
        left_alone: float,
        connect: Callable[[str], Any] | None = None,
    ) -> None:
        self.left_alone = left_alone
        self._url = url
        self._what = what
        self._within = answer_within
        self._open = connect or self._redis
        self._client: Any = None
        self._quiet_until = 0.0
        self._away = False

    def connect(self) -> Any:
        """A connection of one's own, for who waits on it."""
        return self._open(self._url)

    def ask(self, question: Callable[[Any], object]) -> object:
        """What Redis answers; None where it does not, or did not a moment ago."""
        if time.monotonic() < self._quiet_until:
            return None
        try:
            if self._client is None:
                self._client = self.connect()
            answer = question(self._client)
        except Exception as error:  # whatever it is: nothing that is stored depends on it
            self._quiet_until = time.monotonic() + self.left_alone
            if not self._away:  # once an outage
                log.warning("%s: Redis does not answer: %s", self._what, error)
            self._away = True
            return None
        self._away = False
        return answer

    def _redis(self, url: str) -> Any:
        import redis  # of the extra "redis"

        return redis.Redis.from_url(url, socket_timeout=self._within, socket_connect_timeout=self._within)
