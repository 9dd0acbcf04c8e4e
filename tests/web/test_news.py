"""Streams that wait for news: woken by what is committed, here and in other processes, and by nothing else."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chatbot.errors import InputError
from chatbot.records.conversations import ensure_default_site, hand_over, start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Turn
from web import news as news_module
from web.news import News, Watch

REDIS = os.environ.get("FRONTDESK_TEST_REDIS_URL")
LONG = 60.0  # seconds that a wait would last if nothing woke it; tests give up long before


class Channel:
    """Redis as far as it is needed: what is published reaches every channel that is open."""

    def __init__(self) -> None:
        self.open: list[queue.Queue[dict[str, Any]]] = []
        self.away = False
        self.tries = 0

    def connect(self, url: str) -> Channel:
        self.tries += 1
        if self.away:
            raise ConnectionError("connection refused")
        return self

    def publish(self, name: str, data: str) -> None:
        if self.away:
            raise ConnectionError("connection lost")
        for heard in self.open:
            heard.put({"type": "message", "data": data.encode()})

    @contextmanager
    def pubsub(self, **_: Any) -> Iterator[Any]:
        heard: queue.Queue[dict[str, Any]] = queue.Queue()
        outer = self

        class Subscription:
            def subscribe(self, name: str) -> None:
                outer.open.append(heard)

            def get_message(self, timeout: float) -> dict[str, Any] | None:
                try:
                    return heard.get(timeout=0.05)
                except queue.Empty:
                    return None

            def ping(self) -> None:
                if outer.away:
                    raise ConnectionError("connection lost")

        yield Subscription()


@pytest.fixture
def conversation(database: Database) -> Conversation:
    with database.write() as session:
        site = ensure_default_site(session)
        begun = start_conversation(session, site_id=site.id, token_hash="x", locale="en")
        hand_over(session, begun.public_id, reason="visitor_asked")
    return begun


def waiting(watch: Watch) -> threading.Thread:
    thread = threading.Thread(target=watch.wait, args=(LONG,), daemon=True)
    thread.start()
    return thread


def say(database: Database, conversation_id: int) -> None:
    with database.write() as session:
        session.add(Turn(conversation_id=conversation_id, role="agent", text="Here I am."))


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        time.sleep(0.01)
    pytest.fail("it never became so")


def woken(thread: threading.Thread) -> bool:
    thread.join(10.0)
    return not thread.is_alive()


def test_who_watches_a_conversation_is_woken_when_a_turn_of_it_is_committed(
    database: Database, conversation: Conversation
) -> None:
    news = News()
    news.attend(database)
    own, everybodys, others = news.watch(conversation.id), news.watch(), news.watch(conversation.id + 1)
    threads = [waiting(watch) for watch in (own, everybodys, others)]
    say(database, conversation.id)
    assert woken(threads[0]) and woken(threads[1])
    assert threads[2].is_alive()
    others.hear()


def test_news_between_two_waits_are_not_missed(database: Database, conversation: Conversation) -> None:
    news = News()
    news.attend(database)
    watch = news.watch(conversation.id)
    say(database, conversation.id)
    assert woken(waiting(watch))


def test_what_is_rolled_back_or_is_between_visitor_and_bot_wakes_nobody(
    database: Database, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = News()
    news.attend(database)
    heard: list[int | None] = []
    monkeypatch.setattr(news, "_hear", heard.append)
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(Turn(conversation_id=conversation.id, role="agent", text="No."))
        session.flush()
        raise RuntimeError
    with database.write() as session:
        talk = start_conversation(session, site_id=conversation.site_id, token_hash="y", locale="en")
        session.add(Turn(conversation_id=talk.id, role="customer", text="Hello"))
    assert heard == []
    with database.write() as session:
        hand_over(session, talk.public_id, reason="visitor_asked")
    assert heard == [talk.id]


def test_another_process_hears_of_it_and_looks_less_often_meanwhile(
    database: Database, conversation: Conversation
) -> None:
    redis = Channel()
    writes, listens = (News("redis://stand-in", connect=redis.connect) for _ in range(2))
    writes.attend(database)
    watch = listens.watch(conversation.id)
    until(lambda: listens.told_by_all)
    thread = waiting(watch)
    say(database, conversation.id)
    assert woken(thread)


def test_while_redis_is_away_messages_are_stored_and_streams_look_by_themselves(
    database: Database, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_module, "AGAIN_AFTER", 0.05)
    redis = Channel()
    news = News("redis://stand-in", connect=redis.connect)
    news.attend(database)
    watch = news.watch(conversation.id)
    until(lambda: news.told_by_all)
    redis.away = True
    until(lambda: not news.told_by_all)
    say(database, conversation.id)
    tries = redis.tries
    until(lambda: redis.tries > tries)  # it is tried again …
    watch.wait(0.01)  # … and meanwhile nobody sleeps longer than asked
    redis.away = False
    until(lambda: news.told_by_all)


def test_a_redis_that_does_not_answer_is_left_alone_for_a_while(
    database: Database, conversation: Conversation
) -> None:
    redis = Channel()
    redis.away = True
    news = News("redis://stand-in", connect=redis.connect)
    news.attend(database)
    for _ in range(3):
        say(database, conversation.id)
    assert redis.tries == 1


def test_an_address_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(InputError) as raised:
        News("localhost:6379")
    assert (raised.value.field, raised.value.value) == ("FRONTDESK_LIVE_URL", "localhost:6379")


@pytest.mark.skipif(not REDIS, reason="FRONTDESK_TEST_REDIS_URL is not set")
def test_redis_itself_carries_news(database: Database, conversation: Conversation) -> None:
    writes, listens = News(str(REDIS)), News(str(REDIS))
    writes.attend(database)
    watch = listens.watch(conversation.id)
    until(lambda: listens.told_by_all)
    thread = waiting(watch)
    say(database, conversation.id)
    assert woken(thread)
