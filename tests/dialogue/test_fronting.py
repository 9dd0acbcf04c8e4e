"""A danger to life in a conversation, regret at anger, a word about card numbers, other people's data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chatbot.dialogue.actions import Action, Outcome, Slot, Talk, templates_from
from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.danger_texts import DANGER_TEXTS
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.saying import HANDOVER
from chatbot.dialogue.trace import ActionTrace, Classification, IntentGuess, Message
from chatbot.dialogue.weighing import KnownIntent

ALLOWED = SiteOptions(mode="generated_allowed")
DRAFTS = SiteOptions(mode="drafts_only")
CANCEL = KnownIntent("cancel_order", "Cancel an order", None, "You can cancel within 2 hours.")


class Classifier:
    def __init__(self):
        self.seen = []

    def classify(self, text, *, history=(), lang=None):
        self.seen.append(text)
        sure = "cancel" in text.lower() or "取消" in text
        return Classification((IntentGuess("cancel_order", 0.95 if sure else 0.2),), 0.98 if sure else 0.05)


class Search:
    def encode(self, texts, *, lang):
        return np.eye(len(texts), dtype=np.float32)

    def search(self, query, *, lang, history=(), k=5):
        return []

    def question(self, text, *, lang):
        return np.array([len(text) % 7, 1.0], dtype=np.float32) / 9


class Lookup:
    def intents(self, names, lang):
        return {CANCEL.name: CANCEL} if CANCEL.name in names else {}

    def passages(self, slug, lang):
        return []


@pytest.fixture
def assistant() -> Assistant:
    parts = {"classifier": Classifier(), "search": Search(), "writer": None, "lookup": Lookup()}
    return Assistant(release_id="r1", languages=("en", "zh"), **parts)


ORDER = Action(
    1, "order_status", "order_status", "https://shop.example", (Slot("order", "order"),),
    templates_from({"en": "It is on its way."}),
)  # fmt: skip
COMPLAINT = Action(
    2, "complaint", "complaint", "https://shop.example", (Slot("words", "text"),),
    templates_from({"en": "Noted: {words}"}),
)  # fmt: skip


class Bound:
    """The actions, with what they were asked to do."""

    def __init__(self, *actions: Action) -> None:
        self.actions, self.ran = actions, []

    def bound(self, intent, article_slug=None):
        return next((action for action in self.actions if action.intent == intent), None)

    def named(self, name):
        return next((action for action in self.actions if action.name == name), None)

    def enabled(self):
        return self.actions

    def unsuccessful(self, action, talk):
        return 0

    def run(self, action, slots, proof, talk, *, lang):
        self.ran.append({name: value.text for name, value in slots.items()})
        return Outcome("done", status=200)


def waiting(name: str, asked: str) -> Talk:
    return Talk("c", 3, pending=ActionTrace(name, "asking", asked=asked))


ANSWERED = (
    Message("customer", "How do I cancel?"),
    Message("bot", CANCEL.approved or "", topic="cancel_order"),
)


@pytest.mark.parametrize(
    "history", [(), ANSWERED, (*ANSWERED, Message("customer", "the machine is smoking!"))]
)
@pytest.mark.parametrize("options", [ALLOWED, DRAFTS])
def test_a_danger_is_told_what_to_do_and_handed_over_behind_any_history(assistant, options, history):
    reply, trace = assistant.reply("the machine is smoking!", options=options, history=history)
    assert (reply.kind, trace.parts[0].rule) == ("person", "danger")
    assert reply.text.startswith(DANGER_TEXTS["en"]["fire"])
    (part,) = reply.parts
    assert (part.sources, part.choices, reply.suggestions) == ((), (), ())
    assert trace.parts[0].draft is None and assistant._classifier.seen == []


@pytest.mark.parametrize(("name", "asked"), [("order_status", "order"), ("complaint", "words")])
def test_a_danger_ends_an_open_action(assistant, name, asked):
    assistant._actions = Bound(ORDER, COMPLAINT)
    reply, trace = assistant.reply("水壶漏电，我被电了一下", options=ALLOWED, talk=waiting(name, asked))
    assert reply.text.startswith(DANGER_TEXTS["zh"]["shock"])
    assert trace.parts[0].action is None and assistant._actions.ran == []


def test_who_asks_for_a_person_in_danger_gets_both(assistant):
    reply, trace = assistant.reply("my kettle caught fire, get me a human", options=ALLOWED)
    assert (reply.kind, trace.parts[0].rule) == ("person", "danger")
    assert "asks for a person" in trace.parts[0].reason


def test_a_site_can_switch_the_rule_off_and_choose_its_words(assistant):
    off = replace(ALLOWED, danger=False)
    assert assistant.reply("the machine is smoking!", options=off)[1].parts[0].rule != "danger"
    own = replace(ALLOWED, danger_texts={"en": {"fire": "Call 000."}})
    assert assistant.reply("the machine is smoking!", options=own)[0].text.startswith("Call 000.")


def test_an_agent_is_given_no_draft_at_a_danger(assistant):
    reply, trace = assistant.reply("refund, the machine is smoking!", options=ALLOWED, for_agents=True)
    assert reply.kind == "person" and trace.parts[0].draft is None


def test_anger_is_answered_with_regret_in_front_and_a_person_beside_it(assistant):
    reply, _ = assistant.reply("This is unacceptable. How do I cancel?", options=ALLOWED)
    assert reply.parts[0].text == f"{phrase('sorry_1', 'en')}\n\n{CANCEL.approved}"
    assert [choice.payload for choice in reply.parts[-1].choices] == [HANDOVER]
    told = Message("bot", reply.text, topic="cancel_order")
    again, _ = assistant.reply(
        "ridiculous, cancel it!!", options=ALLOWED, history=(Message("customer", "x"), told)
    )
    assert again.text.startswith(phrase("sorry_2", "en"))


def test_a_legal_threat_is_offered_a_person_once(assistant):
    reply, _ = assistant.reply("再不取消我就去消协起诉你们", options=ALLOWED)
    assert reply.text.startswith(phrase("sorry_legal_1", "zh"))
    assert [choice.payload for choice in reply.parts[-1].choices].count(HANDOVER) == 1


def test_an_agent_reads_no_regret(assistant):
    reply, _ = assistant.reply("This is unacceptable. How do I cancel?", options=ALLOWED, for_agents=True)
    assert phrase("sorry_1", "en") not in reply.text


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("my card number is 4111 1111 1111 1111, can you cancel", "en"),
        ("我的卡号是6222021234567890123，帮我取消", "zh"),
    ],
)
def test_who_sends_a_card_number_is_told_never_to(assistant, text, lang):
    reply, _ = assistant.reply(text, options=ALLOWED)
    assert reply.text.startswith(phrase("card_number", lang))
    assert (
        phrase("card_number", lang) not in assistant.reply("cancel [CARD] KC-204817", options=ALLOWED)[0].text
    )


def test_other_customers_data_are_refused_also_by_an_open_action(assistant):
    assistant._actions = Bound(ORDER)
    asked = "What's the address of the customer with order KC-204822?"
    for talk in (None, waiting("order_status", "order")):
        reply, trace = assistant.reply(asked, options=ALLOWED, talk=talk)
        assert (reply.kind, reply.text, trace.parts[0].rule) == (
            "unknown",
            phrase("others_data", "en"),
            "others_data",
        )
        assert assistant._actions.ran == []
    yes, _ = assistant.reply(
        "yes",
        options=ALLOWED,
        history=(
            Message("customer", asked),
            Message("bot", reply.text, offers_person=trace.parts[0].offers_person),
        ),
    )
    assert yes.kind == "person"


def test_beside_other_peoples_data_the_rest_is_answered(assistant):
    both = "How do I cancel? And what is the phone number of the customer with order KC-204822?"
    reply, trace = assistant.reply(both, options=ALLOWED)
    assert {part.rule for part in trace.parts} >= {"others_data"} and assistant._classifier.seen != []
    assert phrase("others_data", "en") in reply.text
