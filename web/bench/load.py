"""Load on the chat API: many visitors at once, each writing in a conversation of its own.

Open loop: messages are due at a fixed rate whatever the server does, and a time counts from when the message was
due, not from when a visitor got round to sending it (otherwise a slow server is measured less often, which hides
its slowness: "coordinated omission", Gil Tene 2013). It ends in time whatever the server does: what is not answered
``DRAIN_SECONDS`` after the last message was due is unanswered, and its waiting until then counts. Plain asyncio, so
that the load costs little of the machine it measures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from chatbot.errors import UnavailableError

SSE = "text/event-stream"
PATIENCE_SECONDS = 60.0  # one request
DRAIN_SECONDS = 15.0  # for what is still on its way when the last message was due
CHECK_SECONDS = 90.0  # for reading all conversations back
AGAIN_SECONDS = 1.0  # until a conversation that could not be read back is tried again
OPENING_AT_ONCE = 16


@dataclass(slots=True)
class Sent:
    """One message: times in seconds from when it was due, None where nothing came. ``given_up``: how long it had waited
    when the run ended without an answer to it, or before a visitor was free to send it."""

    message_id: str
    due: float
    first_byte: float | None = None
    total: float | None = None
    error: str | None = None
    acknowledged: bool = False
    given_up: float | None = None


@dataclass(slots=True)
class Stream:
    """One visitor."""

    connection: Connection
    id: str = ""
    token: str = ""
    sent: list[Sent] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, counted against what the server has stored."""

    sent: list[Sent]  # every message that was due
    answered: int
    errors: Counter[str]
    unanswered: int  # no answer and no error until the end; answered, errors and these are all that was sent
    lost: int  # acknowledged, and not in the conversation afterwards
    duplicated: int  # more than once in the conversation, or answered more than once
    out_of_order: int  # turns that stand before one that was sent earlier
    unchecked: int  # conversations that could not be read back in time: nothing is known of what they lost
    seconds: float


