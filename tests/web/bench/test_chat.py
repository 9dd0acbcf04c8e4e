"""The load on the chat: what it counts is what the server has stored."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.serving import WSGIRequestHandler, make_server

from chatbot.errors import UnavailableError
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Turn
from chatbot.settings import Settings
from web import create_app
from web.bench import load
from web.bench.chat import command, measure, percentiles, questions
from web.bench.counted import drafts_counted, drafts_since
from web.bench.processes import usage
from web.serving import Serving


class Kept(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # kept connections and chunks, as gunicorn serves them

    def log(self, type: str, message: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted here is no time: a machine that is busy with other tests has longer for its answers."""
    monkeypatch.setattr(load, "DRAIN_SECONDS", 120.0)


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Kept)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_message_is_counted_timed_and_found_again(url: str) -> None:
    figures = measure(
        url, ["refund?", "退款多久？"], rate=40, seconds=0.5, streams=4, idle=2, pid=os.getpid()
    )
    assert figures["sent"] == figures["answered"] == 20
    assert [figures[name] for name in ("errors", "lost", "duplicated", "out_of_order")] == [0, 0, 0, 0]
    assert 0 < figures["first_byte"]["p50"] <= figures["total"]["p50"] <= figures["total"]["p99"]
    assert figures["rss_bytes"] > 1e6
    assert figures["cpu_seconds"] >= 0


def test_failures_are_counted_by_kind(url: str, assistant: Any) -> None:
    def fail_on_x(text: str) -> None:
        if text == "x":
            raise RuntimeError

    assistant.before_reply = fail_on_x
    figures = measure(url, ["x", "refund?"], rate=40, seconds=0.25, streams=2)
    assert (figures["sent"], figures["answered"], figures["errors"]) == (10, 5, 5)
    assert figures["errors_by_kind"] == {"error event": 5}
    assert figures["lost"] == 0  # the message itself was stored
    assert figures["rss_bytes"] is None


def test_it_ends_in_time_with_figures_where_the_server_does_not_keep_up(
    url: str, assistant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "DRAIN_SECONDS", 0.3)
    goes_on = threading.Event()
    assistant.before_reply = lambda text: goes_on.wait(60) if text == "stuck" else None
    try:
        figures = measure(url, ["refund?", "stuck"], rate=40, seconds=0.25, streams=2)
    finally:
        goes_on.set()
    assert figures["sent"] == 10
    assert figures["answered"] + figures["unanswered"] == 10 and figures["errors"] == 0
    assert (
        figures["unanswered"] >= 7
    )  # two visitors are stuck; nobody is free to send what was due after that
    assert figures["total"]["p50"] >= 300  # what was never answered has waited at least until the end
    assert figures["first_byte"]["p99"] >= 300
    assert (figures["lost"], figures["unchecked"]) == (0, 0)


def test_conversations_that_cannot_be_read_back_are_counted_not_waited_for(
    url: str, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "CHECK_SECONDS", 0.2)
    app.view_functions["chat.read"] = lambda **_: ("full", 503)
    figures = measure(url, ["refund?"], rate=20, seconds=0.2, streams=2)
    assert (figures["answered"], figures["unchecked"], figures["lost"]) == (4, 2, 0)


def test_a_refused_message_is_an_error_and_was_not_lost(url: str, app: Flask) -> None:
    app.view_functions["chat.send"] = lambda **_: ("full", 503)
    figures = measure(url, ["refund?"], rate=20, seconds=0.2, streams=2)
    assert (figures["answered"], figures["errors_by_kind"], figures["lost"]) == (0, {"HTTP 503": 4}, 0)


def test_memory_is_told_from_the_start_to_the_end(url: str) -> None:
    figures = measure(url, ["refund?"], rate=20, seconds=0.2, streams=2, pid=os.getpid())
    assert set(figures["memory"]) == {"start", "middle", "end"}
    assert all(size > 1e6 for size in figures["memory"].values())


