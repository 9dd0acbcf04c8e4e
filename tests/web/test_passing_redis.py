"""Redis for what is worth little a moment later: nobody waits for it twice."""

from __future__ import annotations

import logging

import pytest

from web.passing_redis import PassingRedis


class Server:
    def __init__(self) -> None:
        self.away = False
        self.tries = 0

    def connect(self, url: str) -> Server:
        return self

    def ping(self) -> str:
        self.tries += 1
        if self.away:
            raise ConnectionError("connection lost")
        return "pong"


def test_a_server_that_is_away_is_left_alone_for_a_while_and_then_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [100.0]
    monkeypatch.setattr("web.passing_redis.time.monotonic", lambda: now[0])
    server = Server()
    redis = PassingRedis(
        "redis://x", what="signs", answer_within=0.2, left_alone=10.0, connect=server.connect
    )

    def ask() -> object:
        return redis.ask(lambda client: client.ping())

    assert ask() == "pong"
    server.away = True
    with caplog.at_level(logging.WARNING):
        assert [ask(), ask()] == [None, None]
        assert server.tries == 2
        now[0] += 10.1
        assert ask() is None
        assert server.tries == 3
    assert len(caplog.records) == 1  # once an outage
    server.away = False
    now[0] += 10.1
    assert ask() == "pong"
