"""Intents made from five examples: they answer at once, and only with what a person approved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from sqlalchemy import update

from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.lookup import DatabaseLookup
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.provisional import Provisional
from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.dialogue.weighing import Weighing, Weights
from chatbot.errors import ConflictError, InputError
from chatbot.records.database import Database
from chatbot.records.examples import add_examples, labelled, text_hash
from chatbot.records.intents import put_answer, put_intent
from chatbot.records.provisional import create_provisional, settle
from chatbot.records.schema import upgrade
from chatbot.records.tables import Answer, Intent

GIFT = [
    "do you sell gift cards",
    "can i buy a gift card here",
    "gift card for a friend please",
    "where do i get gift cards",
    "i would like to buy a gift card",
]
REFUND = [
    "i want my money back",
    "refund my last payment",
    "when do i get the refund",
    "give the money back",
]
TRACK = [
    "where is my parcel",
    "track the package",
    "has the parcel been shipped",
    "parcel status please",
]
ANSWER = "Gift cards are on sale at every till."


def encode(texts, lang) -> np.ndarray:
    """A text's vector is the sum of its words' fixed random ones."""
    rows = [
        np.sum([np.random.default_rng(crc32(w.encode())).normal(size=48) for w in t.lower().split()], axis=0)
        for t in texts
    ]
    return np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)


class Unsure:
    labels = ("refund",)

    def classify(self, text, *, history=(), lang=None):
        return Classification((IntentGuess("refund", 0.9),), 0.1)


class NoSearch:
    def search(self, query, *, lang, history=(), k=5):
        return []

    def refresh(self):
        pass


@pytest.fixture(scope="module")
def schema_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("provisional") / "empty.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.dispose()
    return path


@pytest.fixture
def database(tmp_path: Path, schema_file: Path) -> Iterator[Database]:
    path = tmp_path / "p.db"
    path.write_bytes(schema_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    with database.write() as session:
        for name, texts in (("refund", REFUND), ("tracking", TRACK)):
            intent, _ = put_intent(session, name)
            put_answer(session, intent, lang="en", text=f"About {name}.")
            add_examples(
                session,
                [
                    {
                        "text": text,
                        "lang": "en",
                        "intent_id": intent.id,
                        "context": [],
                        "source": "transcript",
                        "status": "accepted",
                        "split": "test" if i == 3 else "train",
                        "content_hash": text_hash(text),
                        "group_key": text_hash(text),
                    }
                    for i, text in enumerate(texts)
                ],
            )
    yield database
    database.dispose()


def make(database: Database, **changes) -> None:
    with database.write() as session:
        create_provisional(session, "gift_card", **({"examples": GIFT, "answers": {"en": ANSWER}} | changes))


def assistant_of(database: Database) -> Assistant:
    return Assistant(
        release_id="r1",
        languages=("en",),
        classifier=Unsure(),
        search=NoSearch(),
        writer=None,
        lookup=DatabaseLookup(database),
        # as a release has them: fitted weights, under which what the search did not find is next to impossible
        weighing=Weighing({"*": Weights()}),
        provisional=Provisional(database, encode, labels=Unsure.labels),
    )


def test_five_examples_answer_without_a_training_and_stop_when_the_answer_is_withdrawn(database):
    assistant = assistant_of(database)
    question = "hello where can i buy a gift card"
    before, _ = assistant.reply(question, options=SiteOptions(sureness=0.6))
    assert before.kind == "unknown"
    make(database)
    assistant.refresh()
    reply, trace = assistant.reply(question, options=SiteOptions(sureness=0.6))
    assert (reply.kind, reply.text) == ("approved", ANSWER)
    assert trace.parts[0].classification.top.name == "gift_card"
    other, _ = assistant.reply("where is my parcel", options=SiteOptions(sureness=0.6))
    assert ANSWER not in other.text
    with database.write() as session:
        session.execute(update(Answer).where(Answer.text == ANSWER).values(status="retired"))
    silent, _ = assistant.reply(question, options=SiteOptions(sureness=0.6))
    assert ANSWER not in silent.text


def test_four_examples_no_answer_or_a_live_name_are_refused_and_nothing_is_kept(database):
    with pytest.raises(InputError, match="examples"):
        make(database, examples=[*GIFT[:4], GIFT[0].upper()])
    with pytest.raises(InputError, match="approved answer"):
        make(database, answers={"en": " "})
    with pytest.raises(ConflictError, match="live"), database.write() as session:
        create_provisional(session, "refund", examples=GIFT, answers={"en": ANSWER})
    with database.read() as session:
        assert session.query(Intent).filter_by(name="gift_card").count() == 0


def test_what_it_would_take_from_live_intents_is_said_before_a_customer_sees_it(database):
    examples = ["money back", "the money back", "my money back", "get money back", "want my money back"]
    trial = Provisional(database, encode).try_out("gift_card", examples, lang="en", frozen=500)
    assert [(one.text, one.intent) for one in trial.taken] == [("give the money back", "refund")]
    assert trial.frozen == 2
    assert Provisional(database, encode).try_out("gift_card", examples, lang="zh", frozen=500).frozen == 0


def test_the_next_release_trains_on_it_and_a_roll_back_does_not_silence_it(database):
    make(database)
    with database.read() as session:
        assert sum(row.intent == "gift_card" and row.split == "train" for row in labelled(session)) == 5
    with database.write() as session:
        settle(session, ["refund", "gift_card"], before=["refund"])
        assert session.query(Intent).filter_by(name="gift_card").one().status == "live"
    with database.write() as session:
        settle(session, ["refund"], before=["refund", "gift_card"])
        assert session.query(Intent).filter_by(name="gift_card").one().status == "provisional"
        assert session.query(Intent).filter_by(name="tracking").one().status == "live"


def test_a_message_that_a_release_has_learnt_needs_no_prototype(database):
    make(database)
    unchanged = Classification((IntentGuess("gift_card", 0.9),), 0.9)
    knowing = Provisional(database, encode, labels=("gift_card",))
    assert knowing.beside(unchanged, "a gift card", lang="en") is unchanged


def test_examples_are_redacted_before_they_are_stored(database):
    make(database, examples=[*GIFT[:4], "gift card for ann@example.com"])
    with database.read() as session:
        texts = [row.text for row in labelled(session) if row.intent == "gift_card"]
    assert not any("ann@example.com" in text for text in texts)


def test_the_words_that_decided_for_it_are_found_in_one_call_of_the_encoder(database):
    make(database)
    calls = []

    def alike(texts, lang):
        calls.append(list(texts))
        return encode(texts, lang)

    provisional = Provisional(database, encode, encode_alike=alike)
    text = "hello i want a gift card"
    words = {word.text: word.weight for word in provisional.weigh(text, "gift_card", lang="en")}
    assert list(words) == text.split() and len(calls) == 1
    assert min(words["gift"], words["card"]) > max(words["hello"], words["i"], words["want"], 0.05)
    whole = provisional.near(text, lang="en")[0].confidence
    without = provisional.near("hello i want a card", lang="en")
    left = without[0].confidence if without else 0.0
    assert words["gift"] == pytest.approx(
        whole - left, abs=0.021
    )  # what is hardly likely is not told as near
    assert len(provisional.weigh("a gift card " * 60, "gift_card", lang="en")) <= 4
    assert provisional.weigh(text, "gift_card", lang="zh") == ()
