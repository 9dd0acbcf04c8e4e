"""Visitors who send a message again, with the same id, until it is acknowledged, and remember what they were told."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from web.bench.chat import questions

PATIENCE = 90.0  # seconds in which a message must be acknowledged at last
WRITERS = 4


@dataclass
class Visitors:
    """They write until told to stop, and remember what the server acknowledged."""

    address: str
    acknowledged: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    tries: int = 0
    given_up: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def writing(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._write, args=(number, stop), daemon=True)
            for number in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=PATIENCE + 30)

    def _write(self, number: int, stop: threading.Event) -> None:
        texts = questions()
        sent = 0
        conversation = None
        while not stop.is_set():
            if conversation is None or sent % 10 == 0:
                conversation = self.insist("/api/v1/conversations", {})
                if conversation is None:
                    continue
                with self._guard:
                    self.tokens[conversation["id"]] = conversation["token"]
            self.send(conversation["id"], texts[(number + sent * WRITERS) % len(texts)], f"w{number}-{sent}")
            sent += 1
            stop.wait(0.2)

    def one(self, text: str, message_id: str, *, patience: float = PATIENCE) -> bool:
        """A conversation with one message; whether it was acknowledged."""
        conversation = self.insist("/api/v1/conversations", {}, patience=patience)
        if conversation is None:
            return False
        with self._guard:
            self.tokens[conversation["id"]] = conversation["token"]
        return self.send(conversation["id"], text, message_id, patience=patience)

    def send(self, public_id: str, text: str, message_id: str, *, patience: float = PATIENCE) -> bool:
        answer = self.insist(
            f"/api/v1/conversations/{public_id}/messages",
            {"text": text, "client_message_id": message_id},
            token=self.tokens[public_id],
            patience=patience,
        )
        with self._guard:
            if answer is None:
                self.given_up += 1
                return False
            self.acknowledged[public_id, message_id] = answer
        return True

    def insist(
        self, path: str, body: dict[str, Any], *, token: str = "", patience: float = PATIENCE
    ) -> dict[str, Any] | None:
        """The same request until it is answered with success; None after ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self._guard:
                self.tries += 1
            try:
                return self._ask(path, body, token=token)
            except urllib.error.HTTPError as error:
                problem = f"status {error.code}"
                error.close()
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = type(getattr(error, "reason", error)).__name__
            with self._guard:
                self.failures[problem] += 1
            time.sleep(0.3)
        return None

    def _ask(self, path: str, body: dict[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        request = urllib.request.Request(
            self.address + path, data=json.dumps(body).encode() if body is not None else None, headers=headers
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told

    def turned_away(self) -> int:
        """Tries that failed in a way a visitor would see: a full machine's 503 with Retry-After is not one."""
        return self.failures.total() - self.failures["status 503"]

    def in_order(self) -> bool:
        """Whether each conversation's messages stand in the order in which they were sent."""
        for public_id, turns in self.stored().items():
            sent = [message_id for one, message_id in self.acknowledged if one == public_id]
            kept = [turn["client_message_id"] for turn in turns if turn["role"] == "customer"]
            if [message_id for message_id in kept if message_id in set(sent)] != sent:
                return False
        return True

    def stored(self) -> dict[str, list[dict[str, Any]]]:
        return {
            public_id: self._ask(f"/api/v1/conversations/{public_id}/messages", token=self.tokens[public_id])[
                "turns"
            ]
            for public_id in {public_id for public_id, _ in self.acknowledged}
        }

    def compare(self) -> dict[str, int]:
        """What was acknowledged against what is there now."""
        stored = self.stored()
        lost = duplicated = changed = 0
        for (public_id, message_id), answer in self.acknowledged.items():
            turns = stored[public_id]
            asked = [turn for turn in turns if turn.get("client_message_id") == message_id]
            if not asked:
                lost += 1
                continue
            replies = [
                turn for turn in turns if turn.get("reply_to") == asked[0]["id"] and turn["role"] == "bot"
            ]
            told = answer["reply"]
            duplicated += len(asked) > 1 or len(replies) > 1
            if told is not None:
                lost += not replies
                changed += bool(replies) and replies[0]["text"] != told["text"]
        return {"lost": lost, "duplicated": duplicated, "changed": changed, "given_up": self.given_up}
