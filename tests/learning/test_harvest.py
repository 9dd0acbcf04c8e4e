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


def behind(logs: Logs, text: str, *answers: str) -> None:
    """One more conversation: what was asked behind the answer on refunds, and what the agent said."""
    said = [{"role": "customer", "text": QUESTION}, {"role": "agent", "text": REFUNDS}]
    turns = [*said, {"role": "customer", "text": text}, *({"role": "agent", "text": a} for a in answers)]
    with logs.database.write() as session:
        talk = Transcript(content_hash=text + answers[0], lang="en", tag="refund", split="train", turns=turns)
        session.add(talk)
        session.flush()
        session.add(
            Example(
                text=text,
                lang="en",
                answer=answers[0],
                context=said,
                source="transcript",
                status="accepted",
                transcript_id=talk.id,
                content_hash=text_hash(text + answers[0]),
                group_key=text,
            )
        )


def label_of(logs: Logs, text: str) -> list[str | None]:
    return [row["intent"] for row in logs.freeze().examples if row["text"] == text]


def test_what_is_asked_behind_an_answer_is_learned_by_the_article_that_the_agent_answered_it_from(
    logs: Logs,
) -> None:
    behind(logs, "and the parcel?", DELIVERY)
    assert label_of(logs, "and the parcel?") == ["parcel"]
    behind(logs, "ok", "You are welcome, have a nice day!")
    assert label_of(logs, "ok") == [None]


def test_one_wording_behind_answers_is_learned_twice_at_most(logs: Logs) -> None:
    for greeting in ("", "Of course. ", "Sure. "):
        behind(logs, "how fast?", greeting + DELIVERY)
    assert sorted(label_of(logs, "how fast?"), key=str) == [None, "parcel", "parcel"]


def test_what_the_agent_did_not_know_is_out_of_scope_unless_he_came_back_to_it(logs: Logs) -> None:
    behind(logs, "is it taxed?", "I don't know, I'm afraid. I'll ask a colleague.")
    behind(logs, "on a Sunday?", "I'm not sure, one moment.", DELIVERY)
    assert label_of(logs, "is it taxed?") == [OUT_OF_SCOPE]
    last = {turns[2]["text"]: turns[3] for row in logs.freeze().dialogues if len(turns := row["turns"]) > 3}
    assert last["is it taxed?"]["not_known"] is True
    assert "not_known" not in last["on a Sunday?"]


def test_an_article_written_since_ends_what_agents_did_not_know(logs: Logs) -> None:
    behind(logs, "is it taxed abroad?", "I don't know, I'm afraid.")
    behind(logs, "can my sister fetch it?", "I have no information on that.")
    text = "A parcel abroad is taxed by the country that it goes to."
    with logs.database.write() as session:
        put_article(session, ArticleDraft("tax", "en", "Taxed abroad?", text, (PassageDraft("tax", text),)))
    assert label_of(logs, "is it taxed abroad?") == [None]
    assert label_of(logs, "can my sister fetch it?") == [OUT_OF_SCOPE]
    told = {turns[2]["text"]: turns[3] for row in logs.freeze().dialogues if len(turns := row["turns"]) > 3}
    assert "not_known" not in told["is it taxed abroad?"]
    assert told["can my sister fetch it?"]["not_known"] is True
