"""Decisions about proposals taken back: all is as before, or nothing is touched and the reason is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError
from chatbot.learning.proposing import suggest
from chatbot.records import example_changes, proposals
from chatbot.records.answers import approve
from chatbot.records.database import Database
from chatbot.records.intents import put_intent
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.proposal_undo import decided_lately, read_ranges, take_back
from chatbot.records.proposals import NewProposal, id_ranges
from chatbot.records.tables import (
    Answer,
    AuditEntry,
    Example,
    Intent,
    Person,
    Proposal,
    ProposalMember,
    Release,
)

NOBODY = example_changes.Decider(None)


def put_examples(session: Session, word: str, number: int = 4, **values: Any) -> list[int]:
    rows = [
        Example(
            **{"text": f"{word} {at}", "lang": "en", "source": "transcript"}
            | {"content_hash": f"{word} {at}", "group_key": f"{word} {at}"}
            | values
        )
        for at in range(number)
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def propose(session: Session, word: str, number: int = 4, **values: Any) -> int:
    ids = put_examples(session, word, number)
    new = NewProposal(name=word, terms=(word,), members=dict.fromkeys(ids, 0.5), drafts={}, **values)
    return proposals.add_proposal(session, new).id


def state(database: Database) -> dict[str, Any]:
    """Everything that a decision about proposals could touch."""
    with database.read() as session:
        return {
            table.__tablename__: sorted(
                str({name: value for name, value in vars(row).items() if not name.startswith("_")})
                for row in session.scalars(select(table))
            )
            for table in (Proposal, ProposalMember, Example, Intent, Answer)
        }


@pytest.fixture
def person(records: Database) -> int:
    with records.write() as session:
        row = Person(email="mei@example.com", name="Mei", password_hash="x", role="editor")
        session.add(row)
        session.flush()
        return row.id


@pytest.fixture
def gift(records: Database, person: int) -> int:
    """A proposal with everything that there can be: drafts, an article, a message with a guess, one with a label."""
    with records.write() as session:
        put_article(session, ArticleDraft("gifts", "en", "Gifts", "text", (PassageDraft("Gifts", "text"),)))
        other, _ = put_intent(session, "refund")
        ids = put_examples(session, "gift", 5)
        ids += put_examples(session, "labelled", 1, status="accepted", intent_id=other.id, label_reason="tag")
        new = NewProposal(
            name="gift_1",
            terms=("gift",),
            members=dict.fromkeys(ids, 0.7),
            drafts={"en": " We sell them. ", "zh": "有。"},
            article_slug="gifts",
        )
        return proposals.add_proposal(session, new).id


def accept(database: Database, proposal: int, name: str, person: int | None = None) -> None:
    with database.write() as session:
        proposals.accept(session, proposal, name=name, person_id=person)


def back(database: Database, proposal: int, person: int | None = None) -> None:
    with database.write() as session:
        take_back(session, proposal, person_id=person)


def test_an_acceptance_that_made_an_intent_leaves_nothing_behind(
    records: Database, gift: int, person: int
) -> None:
    before = state(records)
    accept(records, gift, "gift cards", person)
    with records.read() as session:
        made = session.scalars(select(Intent).where(Intent.name == "gift_cards")).one()
        assert made.article_slug == "gifts"
        assert len(session.scalars(select(Answer).where(Answer.intent_id == made.id)).all()) == 2
    back(records, gift, person)
    assert state(records) == before
    with records.read() as session:
        told = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [one.action for one in told] == ["proposal.accept", "proposal.reopen"]
    assert told[1].detail == {"entry": told[0].id} and told[1].person_id == person
    assert "We sell" not in str(told[0].detail), "what may have to be erased stands in no audit entry"


def test_an_acceptance_into_an_intent_gives_it_back_as_it_was(records: Database, gift: int) -> None:
    with records.write() as session:
        known, _ = put_intent(session, "gift_cards", titles={"en": "Cards"})
        session.scalars(select(Example).where(Example.text == "gift 0")).one().intent_id = known.id
    before = state(records)
    accept(records, gift, "gift_cards")
    assert state(records) != before
    with records.write() as session:
        session.add(Release(id="r1", snapshot="s"))  # an intent that stays may be known to a release
    back(records, gift)
    assert state(records) == before


def test_what_was_joined_to_an_accepted_proposal_stays_in_it_without_its_guess(
    records: Database, gift: int
) -> None:
    accept(records, gift, "gift cards")
    with records.write() as session:
        (late,) = put_examples(session, "late", 1)
        proposals.add_members(session, gift, {late: 0.5})
        suggest(session, {late: 0.5}, session.scalar(select(Intent.id).where(Intent.name == "gift_cards")))
    back(records, gift)
    with records.read() as session:
        row = session.get_one(Example, late)
        assert (row.intent_id, row.label_reason, row.status) == (None, None, "unreviewed")
        assert session.get_one(ProposalMember, late).proposal_id == gift


def test_what_was_erased_since_stays_erased(records: Database, gift: int) -> None:
    accept(records, gift, "gift cards")
    with records.write() as session:
        session.execute(delete(Example).where(Example.text == "gift 1"))
    back(records, gift)
    with records.read() as session:
        left = session.scalars(select(Example.text).where(Example.text.like("gift%"))).all()
    assert sorted(left) == ["gift 0", "gift 2", "gift 3", "gift 4"]


def _relabelled(session: Session) -> None:
    example = session.scalars(select(Example.id).where(Example.text == "gift 2")).one()
    example_changes.relabel(session, [example], intent="refund", by=NOBODY)


def _taken_out(session: Session) -> None:
    example = session.scalars(select(Example.id).where(Example.text == "gift 2")).one()
    example_changes.take_out(session, [example], by=NOBODY)


def _another(session: Session) -> None:
    example_changes.add(session, "do you have vouchers", intent="gift_cards", by=NOBODY)


def _approved(session: Session) -> None:
    approve(session, session.scalars(select(Answer.id).where(Answer.lang == "en")).one(), person_id=None)


def _rewritten(session: Session) -> None:
    session.scalars(select(Answer).where(Answer.lang == "en")).one().text = "Never."


def _titled(session: Session) -> None:
    put_intent(session, "gift_cards", titles={"en": "All about cards"})


def _trained(session: Session) -> None:
    session.add(Release(id="r1", snapshot="s"))


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (_relabelled, "Messages of it were relabelled or taken out since"),
        (_taken_out, "Messages of it were relabelled or taken out since"),
        (_another, "The intent has other examples by now"),
        (_approved, "An answer of the intent was written or approved since"),
        (_rewritten, "An answer of the intent was written or approved since"),
        (_titled, "The intent was changed since"),
        (_trained, "A release has learned the intent since"),
    ],
)
def test_an_acceptance_that_was_built_on_stays_and_says_why(
    records: Database, gift: int, later: Callable[[Session], None], why: str
) -> None:
    accept(records, gift, "gift cards")
    with records.write() as session:
        later(session)
    before = state(records)
    with pytest.raises(ConflictError, match=why) as refused:
        back(records, gift)
    assert refused.value.value and refused.value.remedy
    assert state(records) == before


def test_a_change_that_was_taken_back_no_longer_stands_in_the_way(records: Database, gift: int) -> None:
    before = state(records)
    accept(records, gift, "gift cards")
    with records.write() as session:
        example = session.scalars(select(Example.id).where(Example.text == "gift 2")).one()
        change = example_changes.relabel(session, [example], intent="refund", by=NOBODY)
    with records.write() as session:
        assert change.entry is not None
        example_changes.undo(session, change.entry, by=NOBODY)
    back(records, gift)
    assert state(records) == before


@pytest.fixture
def three(records: Database) -> list[int]:
    """The first is the largest, and is kept when they are merged."""
    with records.write() as session:
        return [
            propose(session, "parcel", 5, evidence={"track": 2}),
            propose(session, "package", 3, evidence={"track": 1, "lost": 1}, article_slug="delivery"),
            propose(session, "box", 2),
        ]


def merge(database: Database, ids: list[int]) -> None:
    with database.write() as session:
        proposals.merge(session, ids, person_id=None)


def test_a_merge_gives_each_its_messages_and_the_kept_one_its_own_words(
    records: Database, three: list[int]
) -> None:
    with records.write() as session:
        for proposal, drafts in zip(three, ({"en": "a"}, {"en": "b", "zh": "c"}, {}), strict=True):
            session.get_one(Proposal, proposal).drafts = drafts
    before = state(records)
    merge(records, three)
    with records.read() as session:
        kept = session.get_one(Proposal, three[0])
        assert kept.drafts == {"en": "a", "zh": "c"} and kept.evidence == {"track": 3, "lost": 1}
        assert [one.into for one in decided_lately(session)] == ["parcel", "parcel"]
    back(records, three[2])  # by any of those that went into it
    assert state(records) == before


@pytest.mark.parametrize("terms", [["box"], ["parcel"]])
def test_merges_are_taken_back_the_last_one_first(
    records: Database, three: list[int], terms: list[str]
) -> None:
    with records.write() as session:
        session.get_one(
            Proposal, three[2]
        ).terms = terms  # the same ones leave no trace in the one that is kept
    merge(records, three[:2])
    between = state(records)
    merge(records, [three[0], three[2]])
    with pytest.raises(ConflictError, match="Another proposal was merged into it since"):
        back(records, three[1])
    back(records, three[2])
    assert state(records) == between
    back(records, three[1])
    with records.read() as session:
        assert set(session.scalars(select(Proposal.status))) == {"open"}


def test_messages_that_came_since_stay_with_the_one_that_was_kept(
    records: Database, three: list[int]
) -> None:
    merge(records, three[:2])
    with records.write() as session:
        (late,) = put_examples(session, "late", 1)
        proposals.add_members(session, three[0], {late: 0.5})
        proposals.rename(session, three[0], "tracking")
    back(records, three[1])
    with records.read() as session:
        assert session.get_one(ProposalMember, late).proposal_id == three[0]
        assert session.get_one(Proposal, three[0]).name == "tracking"
        assert proposals.read_proposal(session, three[1]).count == 3


@pytest.mark.parametrize("later", ["accepted", "rejected", "taken out"])
def test_a_merge_that_was_built_on_stays(records: Database, three: list[int], later: str) -> None:
    merge(records, three[:2])
    with records.write() as session:
        if later == "accepted":
            proposals.accept(session, three[0], name="tracking", person_id=None)
        elif later == "rejected":
            proposals.reject(session, three[0], person_id=None)
        else:
            moved = session.scalars(select(Example.id).where(Example.text == "package 0")).one()
            proposals.take_out(session, three[0], moved)
    before = state(records)
    with pytest.raises(ConflictError) as refused:
        back(records, three[1])
    assert refused.value.remedy and state(records) == before
    if later != "taken out":
        back(records, three[0])
        back(records, three[1])
        with records.read() as session:
            assert set(session.scalars(select(Proposal.status))) == {"open"}


def test_a_rejection_is_taken_back_and_an_open_proposal_is_not(records: Database, three: list[int]) -> None:
    before = state(records)
    with records.write() as session:
        proposals.reject(session, three[0], person_id=None)
    back(records, three[0])
    assert state(records) == before
    with pytest.raises(ConflictError, match="Nothing is decided"):
        back(records, three[0])


def test_a_decision_of_which_nothing_is_known_is_kept(records: Database, gift: int) -> None:
    """Decided by a version that wrote no such entry."""
    accept(records, gift, "gift cards")
    with records.write() as session:
        session.scalars(select(AuditEntry)).one().detail = {}
    with pytest.raises(ConflictError, match="Nothing is known"):
        back(records, gift)


@given(st.sets(st.integers(1, 400)))
def test_ranges_of_numbers_are_read_as_they_were(ids: set[int]) -> None:
    assert read_ranges(id_ranges(ids)) == sorted(ids)


def test_neighbouring_numbers_are_written_short() -> None:
    assert id_ranges([9, 3, 4, 5]) == "3-5 9"
