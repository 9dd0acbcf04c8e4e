"""What a snapshot makes of the labels that people give: their word about a message stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from chatbot.language.entity_marks import Mark
from chatbot.learning.harvest import freeze
from chatbot.learning.snapshot import Snapshot, load_snapshot
from chatbot.records import example_changes
from chatbot.records.database import Database
from chatbot.records.example_changes import OUT_OF_SCOPE, Decider
from chatbot.records.examples import text_hash
from chatbot.records.intents import put_intent
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import Example, Transcript

REFUNDS = "Refunds arrive within three working days on the original payment method."
DELIVERY = "Parcels travel for two days and bring a tracking number from the carrier."
QUESTION = "when do I get it"
BY = Decider(None)


@dataclass
class Logs:
    """A tagged conversation whose agent answered from the refunds, and how to freeze what is known."""

    database: Database
    folder: Path
    example: int
    frozen: int = 0

    def freeze(self) -> Snapshot:
        self.frozen += 1
        folder = self.folder / f"snapshot{self.frozen}"
        with self.database.read() as session:
            freeze(session, folder)
        return load_snapshot(folder)

    def learned(self) -> tuple[list[str | None], list[str], list[str | None]]:
        """What the question is learned as: (labels, articles it is paired with, what its conversation is about)."""
        found = self.freeze()
        return (
            [row["intent"] for row in found.examples if row["text"] == QUESTION],
            [row["article"] for row in found.pairs if row["query"] == QUESTION],
            [row["intent"] for row in found.dialogues],
        )


@pytest.fixture
def logs(database: Database, tmp_path: Path) -> Logs:
    with database.write() as session:
        for slug, text in (("refunds", REFUNDS), ("delivery", DELIVERY)):
            put_article(session, ArticleDraft(slug, "en", slug.title(), text, (PassageDraft(slug, text),)))
        refund, _ = put_intent(session, "refund", article_slug="refunds")
        put_intent(session, "parcel", article_slug="delivery")
        turns = [{"role": "customer", "text": QUESTION}, {"role": "agent", "text": REFUNDS}]
        talk = Transcript(content_hash="t", lang="en", tag="refund", split="train", turns=turns)
        session.add(talk)
        session.flush()
        row = Example(
            text=QUESTION,
            lang="en",
            intent_id=refund.id,
            answer=REFUNDS,
            source="transcript",
            status="accepted",
            transcript_id=talk.id,
            content_hash=text_hash(QUESTION),
            group_key="g",
            label_reason="the conversation's tag",
        )
        session.add(row)
        session.flush()
        return Logs(database, tmp_path, row.id)


def test_a_tag_and_the_answer_that_agree_are_learned(logs: Logs) -> None:
    assert logs.learned() == (["refund"], ["refunds"], ["refund"])


def test_a_relabelled_example_is_learned_as_it_was_relabelled_whatever_the_agent_answered(logs: Logs) -> None:
    with logs.database.write() as session:
        example_changes.relabel(session, [logs.example], intent="parcel", by=BY)
    assert logs.learned() == (["parcel"], ["delivery"], ["parcel"])


def test_what_a_person_put_out_of_scope_is_learned_so(logs: Logs) -> None:
    with logs.database.write() as session:
        example_changes.relabel(session, [logs.example], intent=OUT_OF_SCOPE, by=BY)
    assert logs.learned() == ([OUT_OF_SCOPE], [], [None])


def test_an_example_that_was_taken_out_is_in_no_file_until_it_is_put_back(logs: Logs) -> None:
    before = logs.freeze().manifest.fingerprint
    with logs.database.write() as session:
        example_changes.take_out(session, [logs.example], by=BY)
    assert logs.learned() == ([], [], [None])
    assert logs.freeze().manifest.fingerprint != before, "the next training is not skipped as the same again"
    with logs.database.write() as session:
        example_changes.put_back(session, [logs.example], by=BY)
    assert logs.freeze().manifest.fingerprint == before


def test_an_example_written_by_hand_is_learned(logs: Logs) -> None:
    with logs.database.write() as session:
        example_changes.add(session, "money back please", intent="refund", by=BY)
    assert [row["intent"] for row in logs.freeze().examples if row["text"] == "money back please"] == [
        "refund"
    ]


def test_what_an_example_names_is_learned_and_what_nobody_looked_at_says_nothing(logs: Logs) -> None:
    (row,) = [row for row in logs.freeze().examples if row["text"] == QUESTION]
    assert "entities" not in row
    with logs.database.write() as session:
        example_changes.mark(session, logs.example, [Mark("thing", 14, 16)], by=BY)
    (row,) = [row for row in logs.freeze().examples if row["text"] == QUESTION]
    assert row["entities"] == [{"kind": "thing", "start": 14, "end": 16}]
    assert QUESTION[14:16] == "it"
