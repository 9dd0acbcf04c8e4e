"""How processes of the service write their log: a line of JSON each, or plain text where a person reads along.

Every line says which request and which job it belongs to, so that a message can be followed from the web process
through the worker to the child that did the work. Personal values (addresses, phone, card and account numbers) and
secrets in a line are replaced before it is written; what customers write is never logged in the first place.

The standard library alone at import: web/supervisor.py uses this too.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

request_id: ContextVar[str] = ContextVar("request_id", default="")
job_id: ContextVar[int] = ContextVar("job_id", default=0)

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_SECRET = re.compile(
    r"(?i)(bearer\s+|basic\s+|\b(?:token|password|secret|api[_-]?key|signature)\b[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]{6,}"
    r"|(set-up/)[\w-]{16,}|(://[^\s/:@]*:)[^\s/@]+(?=@)"
)
_PERSONAL = frozenset(
    {"EMAIL", "PHONE", "CARD", "IBAN", "ID"}
)  # an order's number could be any number of ours
_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def without_personal(text: str) -> str:
    """``text`` with typed placeholders for personal values and ``[SECRET]`` for keys and passwords."""
    from chatbot.language.redaction import find_personal

    text = _SECRET.sub(lambda found: next(filter(None, found.groups())) + "[SECRET]", text)
    for personal in sorted(find_personal(text), key=lambda one: -one.start):
        if personal.kind in _PERSONAL:
            text = f"{text[: personal.start]}[{personal.kind}]{text[personal.end :]}"
    return text


class JsonFormatter(logging.Formatter):
    """One object a line: ``time`` (UTC), ``level``, ``logger``, ``message``, and where known ``request_id``, ``job``,
    ``error`` (the traceback), and whatever was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        if job_id.get():
            line["job"] = job_id.get()
        line |= {key: value for key, value in vars(record).items() if key not in _ATTRIBUTES}
        if record.exc_info:
            line["error"] = without_personal(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """For people: the time, the level, who says it, what, and in brackets the request and the job."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _message(record)
        where = " ".join(
            part
            for part in (
                request_id.get() and f"request {request_id.get()}",
                job_id.get() and f"job {job_id.get()}",
            )
            if part
        )
        return super().formatMessage(record) + (f" [{where}]" if where else "")

    def formatException(self, ei: object) -> str:
        return without_personal(super().formatException(ei))  # type: ignore[arg-type]


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    # An access line is made of our own words, and there are many of them.
    return text if record.name == "web.observing" else without_personal(text)


def configure(level: str, *, style: str = "auto", stream: TextIO | None = None) -> None:
    """Write the log of this process to ``stream`` (stderr). ``style``: json, text, or auto: text on a terminal."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if wants_text(style, stream) else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # every step of a migration at INFO
    logging.captureWarnings(True)


def wants_text(style: str, stream: TextIO) -> bool:
    return style == "text" or (style == "auto" and stream.isatty())
