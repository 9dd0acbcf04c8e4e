"""The gate behind sentences of its own: what is drafted for held-back questions, and what is judged by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from chatbot.dialogue.trace import Hit, Message
from chatbot.inference.generate import Candidate
from chatbot.learning.snapshot import Snapshot, SnapshotManifest
from chatbot.learning.writing import GROUNDED, LEAST, WRITING, Drafted, is_grounded, judge_writing, passed_in
from chatbot.learning.writing_judging import draft_held_back

TEXTS = {"refund": "A refund takes 5 working days.", "parcel": "A parcel takes 3 working days."}


class Search:
    def search(self, query: str, *, lang: str, history: Any = (), k: int = 5) -> list[Hit]:
        return []


class Writer:
    """Says what its first source says, or something else."""

    def __init__(self, says: str | None = None) -> None:
        self.says = says
        self.asked: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def generate(
        self, history: Sequence[Message], sources: Sequence[str], **options: object
    ) -> list[Candidate]:
        self.asked.append((tuple(message.text for message in history), tuple(sources)))
        return [Candidate(self.says or sources[0].rpartition("\n")[2], -0.1)]


def snapshot(pairs: int = 0) -> Snapshot:
    turns = [
        {"role": "customer", "text": "a refund?"},
        {"role": "agent", "text": "In 5 days.", "sources": [1]},
        {"role": "customer", "text": "and the parcel?"},
        {"role": "agent", "text": "In 3 days.", "sources": [2]},
        {"role": "customer", "text": "and the weather?"},
        {"role": "agent", "text": "I do not know.", "not_known": True},
    ]
    return Snapshot(
        SnapshotManifest("f", "2026-01-01", 1, {}, ("en",), ()),
        dialogues=[
            {"id": split, "lang": "en", "split": split, "intent": None, "turns": turns}
            for split in ("train", "test")
        ],
        passages=[
            {"id": place, "article": name, "title": name, "title_path": name, "text": text, "lang": "en"}
            for place, (name, text) in enumerate(TEXTS.items(), 1)
        ],
        pairs=[
            {"query": f"refund {number}?", "article": "refund", "lang": "en", "split": "test", "intent": None}
            for number in range(pairs)
        ],
    )


def test_drafts_are_written_from_the_article_that_the_agent_answered_from() -> None:
    writer = Writer()
    assert draft_held_back(snapshot(), writer, Search()) == [Drafted("en", True, True)] * 2
    assert {(said[-1], sources[0].rpartition("\n")[2]) for said, sources in writer.asked} == {
        ("a refund?", TEXTS["refund"]),
        ("and the parcel?", TEXTS["parcel"]),
    }
    assert ("a refund?", "In 5 days.", "and the parcel?") in [said for said, _ in writer.asked]


def test_questions_that_stand_alone_fill_up_what_conversations_lack() -> None:
    assert len(draft_held_back(snapshot(pairs=9), Writer(), Search(), most=6)) == 6
    assert draft_held_back(snapshot(), Writer(), Search(), split="valid") == []


def test_what_the_check_refuses_is_not_written() -> None:
    assert (
        draft_held_back(snapshot(), Writer("A refund takes 9 working days."), Search())
        == [Drafted("en", False, False)] * 2
    )


def test_what_the_check_lets_through_is_held_against_the_sources_once_more() -> None:
    grounds = "A refund takes 5 days. Ask Heron Parcel or help@crane.example"
    assert is_grounded("it takes 5 days with Heron Parcel", grounds)
    assert not is_grounded("it takes 6 days", grounds)
    assert not is_grounded("it goes with Swiftline", grounds)
    assert not is_grounded("ask info@crane.example", grounds)


def drafts(sound: int, *, ungrounded: int = 0, none: int = 0, lang: str = "en") -> list[Drafted]:
    return [
        *[Drafted(lang, True, True)] * sound,
        *[Drafted(lang, True, False)] * ungrounded,
        *[Drafted(lang, False, False)] * none,
    ]


@pytest.mark.parametrize(
    ("candidate", "live", "passed", "reason"),
    [
        (drafts(LEAST), None, True, f"of {LEAST} drafts that passed the check 100.0 % are grounded"),
        (drafts(LEAST - 1, none=90), None, False, f"{LEAST - 1} drafts that passed the check are too few"),
        (drafts(57, ungrounded=3), None, False, f"95.0 % are grounded (at least {GROUNDED:.0f} %)"),
        (drafts(58, ungrounded=1, none=1), None, True, "98.3 % are grounded"),
        (
            drafts(45, none=15),
            drafts(60),
            False,
            "it writes for 75 % of the questions, the live release for 100 %",
        ),
        (drafts(58, none=2), drafts(60), True, "100.0 % are grounded"),
        (drafts(60), drafts(30, none=30), True, "100.0 % are grounded"),
    ],
)
def test_a_generator_passes_where_it_is_grounded_and_writes_no_less_than_the_live_one(
    candidate: list[Drafted], live: list[Drafted] | None, passed: bool, reason: str
) -> None:
    found = judge_writing(candidate, live)["en"]
    assert found["passed"] is passed
    assert reason in found["reason"]


def test_each_language_passes_by_itself() -> None:
    found = judge_writing([*drafts(50), *drafts(30, ungrounded=20, lang="zh")])
    assert passed_in({WRITING: found}) == {"en"}
    assert (found["zh"]["written"], found["zh"]["grounded"]) == (100.0, 60.0)
    assert passed_in({}) == frozenset()


def test_releases_that_were_asked_other_questions_are_not_compared() -> None:
    with pytest.raises(ValueError, match="2 drafts of the candidate, 3 of the live"):
        judge_writing(drafts(2), drafts(3))