def test_drafts_are_counted_from_the_servers_own_metrics(
    settings: Settings, database: Database, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "0123456789abcdef-of-a-test"
    app = create_app(settings.model_copy(update={"metrics_token": token}), database=database, serving=serving)
    with served(app) as url:
        monkeypatch.setattr(app.extensions["frontdesk"].crowd, "too_many", lambda: True)
        figures = measure(url, ["refund?"], rate=20, seconds=0.2, streams=2, metrics_token=token)
        assert figures["drafts"] == {"written": 0, "left_out": 4, "left_out_share": 100.0}
        assert drafts_counted(url, "wrong") is None
    assert (
        drafts_since({"written": 1, "left_out": 1}, {"written": 4, "left_out": 2})["left_out_share"] == 25.0
    )


def test_what_the_server_has_lost_or_doubled_is_found(url: str, database: Database) -> None:
    async def tamper() -> load.Outcome:
        streams = await load._open(url, 1, "visitors", lambda stage, share: None)
        free: asyncio.Queue[load.Stream] = asyncio.Queue()
        free.put_nowait(streams[0])
        for name in "abc":
            await load._say(free, name, load.Sent(name, 0.0), asyncio.get_running_loop().time() + 60, streams)
        with database.write() as session:
            turns = session.scalars(select(Turn).order_by(Turn.id)).all()
            first_answer, second = turns[1], turns[2]
            session.add(
                Turn(
                    conversation_id=second.conversation_id,
                    role="bot",
                    text="again",
                    reply_to_id=first_answer.reply_to_id,
                )
            )
            session.execute(delete(Turn).where(Turn.reply_to_id == second.id))
            session.delete(second)
            turns[0].client_message_id, turns[4].client_message_id = None, "a"
            session.flush()
            turns[0].client_message_id = "c"
        outcome = await load._audit(streams, streams[0].sent, 1.0, lambda stage, share: None)
        await streams[0].connection.close()
        return outcome

    outcome = asyncio.run(tamper())
    assert (outcome.lost, outcome.duplicated, outcome.out_of_order) == (1, 1, 2)


def test_a_server_that_refuses_is_named_with_the_remedy(url: str, database: Database) -> None:
    from chatbot.records.tables import Site

    with database.write() as session:
        session.add(Site(key="second", name="Second"))
        session.scalars(select(Site).where(Site.key == "default")).one().key = "third"
    with pytest.raises(UnavailableError, match="HTTP 422"):
        measure(url, ["x"], rate=1, seconds=1, streams=1)


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([number / 1000 for number in range(1, 101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None}


def test_the_questions_alternate_between_the_languages() -> None:
    texts = questions()
    assert len(texts) >= 200
    assert not any("\u4e00" <= ch <= "\u9fff" for ch in texts[0])
    assert any("\u4e00" <= ch <= "\u9fff" for ch in texts[1])


def test_a_process_uses_memory_and_one_that_is_gone_nothing() -> None:
    mine = usage(os.getpid())
    assert mine is not None
    assert mine.rss_bytes > 1_000_000
    assert usage(2**22 + 1) is None


def test_the_command_writes_its_figures(url: str, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    options = ["--url", url, "--rate", "20", "--seconds", "1", "--streams", "2", "--json", str(out)]
    result = CliRunner().invoke(command, options)
    assert result.exit_code == 0, result.output
    assert "first byte" in result.output
    assert {"sent", "answered", "errors", "lost", "duplicated", "out_of_order", "first_byte", "total"} <= set(
        json.loads(out.read_text())
    )


def test_a_visitor_who_is_passed_on_to_a_person_makes_way_for_another(url: str, database: Database) -> None:
    figures = measure(url, ["a person please", "refund?"], rate=20, seconds=0.4, streams=1)
    assert (figures["sent"], figures["answered"], figures["errors"]) == (8, 8, 0)
    with database.read() as session:
        assert session.scalar(select(func.count(Conversation.id))) == 5
