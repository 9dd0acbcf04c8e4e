"""Proposed intents and the review queue in the terminal: the same decisions as on the pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from chatbot.dialogue.trace import (
    Classification,
    IntentGuess,
    PartTrace,
    Reply,
    ReplyPart,
    Trace,
)
from chatbot.learning import canaries, proposing
from chatbot.learning.canaries import Difference, Side, Trial
from chatbot.records import audit, conversations, people, proposals
from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import (
    Answer,
    Article,
    Example,
    Intent,
    Job,
    Proposal,
    ProposalMember,
    Release,
    Turn,
)
from web import cli

TEXTS = {
    "where is my parcel": "Your parcel comes tomorrow.",
    "where is the parcel now": "Your parcel comes tomorrow.",
    "parcel where is it": "It comes tomorrow.",
    "when does my parcel come": "Your parcel comes tomorrow.",
    "the parcel is late, where is it": "Your parcel comes tomorrow.",
    "please cancel my subscription": "It is cancelled.",
    "cancel the subscription please": "It is cancelled.",
    "how do i cancel my subscription": "It is cancelled.",
    "i want to cancel my subscription": "It is cancelled.",
    "subscription cancel now": "It is cancelled.",
}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path))
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", f"sqlite:///{tmp_path}/frontdesk.db")
    upgrade(database)
    with database.write() as session:
        people.create_person(
            session, email="eva@shop.example", name="Eva", password="a long enough one", role="editor"
        )
    return database


def frontdesk(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def said(*words: object) -> str:
    result = frontdesk(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def messages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposing, "encoders_of", lambda database, settings: lambda lang: None)
    with database.write() as session:
        for number, (text, answer) in enumerate(TEXTS.items()):
            session.add(
                Example(
                    text=text, lang="en", source="transcript", answer=answer, context=[],
                    content_hash=str(number), group_key=str(number),
                )
            )  # fmt: skip


@pytest.fixture
def gifts(database: Database) -> list[int]:
    """Two proposals of three messages each."""
    with database.write() as session:
        rows = [
            Example(
                text=f"gift card {n}", lang="en", source="transcript", content_hash=str(n), group_key=str(n)
            )
            for n in range(6)
        ]
        session.add_all(rows)
        session.flush()
        return [
            proposals.add_proposal(
                session,
                proposals.NewProposal(
                    name=f"p{at}",
                    terms=("gift",),
                    members={row.id: 1.0 for row in rows[at::2]},
                    drafts={"en": "At every till. " * 9},
                    article_slug="gift-cards",
                ),
            ).id
            for at in (0, 1)
        ]


def ask(database: Database, text: str, *, agent: str = "") -> int:
    """A question that the bot could not answer; the id of the customer's turn."""
    with database.write() as session:
        site = conversations.ensure_default_site(session)
        talk = conversations.start_conversation(session, site_id=site.id, token_hash="x" * 64, locale="en")
        turn = Turn(conversation_id=talk.id, role="customer", text=text, lang="en")
        session.add(turn)
        session.flush()
        guessed = Classification((IntentGuess("parcel", 0.4),), 0.9)
        parts = (PartTrace(text, "en", guessed, (), None, "unknown", "t", "t"),)
        conversations.store_reply(
            session,
            talk.public_id,
            to=turn.id,
            reply=Reply((ReplyPart("…", "unknown", 0.1),)),
            trace=Trace("r", "approved_and_cited", {}, parts),
            lang="en",
        )
        if agent:
            session.add(Turn(conversation_id=talk.id, role="agent", text=agent))
        return turn.id


def test_intents_are_found_and_a_second_run_finds_no_more(database: Database, messages: None) -> None:
    told = json.loads(said("discover", "--json"))
    assert told["found"]["read"] == len(TEXTS)
    assert told["found"]["proposed"] == len(told["proposals"]) > 0
    assert sum(one["count"] for one in told["proposals"]) == told["found"]["messages"]
    again = said("discover")
    assert "proposed                             0" in again
    assert told["proposals"][0]["name"] in again


def test_the_list_shows_what_one_decides_by(gifts: list[int]) -> None:
    listed = " ".join(said("discover", "list").split())
    for part in ("p0", "en", "3", "gift", "gift-cards", "At every till."):
        assert part in listed
    shown = said("discover", "show", gifts[1])
    assert "gift card 5" in shown and "gift card 4" not in shown


def test_a_worker_that_looks_already_is_not_disturbed(database: Database) -> None:
    with database.write() as session:
        session.add(Job(kind="discover", state="running"))
    result = frontdesk("discover")
    assert result.exit_code == 2
    assert "job 1" in result.stderr and "frontdesk jobs show 1" in result.stderr


