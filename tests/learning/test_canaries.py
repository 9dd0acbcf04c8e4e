"""A release on trial: who answers what follows from the ids, and what came of it is counted by side."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.learning import canaries
from chatbot.learning.canaries import assigned, open_canary, start_canary, stop_canary, trial_of, wilson
from chatbot.learning.releases import go_live
from chatbot.records.conversations import ensure_default_site, start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import Feedback, Release, Turn, utcnow
from chatbot.settings import Settings


@pytest.fixture
def two(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """r1 is live, r2 beside it; their files are taken to be whole."""
    monkeypatch.setattr(canaries, "verify", lambda folder: None)
    with database.write() as session:
        session.add_all([Release(id="r1", snapshot="s"), Release(id="r2", snapshot="s")])
        session.flush()
        go_live(session, settings, "r1", reason="test")
    return database


def test_the_share_is_exact_and_a_conversation_never_changes_sides() -> None:
    ids = [f"conversation-{number}" for number in range(20_000)]
    chosen = {public_id for public_id in ids if assigned("r2", public_id, 0.1)}
    assert 0.09 < len(chosen) / len(ids) < 0.11
    assert chosen == {public_id for public_id in ids if assigned("r2", public_id, 0.1)}
    assert chosen < {
        public_id for public_id in ids if assigned("r2", public_id, 0.2)
    }  # a larger share only adds
    other = {public_id for public_id in ids if assigned("r3", public_id, 0.1)}
    assert len(chosen & other) < 0.02 * len(ids)  # the next trial draws anew


def test_what_came_of_both_sides_is_counted_and_mixed_conversations_are_left_out(
    two: Database, settings: Settings
) -> None:
    start_canary(two, settings, "r2", share=0.5)
    with two.write() as session:
        site = ensure_default_site(session)
        for number in range(40):
            row = start_conversation(session, site_id=site.id, token_hash="x", locale="en")
            release = "r2" if number % 2 else "r1"
            kind = "unknown" if number in (1, 3, 5, 2) else "passage"
            for told in (release, "r1" if number == 39 else release):
                turn = Turn(conversation_id=row.id, role="bot", text="…", kind=kind, release_id=told)
                session.add(turn)
            session.flush()
            if number == 7:
                row.handover_at = utcnow()
            if number in (9, 11):
                session.add(Feedback(turn_id=turn.id, vote="down"))
            if number == 0:
                row.csat = 5
        old = start_conversation(
            session, site_id=site.id, token_hash="x", locale="en", now=utcnow() - timedelta(days=1)
        )
        session.add(Turn(conversation_id=old.id, role="bot", text="…", kind="passage", release_id="r1"))
    trial = trial_of(two, "r2")
    assert trial is not None
    assert (trial.candidate.conversations, trial.live.conversations, trial.mixed) == (19, 20, 1)
    assert trial.candidate.answered == 2 * 16
    assert (trial.candidate.handed_over, trial.candidate.voted_down, trial.live.csat) == (1, 2, 5.0)
    answered = trial.differences[0]
    assert answered.low < answered.candidate - answered.live < answered.high
    assert not trial.enough
    assert trial.as_json()["mixed"] == 1


def test_only_one_release_is_tried_at_a_time_and_a_promotion_ends_the_trial(
    two: Database, settings: Settings
) -> None:
    with pytest.raises(InputError):
        start_canary(two, settings, "r2", share=0.9)
    with pytest.raises(NotFoundError):
        start_canary(two, settings, "r9", share=0.1)
    with pytest.raises(ConflictError):
        start_canary(two, settings, "r1", share=0.1)
    start_canary(two, settings, "r2", share=0.1)
    with pytest.raises(ConflictError):
        start_canary(two, settings, "r2", share=0.2)
    assert stop_canary(two) == "r2"
    with pytest.raises(ConflictError):
        stop_canary(two)
    start_canary(two, settings, "r2", share=0.2)
    with two.write() as session:
        go_live(session, settings, "r2", reason="test")
    with two.read() as session:
        assert open_canary(session) is None
    trial = trial_of(two, "r2")
    assert trial is not None
    assert trial.ended_at is not None


def test_wilson_s_interval_is_the_textbook_s() -> None:
    low, high = wilson(1, 10)  # Newcombe 1998, table I, method 3: 0.0179 to 0.4042
    assert (round(low, 4), round(high, 4)) == (0.0179, 0.4042)


def test_damaged_files_are_not_tried(
    two: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatbot.errors import BundleError
    from chatbot.learning.bundles import verify

    monkeypatch.setattr(canaries, "verify", verify)
    Path(settings.releases / "r2").mkdir(parents=True)
    with pytest.raises(BundleError):
        start_canary(two, settings, "r2", share=0.1)
