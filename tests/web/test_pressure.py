"""Too many messages at once: drafts are left out before anybody is refused, and come back after a while of calm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records.database import Database
from chatbot.records.tables import Turn
from chatbot.waiting_line import aside
from web import pressure
from web.metrics import DRAFTS
from web.pressure import AT_ONCE, CALM_SECONDS, TOO_MANY, Crowd


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crowd(clock: Clock) -> Crowd:
    return Crowd(clock=clock)


def answer(crowd: Crowd, at_once: int) -> bool:
    """Whether the last of so many messages was too many."""
    with ExitStack() as held:
        for _ in range(at_once):
            held.enter_context(crowd.joined())
        return crowd.too_many()


def test_fewer_at_once_are_never_too_many_however_often(crowd: Crowd) -> None:
    assert not any(answer(crowd, TOO_MANY - 1) for _ in range(100))
    assert not crowd.too_many()


def test_once_too_many_drafts_stay_away_until_it_was_calm_for_long_enough(crowd: Crowd, clock: Clock) -> None:
    assert answer(crowd, TOO_MANY)
    assert answer(crowd, 1)  # the crowd has gone; with drafts it would be back at once
    clock.now += CALM_SECONDS - 1
    assert answer(crowd, TOO_MANY)
    clock.now += CALM_SECONDS - 1
    assert answer(crowd, TOO_MANY - 1)  # counted from the last time
    clock.now += 1
    assert not answer(crowd, TOO_MANY - 1)


def test_a_crowd_that_stays_is_too_many_beyond_that_time(crowd: Crowd, clock: Clock) -> None:
    with ExitStack() as held:
        for _ in range(TOO_MANY):
            held.enter_context(crowd.joined())
        clock.now += 2 * CALM_SECONDS
        assert crowd.too_many()
    assert not crowd.too_many()


def test_a_message_that_fails_leaves_the_crowd(crowd: Crowd) -> None:
    for _ in range(TOO_MANY):
        with pytest.raises(RuntimeError), crowd.joined():
            raise RuntimeError
    assert not crowd.too_many()


def test_long_waiting_for_a_thread_is_a_crowd_before_it_is_a_refusal(crowd: Crowd) -> None:
    assert pressure.LONG_WAITED < pressure.MOST_WAITING
    pressure.note_waited(pressure.LONG_WAITED + 0.01)
    try:
        assert answer(crowd, 1)
    finally:
        pressure.note_waited(0)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_models_run_for_a_few_at_a_time_in_the_order_in_which_they_came(crowd: Crowd) -> None:
    order: list[int] = []
    may_end = [threading.Event() for _ in range(6)]

    def compute(number: int) -> None:
        with crowd.joined(), crowd.in_turn():
            order.append(number)
            may_end[number].wait(20)

    threads = [threading.Thread(target=compute, args=(number,)) for number in range(6)]
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(crowd.in_turn())
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda waiting=number + 1: len(crowd._line) == waiting)  # type: ignore[misc]
        assert order == []
    until(lambda: len(order) == AT_ONCE)
    assert sorted(order) == list(range(AT_ONCE))  # the first ones, both at once
    for number in range(6 - AT_ONCE):
        assert len(order) == AT_ONCE + number  # nobody before one has ended
        may_end[number].set()
        until(lambda inside=AT_ONCE + number + 1: len(order) == inside)  # type: ignore[misc]
        assert order[-1] == AT_ONCE + number  # and then who has waited longest
    for event in may_end:
        event.set()
    for thread in threads:
        thread.join()


def test_who_waits_for_another_machine_makes_room_and_is_no_crowd(crowd: Crowd) -> None:
    with ExitStack() as held:
        for _ in range(TOO_MANY - 1):
            held.enter_context(crowd.joined())
        with crowd.joined(), crowd.in_turn(), ExitStack() as others:
            with aside():
                for _ in range(AT_ONCE):
                    others.enter_context(crowd.in_turn())
                assert crowd._answering == TOO_MANY - 1
                others.close()
            assert crowd._answering == TOO_MANY
    with aside():  # outside of an answer there is no room to make
        pass


def test_of_messages_at_once_the_last_gets_no_draft_and_is_counted(
    app: Flask, assistant: Any, database: Database
) -> None:
    crowd = app.extensions["frontdesk"].crowd

    def wait_for_all(text: str) -> None:
        until = time.monotonic() + 20
        while not crowd.too_many() and time.monotonic() < until:
            time.sleep(0.005)

    assistant.before_reply = wait_for_all

    def say() -> None:
        client = app.test_client()
        started = client.post("/api/v1/conversations", json={}).get_json()
        client.post(
            f"/api/v1/conversations/{started['id']}/messages",
            json={"text": "When is my refund due?"},
            headers={"Authorization": f"Bearer {started['token']}"},
        )

    before = DRAFTS.labels("left_out")._value.get()
    threads = [threading.Thread(target=say) for _ in range(TOO_MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        traces = session.scalars(select(Turn.trace).where(Turn.role == "bot")).all()
    assert [trace["parts"][0]["left_out"] for trace in traces if trace] == [True] * TOO_MANY
    assert DRAFTS.labels("left_out")._value.get() - before == TOO_MANY


def test_a_single_message_is_answered_as_ever(client: FlaskClient, app: Flask, database: Database) -> None:
    started = client.post("/api/v1/conversations", json={}).get_json()
    bearer = {"Authorization": f"Bearer {started['token']}"}
    for _ in range(2 * TOO_MANY):
        client.post(
            f"/api/v1/conversations/{started['id']}/messages", json={"text": "refund?"}, headers=bearer
        )
    with database.read() as session:
        traces = session.scalars(select(Turn.trace).where(Turn.role == "bot")).all()
    assert len(traces) == 2 * TOO_MANY
    assert not any(trace["parts"][0]["left_out"] for trace in traces if trace)


def test_pages_say_that_the_draft_was_left_out(app: Flask, database: Database, signed_in: Any) -> None:
    app.extensions["frontdesk"].crowd._calm_from = float("inf")
    client = app.test_client()
    started = client.post("/api/v1/conversations", json={}).get_json()
    bearer = {"Authorization": f"Bearer {started['token']}"}
    said = client.post(
        f"/api/v1/conversations/{started['id']}/messages", json={"text": "refund?"}, headers=bearer
    )
    admin = signed_in("admin")
    page = f"/admin/turns/{said.get_json()['turn_id']}"
    assert "The draft was left out: too many messages at once" in admin.get(page).text
    chinese = admin.get(page, headers={"Accept-Language": "zh"}).text
    assert "同时到来的消息太多，未生成草稿" in chinese
    client.post(f"/api/v1/conversations/{started['id']}/handover", json={}, headers=bearer)
    [line] = admin.get("/admin/inbox/snapshot").get_json()["queue"]["lines"]
    assert admin.get(f"/admin/inbox/conversations/{line['id']}/suggestion").get_json()["left_out"] is True