def test_proposals_are_decided_by_command_and_it_is_known_by_whom(
    database: Database, gifts: list[int]
) -> None:
    by = ("--by", "eva@shop.example")
    said("discover", "merge", *gifts, *by)
    with database.read() as session:
        first = session.scalars(select(Example.id).order_by(Example.id)).first()
        made_before = set(session.scalars(select(Proposal.id)))
    said("discover", "split", gifts[0], "--example", first, *by)
    with database.read() as session:
        (made,) = set(session.scalars(select(Proposal.id))) - made_before
        assert list(
            session.scalars(select(ProposalMember.example_id).where(ProposalMember.proposal_id == made))
        ) == [first]
    said("discover", "reject", made, *by)
    assert "gift_cards" in said("discover", "rename", gifts[0], "gift cards", *by)
    said("discover", "accept", gifts[0], *by)
    with database.read() as session:
        lines = {line.action: line.who for line in audit.entries(session, action="proposal")}
        assert set(lines) == {f"proposal.{what}" for what in ("merge", "split", "reject", "rename", "accept")}
        assert set(lines.values()) == {"Eva"}
        assert session.scalars(select(Intent.name)).all() == ["gift_cards"]
        labelled = session.scalars(select(Example).where(Example.status == "accepted")).all()
        assert len(labelled) == 5 and all(one.labelled_by_id for one in labelled)
    said("discover", "reopen", gifts[0])
    assert json.loads(said("discover", "list", "--json"))["proposals"][0]["count"] == 5


def test_the_review_queue_is_listed_with_what_each_answer_would_cover(database: Database) -> None:
    assert "Nothing waits" in said("review")
    turns = [ask(database, text) for text in ("do you sell gift cards", "do you sell gift cards?")]
    last = ask(database, "is the shop open")
    told = json.loads(said("review", "--json"))
    assert [(one["id"], one["count"]) for one in told["groups"]] == [(turns[0], 2), (last, 1)]
    listed = said("review", "--limit", 1)
    assert "66.7%" in listed and "--limit 2" in listed


def test_questions_are_decided_by_command_with_who_and_why(database: Database) -> None:
    same = [ask(database, text) for text in ("do you sell gift cards", "do you sell gift cards?")]
    norway = ask(database, "do you ship to Norway", agent="Yes, within five days.")
    rent, rude = ask(database, "can I rent a machine", agent="For 20 euros a day."), ask(database, "pfui")
    who = ("--by", "eva@shop.example")
    undo = said("review", "label", same[1], "gift_cards", *who, "--reason", "asked a lot")
    said("review", "answer", norway, "norway", *who)
    said("review", "article", rent)
    said("review", "ignore", rude)
    assert "Nothing waits" in said("review")
    with database.read() as session:
        rows = {row.turn_id: row for row in session.scalars(select(Example))}
        assert {rows[one].label_reason for one in same} == {"review queue: asked a lot"}
        assert all(rows[one].labelled_by_id for one in (*same, norway)) and not rows[rude].labelled_by_id
        assert rows[rude].status == "ignored"
        assert session.scalars(select(Answer.text)).all() == ["Yes, within five days."]
        article = session.scalars(select(Article)).one()
        assert (article.title, article.status) == ("can I rent a machine", "draft")
    command = undo.split("frontdesk ")[1].split()
    said(*command)
    assert json.loads(said("review", "--json"))["groups"][0]["turn_ids"] == same


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("discover", "accept", 77), "77"),
        (("discover", "merge", 1), "at least two"),
        (("discover", "rename", 1, " "), "refund_status"),
        (("discover", "reject", 1, "--by", "nobody@shop.example"), "frontdesk user add nobody@shop.example"),
        (("discover", "split", 1, "--example", 999), "Try again"),
        (("review", "ignore", 99), "frontdesk review lists them"),
        (("review", "answer", "TURN", "norway"), "Write what the bot should say"),
        (("review", "undo", 99), "99"),
    ],
)
def test_what_cannot_be_decided_is_one_line_with_the_remedy_and_changes_nothing(
    database: Database, gifts: list[int], words: tuple[object, ...], says: str
) -> None:
    turn = ask(database, "do you ship to Norway")
    result = frontdesk(*(turn if word == "TURN" else word for word in words))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ") and says in result.stderr
    assert len(json.loads(said("discover", "list", "--json"))["proposals"]) == 2
    assert len(json.loads(said("review", "--json"))["groups"]) == 1


def test_an_accepted_proposal_is_not_decided_twice(gifts: list[int]) -> None:
    said("discover", "accept", gifts[0], "--name", "gift_cards")
    result = frontdesk("discover", "accept", gifts[0])
    assert result.exit_code == 2 and "accepted" in result.stderr


def test_a_trial_s_differences_are_read_as_points(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    difference = Difference("answered", 0.7, 0.6, -0.05, 0.25)
    begun = datetime(2026, 11, 30, tzinfo=UTC)
    trial = Trial("r2", "r1", 0.1, begun, None, Side("r2"), Side("r1"), 0, (difference,))
    monkeypatch.setattr(canaries, "trial_of", lambda *_: trial)
    told = said("releases", "trial", "r2")
    assert "+10.0 points, 95 % between -5.0 and +25.0" in told and "too early" in told


def test_the_list_of_releases_marks_those_trained_on_words_of_erased_people(database: Database) -> None:
    with database.write() as session:
        session.add_all([Release(id="r1", snapshot="s", erased_people=2), Release(id="r2", snapshot="s")])
    listed = said("releases", "list")
    assert "r1 was trained on words of 2 people erased since." in listed and "r2 was" not in listed


@pytest.mark.parametrize("option", ["--questions", "--conversations", "--adversarial"])
def test_a_file_that_is_not_there_is_told_before_anything_is_measured(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path))
    upgraded = CliRunner().invoke(cli.main, ["db", "upgrade"])
    assert upgraded.exit_code == 0, upgraded.output
    result = CliRunner().invoke(cli.main, ["evaluate", option, str(tmp_path / "gone.jsonl")])
    assert result.exit_code == 2 and "There is no such file" in result.output
    assert "No release" not in result.output
