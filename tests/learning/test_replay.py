"""What the last customers asked is put to both releases, as it was asked then, and only what differs is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import ActionTrace, Classification, Message, PartTrace, Reply, ReplyPart, Trace
from chatbot.errors import ConflictError, NotFoundError
from chatbot.learning.releases import go_live
from chatbot.learning.replay import forget_replays, replay, replay_turn, stored_replay
from chatbot.records.conversations import (
    ensure_default_site,
    receive_message,
    start_conversation,
    store_reply,
)
from chatbot.records.database import Database
from chatbot.records.tables import Release
from chatbot.settings import Settings


class Says:
    """Answers "refund" by what it was given, anything else alike in every release; remembers what it was asked."""

    def __init__(self, release_id: str) -> None:
        self.release_id = release_id
        self.asked: list[tuple[str, int, str, int]] = []

    def reply(
        self,
        text: str,
        *,
        history: Sequence[Message],
        locale: str,
        options: SiteOptions,
        failures: int = 0,
    ) -> tuple[Reply, Trace]:
        self.asked.append((text, len(history), locale, failures))
        told = f"{self.release_id}: 3 days" if "refund" in text else "I'm not sure."
        part = ReplyPart(told, "passage" if "refund" in text else "unknown", 0.9)
        trace = PartTrace(text, locale, Classification((), 1.0), (), None, part.kind, "sure", "test")
        return Reply((part,)), Trace(self.release_id, options.mode, {}, (trace,))


@pytest.fixture
def conversations(database: Database, settings: Settings) -> Database:
    """Three conversations of two messages each, and one in which the bot said nothing; r1 is live."""
    old = Says("r0")
    with database.write() as session:
        session.add_all([Release(id="r1", snapshot="s"), Release(id="r2", snapshot="s")])
        session.flush()
        go_live(session, settings, "r1", reason="test")
        site = ensure_default_site(session)
        for number in range(3):
            row = start_conversation(session, site_id=site.id, token_hash="x", locale="en")
            for text in ("xyzzy", f"my refund? I am jane{number}@example.com"):
                turn = receive_message(
                    session, row.public_id, text=text, lang="en", client_message_id=None
                ).turn
                reply, trace = old.reply(text, history=(), locale="en", options=SiteOptions())
                store_reply(session, row.public_id, to=turn.id, reply=reply, trace=trace, lang="en")
        silent = start_conversation(session, site_id=site.id, token_hash="x", locale="en")
        receive_message(session, silent.public_id, text="refund", lang="en", client_message_id=None)
    return database


def test_every_answer_that_would_change_is_listed_with_both_decisions(
    conversations: Database, settings: Settings
) -> None:
    loaded: dict[str, Says] = {}

    def load(database: Database, settings: Settings, release_id: str) -> Any:
        return loaded.setdefault(release_id, Says(release_id))

    found = replay(conversations, settings, "r2", load=load)
    assert (found.conversations, found.messages, found.changed) == (3, 6, 3)
    assert found.kinds == {"passage → passage": 3}
    change = found.changes[0]
    assert (change.before["text"], change.after["text"]) == ("r1: 3 days", "r2: 3 days")
    assert change.trace_before["release"] == "r1"
    assert change.trace_after["parts"][0]["rule"] == "sure"
    assert "@example.com" not in str(found.as_json())  # redacted in the question and in both traces
    assert "[EMAIL]" in change.asked
    assert loaded["r1"].asked == loaded["r2"].asked
    assert loaded["r2"].asked[1][1:] == (2, "en", 1)  # what was said before, and the failure before it

    stored = stored_replay(settings, "r2")
    assert stored is not None
    assert stored["changes"][0]["after"]["text"] == "r2: 3 days"
    assert replay(conversations, settings, "r2", load=load, last=1).messages == 2
    assert forget_replays(settings) == 1
    assert stored_replay(settings, "r2") is None


@pytest.mark.parametrize(
    ("rule", "kind", "action"),
    [
        ("action_ask", "ask", ActionTrace("order_status", "asking", asked="order")),
        ("action", "approved", ActionTrace("order_status", "done", filled=("order",), outcome="done")),
        ("action_dropped", "ask", ActionTrace("order_status", "dropped")),
        ("sure", "passage", ActionTrace("order_status", "paused", asked="order", paused=1)),
    ],
)
def test_what_an_action_said_is_left_out_and_counted(
    conversations: Database, settings: Settings, rule: str, kind: Any, action: ActionTrace
) -> None:
    with conversations.write() as session:
        site = ensure_default_site(session)
        row = start_conversation(session, site_id=site.id, token_hash="x", locale="en")
        turns: list[int] = []
        for text in ("the refund of my order?", "my refund?"):
            turn = receive_message(session, row.public_id, text=text, lang="en", client_message_id=None).turn
            reply, trace = Says("r1").reply(text, history=(), locale="en", options=SiteOptions())
            if not turns:  # the first is answered by the action, which no release is when it is asked again
                reply = Reply((replace(reply.parts[0], text="Which order?", kind=kind),))
                part = replace(trace.parts[0], rule=rule, kind=kind, action=action)
                trace = replace(trace, parts=(part,))
            store_reply(session, row.public_id, to=turn.id, reply=reply, trace=trace, lang="en")
            turns.append(turn.id)

    def load(database: Database, settings: Settings, release_id: str) -> Any:
        return Says(release_id)

    by_action = replay_turn(conversations, settings, turns[0], "r1", load=load)
    assert (by_action.changed, by_action.left_out) == (False, True)
    assert (by_action.before["text"], by_action.after["text"]) == ("Which order?", "r1: 3 days")
    plain = replay_turn(conversations, settings, turns[1], "r1", load=load)
    assert (plain.changed, plain.left_out) == (False, False)
    other = replay_turn(conversations, settings, turns[1], "r2", load=load)
    assert (other.changed, other.left_out) == (True, False)

    whole = replay(conversations, settings, "r2", load=load)
    assert (whole.conversations, whole.messages, whole.left_out, whole.changed) == (4, 7, 1, 4)
    assert turns[0] not in [change.turn_id for change in whole.changes]
    assert whole.summary()["left_out"] == 1
    same = replay(conversations, settings, "r2", load=lambda *_: Says("r1"))
    assert (same.changed, same.left_out) == (0, 1)


def test_a_release_is_not_held_against_itself(conversations: Database, settings: Settings) -> None:
    with pytest.raises(ConflictError):
        replay(conversations, settings, "r1")
    with pytest.raises(NotFoundError):
        replay(conversations, settings, "r9")


def test_an_answer_that_only_grew_surer_has_not_changed() -> None:
    from chatbot.learning.replay import same

    reply, _ = Says("r1").reply("refund", history=(), locale="en", options=SiteOptions())
    surer = replace(reply, parts=(replace(reply.parts[0], confidence=0.99),))
    assert same(reply, surer)
    assert not same(reply, replace(reply, parts=(replace(reply.parts[0], text="other"),)))
