"""Conversations cleaned ahead of their storing, by processes beside the one that stores.

Redaction and the quality rules are nearly all the work of an import, and need nothing but the conversation. A file of
some size gets a process a core for them; the order stays that of the file.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from chatbot.errors import FileError
from chatbot.language.redaction import RedactionRules
from ingest.preparing import Dropped, Prepared, clean
from ingest.transcripts.formats import Row
from ingest.transcripts.transcript import Transcript

WORTH_PROCESSES = 4 << 20  # bytes of a file: starting them takes two seconds
MOST_PROCESSES = 4
AHEAD = 2  # batches a process has before it, so that it never waits

Hashed = tuple[Transcript, str]  # a conversation with its content hash
Cleaned = list[Prepared | Dropped]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a file, and what became of each of ``asked``, in that order."""

    rows: Sequence[Row]
    asked: Sequence[Hashed]
    cleaned: Cleaned


def cleaned_ahead(
    batches: Iterable[tuple[Sequence[Row], Sequence[Hashed]]], *, rules: RedactionRules, size: int
) -> Iterator[Batch]:
    """``batches``: (rows, those of them to clean). ``size``: of the file, in bytes.

    A FileError of ``batches`` is raised after all that came before it.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores < 2 or size < WORTH_PROCESSES:
        for rows, asked in batches:
            yield Batch(rows, asked, _clean(asked, rules))
        return
    workers = min(cores, MOST_PROCESSES)
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(rules, os.getpid()),
    ) as pool:
        waiting: deque[tuple[Sequence[Row], Sequence[Hashed], Future[Cleaned]]] = deque()
        source = iter(batches)
        broken: FileError | None = None
        while broken is None:
            try:
                for rows, asked in itertools.islice(source, workers * AHEAD - len(waiting)):
                    waiting.append((rows, asked, pool.submit(_clean_here, asked)))
            except FileError as error:
                broken = error
            if not waiting:
                break
            rows, asked, future = waiting.popleft()
            yield Batch(rows, asked, future.result())
        while waiting:
            rows, asked, future = waiting.popleft()
            yield Batch(rows, asked, future.result())
        if broken is not None:
            raise broken


def _clean(asked: Sequence[Hashed], rules: RedactionRules) -> Cleaned:
    return [clean(transcript, content_hash=digest, rules=rules) for transcript, digest in asked]


_rules = RedactionRules()  # of this process, where it is one of the pool's


def _begin(rules: RedactionRules, parent: int) -> None:
    global _rules
    _rules = rules
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A process whose import was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)


def _clean_here(asked: Sequence[Hashed]) -> Cleaned:
    return _clean(asked, _rules)
