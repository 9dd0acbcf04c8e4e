"""Why a message was classified so, with the company's own messages as witnesses."""

from __future__ import annotations

import pytest

from chatbot.dialogue.explaining import explain_message
from chatbot.dialogue.provisional import NearIntent
from chatbot.inference.attribution import weigh_words
from chatbot.inference.classify import IntentClassifier
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.classifier_training import train_classifier
from chatbot.records.database import Database
from chatbot.records.examples import add_examples, text_hash
from chatbot.records.intents import put_intent
from chatbot.records.schema import upgrade

MESSAGES = {
    "refund": ["i want my money back", "refund my payment", "give me a refund", "money back please"],
    "tracking": ["where is my parcel", "track my package", "parcel status please", "has my parcel shipped"],
}
TINY = Recipe(steps=60, least_epochs=1, embedding=24, hidden=12, buckets=256, encoder_vectors=False)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> IntentClassifier:
    folder = tmp_path_factory.mktemp("explained")
    rows = [
        {"text": f"{opener} {text}", "intent": intent, "lang": "en"}
        for intent, texts in MESSAGES.items()
        for text in texts
        for opener in ("hi", "hello", "well", "so")
    ]
    train_classifier(rows, folder, languages=["en"], device="cpu", recipe=TINY)
    return IntentClassifier.load(folder)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('explained')}/e.db")
    upgrade(database)
    with database.write() as session:
        for name, texts in MESSAGES.items():
            intent, _ = put_intent(session, name)
            add_examples(
                session,
                [
                    {
                        "text": text,
                        "lang": "en",
                        "intent_id": intent.id,
                        "context": [],
                        "source": "transcript",
                        "status": "rejected" if i == 3 else "accepted",
                        "content_hash": text_hash(text),
                        "group_key": text_hash(text),
                    }
                    for i, text in enumerate(texts)
                ],
            )
    return database


def test_words_nearest_messages_and_the_runner_up_are_named(classifier, database: Database):
    why = explain_message(database, classifier, "please refund my payment", lang="en")
    assert why.nearest[0].text == "refund my payment"
    assert {m.intent for m in why.nearest} == {"refund"}
    assert {m.intent for m in why.against} == {"tracking"}
    assert why.nearest[0].similarity > why.against[0].similarity
    assert max(why.explanation.words, key=lambda word: word.weight).text in ("refund", "payment")
    assert "tracking has" in why.why_not and "refund my payment" in why.why_not


def test_messages_that_people_rejected_are_no_witnesses(classifier, database: Database):
    why = explain_message(database, classifier, "money back please", lang="en")
    assert "money back please" not in [m.text for m in why.nearest]


def test_a_message_with_nothing_to_read_is_explained_by_nothing(classifier, database: Database):
    why = explain_message(database, classifier, "😡", lang="en")
    assert (why.nearest, why.against, why.why_not) == ((), (), "")


class Claims:
    """A provisional intent that claims three quarters of whatever says "voucher"."""

    def near(self, text, *, lang):
        if "voucher" not in text:
            return []
        return [NearIntent("gift_card", 0.75, (("a voucher please", 0.9), ("buy a voucher", 0.8)))]

    def weigh(self, text, intent, *, lang):
        return weigh_words(text, lambda texts: [0.75 * ("voucher" in one) for one in texts], pieces=9)


def test_a_provisional_intent_is_named_with_its_examples_and_what_is_left_to_the_others(classifier, database):
    why = explain_message(database, classifier, "a voucher", lang="en", provisional=Claims(), needed=0.6)
    found = why.provisional
    assert found is not None and found.leads
    assert (found.intent, found.confidence, found.needed) == ("gift_card", 0.75, 0.6)
    assert [(one.text, one.similarity) for one in found.nearest] == [
        ("a voucher please", 0.9),
        ("buy a voucher", 0.8),
    ]
    assert [(word.text, word.weight) for word in found.words] == [("a", 0), ("voucher", 0.75)]
    assert found.second is not None and found.second.name in MESSAGES and found.second.confidence <= 0.25
    assert "gift_card is provisional and has 0.75, 0.60 is needed" in why.why_not
    assert found.second.name in why.why_not
    assert why.as_json()["provisional"]["intent"] == "gift_card"
    other = explain_message(database, classifier, "refund my payment", lang="en", provisional=Claims())
    assert other.provisional is None and "gift_card" not in other.why_not