class Connection:
    """HTTP/1.1 over one kept connection (RFC 9112), opened anew where the server has closed it."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self.host, self.port = split.hostname or "127.0.0.1", split.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def request(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> AsyncIterator[tuple[int, bytes]]:
        """Yields ``(status, piece of the body)``; once with an empty piece where there is no body."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            f"Content-Length: {len(content)}",
        ]
        if content:
            lines.append("Content-Type: application/json")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
        kept = self._writer is not None
        try:
            status, fields = await self._send(message)
        except (ConnectionError, asyncio.IncompleteReadError):
            if not kept:
                raise
            await self.close()  # closed by the server while it lay idle: nothing of this request was read
            status, fields = await self._send(message)
        reader = self._reader
        if reader is None:
            raise ConnectionError("closed")
        if fields.get("transfer-encoding") == "chunked":
            while size := int((await reader.readline()).split(b";")[0], 16):
                yield status, await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        elif "content-length" in fields:
            yield status, await reader.readexactly(int(fields["content-length"]))
        else:  # until the server closes
            while piece := await reader.read(65536):
                yield status, piece
            await self.close()
            return
        if fields.get("connection", "").lower() == "close":
            await self.close()

    async def _send(self, message: bytes) -> tuple[int, dict[str, str]]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        if self._reader is None:
            raise ConnectionError("closed")
        self._writer.write(message)
        await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        return int(head[0].split()[1]), fields

    async def whole(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        status, content = 0, b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for code, piece in self.request(method, path, **options):
                status, content = code, content + piece
        return status, content

    async def close(self) -> None:
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                await writer.wait_closed()


async def run(
    url: str,
    texts: Sequence[str],
    *,
    rate: float,
    seconds: float,
    streams: int,
    idle: int = 0,
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> Outcome:
    """Send ``rate`` messages a second for ``seconds`` from ``streams`` visitors, beside ``idle`` open widgets.

    Raises UnavailableError where no conversation can be started.
    """
    widgets = await _open(url, idle, "idle widgets", progress, widget=True)
    visitors = await _open(url, streams, "visitors", progress)
    free: asyncio.Queue[Stream] = asyncio.Queue()
    for visitor in visitors:
        free.put_nowait(visitor)
    count = max(1, round(rate * seconds))
    begin = time.perf_counter() + 0.5
    until = asyncio.get_running_loop().time() + 0.5 + seconds + DRAIN_SECONDS
    running: set[asyncio.Task[None]] = set()
    messages: list[Sent] = []
    for number in range(count):
        message = Sent(f"bench-{number}", begin + number / rate)
        await asyncio.sleep(max(0.0, message.due - time.perf_counter()))
        messages.append(message)
        task = asyncio.create_task(_say(free, texts[number % len(texts)], message, until, visitors))
        running.add(task)
        task.add_done_callback(running.discard)
        if number % 10 == 0:
            progress("messages", number / count)
    await asyncio.gather(*running)
    spent = time.perf_counter() - begin
    outcome = await _audit(visitors, messages, spent, progress)
    await asyncio.gather(*(stream.connection.close() for stream in [*visitors, *widgets]))
    return outcome


async def _open(
    url: str, count: int, stage: str, progress: Callable[[str, float], None], *, widget: bool = False
) -> list[Stream]:
    """Start conversations. A widget loads its frame too and then does what an idle one does: nothing."""
    gate = asyncio.Semaphore(OPENING_AT_ONCE)
    opened: list[Stream] = []

    async def one() -> None:
        async with gate:
            connection = Connection(url)
            if widget:
                await connection.whole("GET", "/widget/frame")
            opened.append(await _begun(connection))
            progress(stage, len(opened) / count)

    await asyncio.gather(*(one() for _ in range(count)))
    return opened


async def _begun(connection: Connection) -> Stream:
    """A new conversation. Raises UnavailableError where none can be started."""
    status, content = await connection.whole("POST", "/api/v1/conversations", body={})
    if status != 201:
        raise UnavailableError(
            f"No conversation could be started: HTTP {status}",
            value=content[:200].decode("utf-8", "replace"),
            remedy="The server must be ready and its limits raised (FRONTDESK_CHAT_RATE)",
        )
    started = json.loads(content)
    stream = Stream(connection)
    stream.id, stream.token = started["id"], started["token"]
    return stream


async def _say(
    free: asyncio.Queue[Stream], text: str, sent: Sent, until: float, visitors: list[Stream]
) -> None:
    """``until``: when the run is over, in the loop's time. Where the bot passes the visitor on to a person, another
    visitor comes in his place, and stands in ``visitors`` too: the bot is silent while somebody is waited for."""
    stream: Stream | None = None
    try:
        async with asyncio.timeout_at(until) as run:
            stream = await free.get()
            stream.sent.append(sent)
            async with asyncio.timeout(PATIENCE_SECONDS):
                passed_on = await _exchange(stream, text, sent)
                if passed_on:
                    stream = await _begun(stream.connection)
                    visitors.append(stream)
    except (OSError, ValueError, asyncio.IncompleteReadError, UnavailableError) as error:
        if run.expired():
            sent.given_up = time.perf_counter() - sent.due
        else:
            sent.error = type(error).__name__
        if stream is not None:
            await stream.connection.close()
    finally:
        if stream is not None:
            free.put_nowait(stream)


async def _exchange(stream: Stream, text: str, sent: Sent) -> bool:
    """Send a message and read its answer; whether that passed the visitor on to a person."""
    pieces = stream.connection.request(
        "POST",
        f"/api/v1/conversations/{stream.id}/messages",
        body={"text": text, "client_message_id": sent.message_id},
        headers={**stream.headers, "Accept": SSE},
    )
    content = b""
    async for status, piece in pieces:
        content += piece
        sent.acknowledged = sent.acknowledged or status == 200
        if status != 200:
            sent.error = f"HTTP {status}"
        elif sent.first_byte is None and (b"event: delta\n" in content or b"event: reply\n" in content):
            sent.first_byte = time.perf_counter() - sent.due
    if sent.error is None and b"event: reply\n" not in content:
        sent.error = "error event" if b"event: error\n" in content else "no reply"
    sent.total = time.perf_counter() - sent.due
    reply = content.partition(b"event: reply\ndata: ")[2].partition(b"\n")[0]
    return bool(reply) and json.loads(reply)["state"] == "waiting"


async def _audit(
    visitors: Sequence[Stream],
    messages: list[Sent],
    seconds: float,
    progress: Callable[[str, float], None],
) -> Outcome:
    """Read every conversation back and hold it against what was sent."""
    lost = duplicated = disordered = unchecked = 0
    until = asyncio.get_running_loop().time() + CHECK_SECONDS
    for number, stream in enumerate(visitors):
        turns = await _turns_in_time(stream, until)
        progress("check", (number + 1) / len(visitors))
        if turns is None:
            unchecked += 1
            continue
        stored = [turn["client_message_id"] for turn in turns if turn["role"] == "customer"]
        answers = Counter(
            turn["reply_to"] for turn in turns if turn["role"] == "bot" and turn.get("reply_to")
        )
        expected = [sent.message_id for sent in stream.sent]
        lost += len({sent.message_id for sent in stream.sent if sent.acknowledged} - set(stored))
        duplicated += len(stored) - len(set(stored)) + sum(times - 1 for times in answers.values())
        kept = [message for message in expected if message in set(stored)]
        disordered += sum(one != other for one, other in zip(stored, kept, strict=False))
    errors = Counter(sent.error for sent in messages if sent.error)
    unanswered = sum(sent.given_up is not None for sent in messages)
    answered = len(messages) - errors.total() - unanswered
    return Outcome(messages, answered, errors, unanswered, lost, duplicated, disordered, unchecked, seconds)


async def _turns_in_time(stream: Stream, until: float) -> list[dict[str, Any]] | None:
    """The conversation's turns, asked for again while the server is too full to tell; None where it stays so."""
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        try:
            async with asyncio.timeout_at(until):
                return await _turns(stream)
        except (UnavailableError, OSError, ValueError, asyncio.IncompleteReadError):
            await stream.connection.close()
            await asyncio.sleep(min(AGAIN_SECONDS, max(0.0, until - loop.time())))
    return None


async def _turns(stream: Stream) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    while True:
        after = turns[-1]["id"] if turns else 0
        path = f"/api/v1/conversations/{stream.id}/messages?after={after}"
        status, content = await stream.connection.whole("GET", path, headers=stream.headers)
        if status != 200:
            raise UnavailableError(f"A conversation cannot be read back: HTTP {status}", value=stream.id)
        page = json.loads(content)
        turns += page["turns"]
        if not page["more"]:
            return turns
