"""Examples relabelled, taken out, put back, written, and each of these taken back; and the list that shows them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from chatbot.errors import ConflictError, FrontdeskError, InputError, NotFoundError
from chatbot.records import conversations, example_changes, review
from chatbot.records.database import Database
from chatbot.records.example_changes import OUT_OF_SCOPE, Change, Decider, newest_change
from chatbot.records.example_search import Wanted, count_examples, read_transcript, search_examples
from chatbot.records.intents import put_intent
from chatbot.records.provisional import create_provisional
from chatbot.records.tables import (
    AuditEntry,
    Example,
    Import,
    Intent,
    KnowledgeClock,
    Person,
    Transcript,
    Turn,
)

NOBODY = Decider(None)


@pytest.fixture
def mei(records: Database) -> Decider:
    with records.write() as session:
        row = Person(email="mei@example.com", name="Mei", password_hash="x", role="editor")
        session.add(row)
        session.flush()
        return Decider(row.id)


@pytest.fixture
def ids(records: Database) -> list[int]:
    """Five examples of ``refund``; ``parcel`` has none, ``old`` was retired."""
    with records.write() as session:
        refund, _ = put_intent(session, "refund", titles={"en": "Refunds", "zh": "退款"})
        put_intent(session, "parcel")
        put_intent(session, "old", status="retired")
        file = Import(kind="transcripts", file_name="chats.csv", file_hash="h", format="csv")
        session.add(file)
        session.flush()
        talk = Transcript(import_id=file.id, content_hash="t", lang="en", split="train", turns=[])
        session.add(talk)
        session.flush()
        rows = [
            Example(
                text=f"money back {at}",
                lang="en" if at else "zh",
                intent_id=refund.id,
                source="transcript",
                status="accepted",
                split="test" if at == 4 else "train",
                transcript_id=talk.id,
                content_hash=str(at),
                group_key=str(at),
                label_reason="the conversation's tag",
            )
            for at in range(5)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def state(database: Database) -> list[dict[str, Any]]:
    with database.read() as session:
        return [
            {name: value for name, value in vars(row).items() if not name.startswith("_")}
            for row in session.scalars(select(Example).order_by(Example.id))
        ]


def do(database: Database, what: str, *arguments: Any, by: Decider = NOBODY, **options: Any) -> Change:
    with database.write() as session:
        done: Change = getattr(example_changes, what)(session, *arguments, by=by, **options)
        return done


def names(database: Database, **wanted: Any) -> list[str]:
    with database.read() as session:
        return [line.text for line in search_examples(session, Wanted(**wanted)).lines]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("relabel", {"intent": "parcel"}),
    ("relabel", {"intent": OUT_OF_SCOPE}),
    ("take_out", {}),
]


@pytest.mark.parametrize(("what", "options"), CHANGES)
def test_a_change_sent_twice_is_one_change_and_one_undo_brings_all_back(
    records: Database, ids: list[int], mei: Decider, what: str, options: dict[str, Any]
) -> None:
    before = state(records)
    first = do(records, what, ids[1:3], by=mei, **options)
    after = state(records)
    again = do(records, what, ids[1:3], by=mei, **options)
    assert (again, state(records)) == (first, after)
    assert after[0] == before[0] and after[1] != before[1]
    assert first.entry is not None
    do(records, "undo", first.entry)
    do(records, "undo", first.entry)
    assert state(records) == before
    with records.read() as session:
        told = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [one.action for one in told] == [f"example.{what}", "example.undo"]
        assert told[0].person_id == mei.person_id
        assert "money back" not in str(told[0].detail), "a text may have to be erased"


def test_a_relabelled_example_says_from_what_by_whom_and_when(
    records: Database, ids: list[int], mei: Decider
) -> None:
    do(records, "relabel", ids[:1], intent="parcel", by=mei)
    with records.read() as session:
        (line,) = search_examples(session, Wanted(intent="parcel")).lines
        at = session.scalars(select(AuditEntry.created_at)).one()
    assert (line.origin, line.by, line.at) == ("correction", "Mei", at)
    assert line.reason == "relabelled from refund" and line.file == "chats.csv"


def test_what_was_taken_out_stands_on_its_own_list_and_can_be_put_back(
    records: Database, ids: list[int], mei: Decider
) -> None:
    do(records, "take_out", ids[:1], by=mei)
    assert names(records, state="taken_out", intent="refund") == ["money back 0"]
    with records.read() as session:
        assert search_examples(session, Wanted(state="taken_out")).lines[0].by == "Mei"
        assert count_examples(session, Wanted(intent="refund")) == 4
    with pytest.raises(ConflictError, match="was taken out"):
        do(records, "relabel", ids[:1], intent="parcel")
    do(records, "put_back", ids[:1])
    assert len(names(records, intent="refund")) == 5 and names(records, state="taken_out") == []


def test_a_change_that_was_changed_again_is_not_taken_back(records: Database, ids: list[int]) -> None:
    first = do(records, "relabel", ids[:2], intent="parcel")
    do(records, "relabel", ids[1:2], intent="refund")
    before = state(records)
    with pytest.raises(ConflictError, match="changed again since") as refused:
        do(records, "undo", first.entry)
    assert (refused.value.value, state(records)) == (ids[1], before)


def test_what_somebody_else_has_changed_meanwhile_is_not_changed_over(
    records: Database, ids: list[int]
) -> None:
    with records.read() as session:
        seen = newest_change(session)
    do(records, "relabel", ids[:1], intent="parcel")
    with pytest.raises(ConflictError, match="meanwhile") as refused:
        do(records, "take_out", ids[:2], by=Decider(None, seen=seen))
    assert refused.value.value == ids[0]
    do(records, "take_out", ids[1:2], by=Decider(None, seen=seen))  # of which nobody else said anything
    assert names(records, state="taken_out") == ["money back 1"]


@pytest.mark.parametrize(
    ("which", "intent", "kind", "field"),
    [
        ([], "parcel", InputError, "examples"),
        ([10**6], "parcel", NotFoundError, "examples"),
        (list(range(1, 300)), "parcel", InputError, "examples"),
        ([1], "", InputError, "intent"),
        ([1], "parcle", InputError, "intent"),
        ([1], "old", ConflictError, "intent"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    records: Database, ids: list[int], which: list[int], intent: str, kind: type[FrontdeskError], field: str
) -> None:
    before = state(records)
    with pytest.raises(kind) as refused:
        do(
            records,
            "relabel",
            [ids[0] if one == 1 and len(which) == 1 else one for one in which],
            intent=intent,
        )
    assert refused.value.field == field and refused.value.remedy
    assert state(records) == before


def test_an_example_by_hand_is_redacted_and_there_once(
    records: Database, ids: list[int], mei: Decider
) -> None:
    text = "  I am anna@example.org, money please "
    first = do(records, "add", text, intent="refund", by=mei)
    assert do(records, "add", text, intent="refund", by=mei) == first
    with records.read() as session:
        (line,) = search_examples(session, Wanted(origin="hand")).lines
    assert (line.text, line.lang, line.by) == ("I am [EMAIL], money please", "en", "Mei")
    with pytest.raises(ConflictError) as refused:
        do(records, "add", text, intent="parcel")
    assert (refused.value.value, refused.value.remedy) == ("refund", "Relabel it there")
    do(records, "take_out", [line.id])
    do(records, "add", text, intent="refund")
    assert names(records, origin="hand", intent="refund") == [line.text]
    with pytest.raises(InputError):
        do(records, "add", "  ", intent="refund")
    with pytest.raises(InputError):
        do(records, "add", "x" * 501, intent="refund")


def test_writing_an_example_is_taken_back_and_never_takes_another_with_it(
    records: Database, ids: list[int]
) -> None:
    before = state(records)
    change = do(records, "add", "money please", intent="refund")
    do(records, "undo", change.entry)
    assert state(records) == before
    do(records, "add", "and now", intent="refund")  # SQLite gives it the same number
    do(records, "undo", change.entry)
    assert names(records, origin="hand") == ["and now"]


def test_the_same_words_are_never_on_both_sides_of_the_split(records: Database, ids: list[int]) -> None:
    with records.write() as session:
        session.add(
            Example(
                text="same words",
                lang="en",
                source="transcript",
                split="test",
                content_hash=example_changes.text_hash("same words"),
                group_key="g7",
            )
        )
    do(records, "add", "same words", intent="refund")
    with records.read() as session:
        line = session.scalars(select(Example).where(Example.source == "admin")).one()
    assert (line.split, line.group_key) == ("test", "g7")


def test_an_intent_that_is_gone_is_not_given_back(records: Database, ids: list[int]) -> None:
    change = do(records, "relabel", ids, intent="parcel")
    with records.write() as session:
        session.execute(delete(Intent).where(Intent.name == "refund"))
    with pytest.raises(ConflictError, match="intent that it had is gone"):
        do(records, "undo", change.entry)
    with pytest.raises(NotFoundError):
        do(records, "undo", 10**6)


def test_serving_processes_look_again_where_a_provisional_intent_changed(
    records: Database, ids: list[int]
) -> None:
    def revision() -> int:
        with records.read() as session:
            return session.scalar(select(KnowledgeClock.revision)) or 0

    with records.write() as session:
        create_provisional(
            session, "norway", examples=[f"ship to Norway {at}" for at in range(5)], answers={"en": "Yes."}
        )
    before = revision()
    do(records, "take_out", ids[:1])
    assert revision() == before
    change = do(records, "relabel", ids[1:2], intent="norway")
    assert revision() == before + 1
    do(records, "undo", change.entry)
    assert revision() == before + 2


# --- the list --------------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_each_of_its_conditions(records: Database, ids: list[int]) -> None:
    do(records, "relabel", ids[3:4], intent="parcel")
    do(records, "relabel", ids[2:3], intent=OUT_OF_SCOPE)
    assert names(records, intent="refund") == ["money back 4", "money back 1", "money back 0"]
    assert names(records, intent="parcel") == ["money back 3"]
    assert names(records, intent=OUT_OF_SCOPE) == ["money back 2"]
    assert names(records, origin="correction") == ["money back 3", "money back 2"]
    assert names(records, lang="zh") == ["money back 0"]
    assert names(records, split="test") == ["money back 4"]
    assert names(records, text="BACK 1") == ["money back 1"]
    assert names(records, text="%") == []
    assert names(records, origin="import", split="train") == ["money back 1", "money back 0"]


def test_pages_follow_each_other_without_a_gap(records: Database, ids: list[int]) -> None:
    seen: list[str] = []
    before = None
    with records.read() as session:
        for _ in range(3):
            page = search_examples(session, Wanted(), before=before, limit=2)
            seen += [line.text for line in page.lines]
            before = page.older
    assert seen == [f"money back {at}" for at in (4, 3, 2, 1, 0)] and before is None


def test_a_decision_of_the_review_queue_leads_to_its_conversation(records: Database, mei: Decider) -> None:
    with records.write() as session:
        site = conversations.ensure_default_site(session)
        talk = conversations.start_conversation(session, site_id=site.id, token_hash="x" * 64, locale="en")
        turn = Turn(conversation_id=talk.id, role="customer", text="where is it", lang="en")
        session.add(turn)
        session.flush()
        review.decide(
            session, [turn.id], action="label", person_id=mei.person_id, reason="seen", intent="parcel"
        )
    with records.read() as session:
        (line,) = search_examples(session, Wanted(origin="review")).lines
    assert (line.conversation_id, line.turn_id, line.by) == (talk.id, turn.id, "Mei")
    assert (line.conversation, line.intent, line.reason) == (talk.public_id, "parcel", "seen")


def test_a_message_without_a_label_is_no_example_of_anything(records: Database, ids: list[int]) -> None:
    with records.write() as session:
        session.add(Example(text="hm", lang="en", source="transcript", content_hash="x", group_key="x"))
    assert "hm" not in names(records)
    with pytest.raises(NotFoundError):
        do(records, "take_out", [ids[-1] + 1])


def test_a_transcript_names_the_examples_found_in_it(records: Database, ids: list[int]) -> None:
    with records.read() as session:
        number = session.scalars(select(Transcript.id)).one()
        view = read_transcript(session, number)
        with pytest.raises(NotFoundError):
            read_transcript(session, number + 1)
    assert view.file == "chats.csv" and [line.id for line in view.examples] == ids
