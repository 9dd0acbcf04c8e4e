"""The label set ``sentiment`` as a web process has it: loaded when a page first asks, again once it was trained anew.

Nobody waits for it but the pages that show it: no reply reads it. Where it cannot be loaded, nothing is marked, and the
log says why.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from chatbot.errors import FrontdeskError
from chatbot.inference.label_sets import REPORT_FILE, SENTIMENT, folder_of
from chatbot.inference.mood import LEVEL_FILE, WEIGHTS, Mood

LOOK_SECONDS = 10.0
REMEMBERED = 4096  # conversations; a queue is looked at every second
log = logging.getLogger(__name__)

Said = tuple[str, ...]
Displeased = Callable[[Said], bool]


def nobody(said: Said) -> bool:
    """What is known of a customer's mood without labels: nothing."""
    return False


class Moods:
    """Thread-safe."""

    def __init__(
        self,
        data: Path,
        *,
        load: Callable[[Path], Mood] = Mood.load,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder_of(data, SENTIMENT)
        self._load, self._clock = load, clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._seen: tuple[int, ...] | None = None
        self._judge: Displeased = nobody

    @property
    def known(self) -> bool:
        """Whether there are such labels."""
        return self._current() is not nobody

    def displeased(self, said: Said) -> bool:
        """Whether a customer reads displeased by his messages, oldest first; False where no such labels are there."""
        return self._current()(said[-len(WEIGHTS) :])

    def _current(self) -> Displeased:
        with self._lock:
            if self._clock() - self._looked < LOOK_SECONDS:
                return self._judge
            self._looked = self._clock()
            seen = self._state()
            if seen != self._seen:
                self._seen, self._judge = seen, self._read() if seen else nobody
            return self._judge

    def _state(self) -> tuple[int, ...] | None:
        """Of the files that say which training this is; None where there was none."""
        try:
            report = (self._folder / REPORT_FILE).stat()
        except OSError:
            return None
        level = self._folder / LEVEL_FILE
        return report.st_ino, report.st_mtime_ns, level.stat().st_mtime_ns if level.is_file() else 0

    def _read(self) -> Displeased:
        try:
            mood = self._load(self._folder)
        except FrontdeskError as error:
            log.warning("no conversation is marked as displeased: %s", error.one_line())
            return nobody
        return lru_cache(maxsize=REMEMBERED)(mood.displeased)
