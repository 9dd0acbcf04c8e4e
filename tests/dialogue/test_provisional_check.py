"""What is wrong with the examples of a provisional intent is said, example by example, before it is made live."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from chatbot.dialogue.provisional import Provisional, Trial
from chatbot.dialogue.provisional_check import Check, Known, add_provisional, check_examples
from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.errors import ConflictError, InputError
from chatbot.records.database import Database
from chatbot.records.examples import add_examples, text_hash
from chatbot.records.provisional import (
    bring_back,
    distinct,
    list_provisional,
    provisional_samples,
    read_provisional,
    withdraw,
)
from chatbot.records.tables import AuditEntry, Intent

_spec = importlib.util.spec_from_file_location(
    "provisional_fixtures", Path(__file__).with_name("test_provisional.py")
)
assert _spec is not None and _spec.loader is not None
_shared = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_shared)
GIFT, ANSWER, encode = _shared.GIFT, _shared.ANSWER, _shared.encode
schema_file, database = _shared.schema_file, _shared.database


class KnowsRefunds:
    """Sure of what says "money"."""

    labels = ("refund",)

    def classify(self, text, *, history=(), lang=None):
        sure = 0.97 if "money" in text else 0.1
        return Classification((IntentGuess("refund", sure),), 0.95)


def known(database: Database) -> Known:
    return Known("r1", Provisional(database, encode, labels=("refund",)), KnowsRefunds())


def check(database: Database, examples: list[str], **more) -> Check:
    return check_examples(
        database,
        "gift_card",
        **({"examples": examples, "answers": {"en": ANSWER}, "known": known(database)} | more),
    )


@pytest.fixture
def many(database: Database) -> Database:
    """With sixty more messages about parcels."""
    texts = [f"{say} the {what} {when}" for say in ["track", "find", "trace", "see", "where"] for what in
             ["parcel", "package", "box", "letter"] for when in ("now", "today", "please")]  # fmt: skip
    with database.write() as session:
        tracking = session.query(Intent).filter_by(name="tracking").one()
        add_examples(session, [_row(text, "train", tracking.id) for text in texts])
    return database


def _row(text: str, split: str, intent_id: int | None = None) -> dict[str, object]:
    return {
        "text": text,
        "lang": "en",
        "intent_id": intent_id,
        "context": [],
        "source": "transcript",
        "status": "accepted",
        "split": split,
        "content_hash": text_hash(text),
        "group_key": text_hash(text),
    }


def test_good_examples_raise_no_doubt_and_are_recognised_by_each_other(database):
    found = check(database, GIFT)
    assert (found.doubts, found.problem) == ((), None)
    (english,) = found.languages
    assert (english.counting, english.frozen, english.taken) == (5, 2, ())
    assert english.recognised is None  # six messages of others are too few to tell
    assert found.takes == {}


def test_what_says_nearly_the_same_counts_once(database):
    found = check(database, [*GIFT[:4], "do you sell gift cards please"])
    assert [(one.kind, one.other) for one in found.doubts] == [("repeated", GIFT[0])]
    assert found.problem is not None
    assert found.problem.value == f"do you sell gift cards please → {GIFT[0]}"
    insisted = check(database, [*GIFT[:4], "do you sell gift cards please"], insist=True)
    assert insisted.problem is not None


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        (["do you sell gift cards", "gift cards, do you sell?", "you do sell gift cards"], 1),
        (["有礼品卡卖吗", "有礼品卡卖吗？", "礼品卡怎么买"], 2),
        (["where is my order", "where is my parcel"], 2),
    ],
)
def test_a_comma_or_the_order_of_the_words_makes_no_new_example(texts, left):
    assert len(distinct(texts)) == left


def test_an_example_that_resembles_none_of_the_others_is_named_and_left_out(many):
    found = check(many, [*GIFT, "cats like warm milk"])
    assert [(one.kind, one.text) for one in found.doubts] == [("alone", "cats like warm milk")]
    assert found.problem is None and len(found.kept) == 5


def test_an_example_that_the_release_knows_as_something_else_is_named_with_how_sure_it_is(database):
    contradicting = "i would like a gift card for my money"
    found = check(database, [*GIFT[:4], contradicting])
    (doubt,) = found.doubts
    assert (doubt.kind, doubt.other, doubt.probability) == ("known", "refund", pytest.approx(0.9215))
    assert found.problem is not None
    assert found.problem.value == f"{contradicting} → refund (0.92)"
    assert "insist" in (found.problem.remedy or "")
    insisted = check(database, [*GIFT[:4], contradicting], insist=True)
    assert insisted.problem is None and len(insisted.kept) == 5


def test_keyboard_noise_is_told_by_what_the_company_has_read(database):
    words = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)} gift do buy".split() for i in range(320)]
    with database.write() as session:
        add_examples(session, [_row(" ".join(one), "valid") for one in words])
    noise = ["asdf ghjk", "qwertz uiop", "yxcv bnm", "hjkl fdsa", "poiu ztre"]
    found = check(database, noise)
    assert {one.kind for one in found.doubts} == {"strange"} and len(found.doubts) == 5
    assert found.problem is not None and found.problem.value == "asdf ghjk"
    mixed = check(database, ["do you sell gift cards", "can i buy a gift card here", "asdf ghjk"])
    assert [one.text for one in mixed.doubts] == ["asdf ghjk"]


class HearsNothing:
    """What a trial says where no example speaks for another one."""

    def try_out(self, name, texts, *, lang, frozen=0):
        return Trial((0.18,) * len(texts), 300, (), frozen)


def test_examples_with_nothing_in_common_are_refused(database):
    mixed = ["blue sky", "old car", "green tea", "long road", "cold night"]
    alone = Known("r1", HearsNothing())
    found = check(database, mixed, known=alone)
    assert found.languages[0].recognised == 0
    assert found.problem is not None and "nothing in common" in found.problem.message
    assert check(database, mixed, known=alone, insist=True).problem is None


def test_too_few_in_one_language_and_a_language_without_an_answer_are_said(database):
    found = check(database, [*GIFT[:3], "有礼品卡卖吗", "礼品卡怎么买"], known=Known())
    assert {(one.lang, one.counting) for one in found.languages} == {("en", 3), ("zh", 0)}
    assert [one.kind for one in found.doubts] == ["unanswered", "unanswered"]
    assert found.problem is not None and found.problem.message.startswith("In the language of this example")
    both = {"en": ANSWER, "zh": "每个收银台都有。"}
    mixed = check(database, [*GIFT[:3], "有礼品卡卖吗", "礼品卡怎么买"], answers=both, known=Known())
    assert mixed.problem is not None and mixed.problem.value == 3


@pytest.mark.parametrize("text", ["😀😀", "!!", "x" * 501])
def test_what_cannot_be_read_is_refused(database, text):
    with pytest.raises(InputError) as caught:
        check(database, [*GIFT, text])
    assert caught.value.field == "examples"


def test_an_example_of_another_intent_word_for_word_is_refused_with_its_intent(database):
    with pytest.raises(ConflictError) as caught:
        check(database, [*GIFT, "I want my money back".lower()])
    assert caught.value.value == "i want my money back → refund"


def test_adding_says_in_the_list_what_it_takes_and_withdrawing_can_be_undone(database):
    examples = [
        "my money back now",
        "get money back",
        "money back at once",
        "all the money back",
        "back my money",
    ]
    made = add_provisional(
        database,
        "cash",
        examples=examples,
        answers={"en": ANSWER},
        known=Known("r1", Provisional(database, encode)),
    )
    assert made.takes == {"refund": 1}
    with database.read() as session:
        (line,) = list_provisional(session)
        assert (line.name, line.examples, line.answers_in, line.takes) == (
            "cash",
            {"en": 5},
            ("en",),
            {"refund": 1},
        )
        assert len(read_provisional(session, "cash")[1]) == 5
    with database.write() as session:
        withdraw(session, "cash")
    with database.read() as session:
        assert list_provisional(session) == [] and provisional_samples(session) == []
    with database.write() as session:
        bring_back(session, "cash")
    with database.read() as session:
        assert len(provisional_samples(session)) == 5
        actions = [entry.action for entry in session.query(AuditEntry).order_by(AuditEntry.id)]
    assert actions == ["provisional.add", "provisional.withdraw", "provisional.bring_back"]


def test_examples_that_come_later_are_held_against_those_that_are_there(database):
    add_provisional(database, "gift_card", examples=GIFT, answers={"en": ANSWER}, known=known(database))
    later = check(database, [GIFT[0], "a gift card to buy please"], answers={})
    assert [sample.text for sample in later.kept] == ["a gift card to buy please"]
    assert later.languages[0].counting == 6
    add_provisional(
        database, "gift_card", examples=["a gift card to buy please"], answers={}, known=known(database)
    )
    with database.read() as session:
        (line,) = list_provisional(session)
    assert line.examples == {"en": 6}
