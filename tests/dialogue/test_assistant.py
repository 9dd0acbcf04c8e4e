"""The assistant with small stand-ins for the models: what is sent, and what the trace holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from chatbot.dialogue.actions import Talk
from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.saying import ARTICLE, HANDOVER, INTENT
from chatbot.dialogue.trace import Classification, Hit, IntentGuess, Message
from chatbot.dialogue.weighing import KnownIntent
from chatbot.inference.generate import Candidate

CANCEL = KnownIntent("cancel_order", "Cancel an order", "cancel-order", "You can cancel within 2 hours.")
REFUND = KnownIntent("refund_time", "Refund time", "refund-time", None)
REFUND_TEXT = "A refund is sent back within 3 working days to the original payment method."
ALLOWED = SiteOptions(mode="generated_allowed")


def passage(slug: str, text: str, score: float = 0.0) -> Hit:
    return Hit(
        len(slug), 1, slug, slug, slug.title(), f"https://x.example/{slug}", text, "en", score, 0.0, 0.0
    )


@dataclass
class Classifier:
    seen: list[str] = field(default_factory=list)

    def classify(self, text, *, history=(), lang=None):
        self.seen.append(text)
        for word, name in (("cancel", "cancel_order"), ("refund", "refund_time")):
            if word in text.lower():
                return Classification((IntentGuess(name, 0.95),), 0.98)
        return Classification((IntentGuess("cancel_order", 0.2),), 0.05)


class Search:
    def refresh(self):
        pass

    def encode(self, texts, *, lang):
        return np.eye(len(texts), dtype=np.float32)

    def search(self, query, *, lang, history=(), k=5):
        return [passage("refund-time", REFUND_TEXT, 0.9)] if "refund" in query.lower() else []


@dataclass
class Writer:
    text: str = "The refund is sent back within 3 working days."

    def generate(self, history, sources, *, intent=None, lang="en", beam=1, max_tokens=60, min_tokens=2):
        return [Candidate(self.text, -0.1)]


class Lookup:
    def intents(self, names, lang):
        return {known.name: known for known in (CANCEL, REFUND) if known.name in names}

    def passages(self, slug, lang):
        return [passage(slug, REFUND_TEXT)] if slug == "refund-time" else []


@pytest.fixture
def assistant() -> Assistant:
    return Assistant(
        release_id="r1",
        languages=("en", "zh"),
        classifier=Classifier(),
        search=Search(),
        writer=Writer(),
        lookup=Lookup(),
    )


def test_a_sure_intent_gets_its_approved_answer(assistant):
    reply, trace = assistant.reply("How do I cancel?", options=ALLOWED)
    assert (reply.kind, reply.text) == ("approved", CANCEL.approved)
    assert trace.parts[0].rule == "sure"
    assert trace.release == "r1"


def test_a_draft_that_holds_against_its_passage_is_sent_as_generated_with_its_source(assistant):
    reply, trace = assistant.reply("Where is my refund?", options=ALLOWED)
    assert reply.kind == "generated"
    assert reply.parts[0].sources[0].quote == REFUND_TEXT
    assert trace.parts[0].draft is not None and trace.parts[0].draft.check.passed


def test_the_trace_holds_every_passage_that_the_draft_was_written_from(assistant):
    further = passage("refund-time-2", "A credit card can take 3 working days more.")
    further = replace(further, article_slug="refund-time")
    assistant._lookup.passages = lambda slug, lang: [passage("refund-time", REFUND_TEXT), further]
    _, trace = assistant.reply("Where is my refund?", options=ALLOWED)
    part = trace.parts[0]
    assert part.draft is not None and len(part.draft.passage_ids) == 2
    held = {hit.passage_id: hit.text for hit in part.hits}
    assert [held[number] for number in part.draft.passage_ids] == [REFUND_TEXT, further.text]


def test_an_invented_number_is_not_sent_and_the_trace_says_why(assistant):
    assistant._writer = Writer("The refund is sent back within 14 working days.")
    reply, trace = assistant.reply("Where is my refund?", options=ALLOWED)
    assert (reply.kind, reply.text) == ("passage", REFUND_TEXT)
    draft = trace.parts[0].draft
    assert draft is not None and not draft.check.passed and "14" in " ".join(draft.check.reasons)


def test_no_draft_is_made_where_only_approved_text_may_be_sent(assistant):
    reply, trace = assistant.reply("Where is my refund?", options=SiteOptions())
    assert reply.kind == "passage"
    assert trace.parts[0].draft is None


def test_a_customer_does_not_wait_for_a_draft_that_could_not_be_sent_but_an_agent_is_given_it(assistant):
    assistant._search.search = lambda query, *, lang, history=(), k=5: [
        passage("refund-time", REFUND_TEXT, 0.7)
    ]
    assistant._classifier = None
    _, to_customer = assistant.reply("Where is my money?", options=ALLOWED)
    reply, to_agent = assistant.reply("Where is my money?", options=SiteOptions(mode="drafts_only"))
    assert to_customer.parts[0].draft is None
    assert to_agent.parts[0].draft is not None and reply.kind == "passage"


def test_two_requests_are_answered_in_turn(assistant):
    reply, _ = assistant.reply("Hi! Can I cancel it? And when do I see the refund?", options=SiteOptions())
    assert [part.kind for part in reply.parts] == ["approved", "passage"]


@pytest.mark.parametrize(
    "text", ["", "   ", "👋👋", "!!!", "これは日本語です", "Где мой заказ?", "qwkjh zxcv 98723"]
)
def test_what_cannot_be_read_is_not_answered(assistant, text):
    reply, _ = assistant.reply(text, options=ALLOWED)
    assert reply.kind == "unknown"


def test_a_wish_for_a_person_is_met_at_once(assistant):
    assert assistant.reply("I want to talk to a human", options=ALLOWED)[0].kind == "person"
    assert assistant.reply(HANDOVER, options=ALLOWED)[0].kind == "person"


def test_not_knowing_offers_a_person_and_says_so_differently_the_second_time(assistant):
    first, _ = assistant.reply("what about dragons", options=ALLOWED)
    second, _ = assistant.reply("what about unicorns", options=ALLOWED, failures=1)
    assert first.kind == second.kind == "unknown"
    assert first.parts[0].choices[-1].payload == HANDOVER
    assert first.text != second.text


def test_the_same_question_again_is_not_answered_with_the_same_words(assistant):
    history = [Message("customer", "How do I cancel?"), Message("bot", CANCEL.approved or "")]
    reply, trace = assistant.reply("how do i cancel?", options=ALLOWED, history=history)
    assert (reply.kind, trace.parts[0].rule) == ("unknown", "asked_again")


def test_a_tapped_choice_is_answered(assistant):
    assert assistant.reply(INTENT + "cancel_order", options=ALLOWED)[0].kind == "approved"
    assert assistant.reply(ARTICLE + "refund-time", options=ALLOWED)[0].text == REFUND_TEXT
    assert assistant.reply(INTENT + "no_such", options=ALLOWED)[0].kind == "unknown"


def test_models_read_redacted_text(assistant):
    assistant.reply("cancel it, I am jane@example.com", options=ALLOWED)
    assert all("jane@example.com" not in text for text in assistant._classifier.seen)


def test_a_middling_candidate_becomes_a_choice(assistant):
    doubtful = replace(ALLOWED, sureness=0.97)
    reply, trace = assistant.reply("how to cancel", options=doubtful)
    assert (reply.kind, trace.parts[0].rule) == ("choices", "perhaps")
    assert reply.parts[0].choices[0].payload == INTENT + "cancel_order"


def test_the_trace_is_plain_json(assistant):
    import json

    reply, trace = assistant.reply("Where is my refund?", options=ALLOWED)
    assert json.loads(json.dumps(trace.as_json()))["parts"][0]["kind"] == "generated"
    assert json.loads(json.dumps(reply.as_json()))["kind"] == "generated"


class Next:
    """Proposes what it was given, and remembers the events it was shown."""

    def __init__(self, *names: str) -> None:
        self.names, self.seen = names, []

    def suggest(self, events, *, k=3, least=0.0):
        self.seen = list(events)
        return [(name, 0.5) for name in self.names]


def test_after_an_answer_what_customers_ask_next_is_proposed_and_a_tap_on_it_is_understood(assistant):
    proposing = Next("gone", "greeting", "refund_time")
    assistant._next = proposing
    talk = Talk("c", 2, topics=[("order_status", "where is it")])
    reply, trace = assistant.reply("How do I cancel?", options=ALLOWED, talk=talk)
    assert (reply.suggestions, trace.suggested) == (("Refund time",), ("refund_time",))
    assert [event.name for event in proposing.seen] == ["order_status", "cancel_order"]
    assert trace.parts[0].topic == "cancel_order"
    tapped = Talk("c", 3, offered={"Refund time": "refund_time"})
    assert assistant.reply("Refund time", options=ALLOWED, talk=tapped)[0].text == REFUND_TEXT
    assert assistant.reply("what about dragons", options=ALLOWED, talk=talk)[0].suggestions == ()
    assert assistant.reply("How do I cancel?", options=ALLOWED)[0].suggestions == ()
