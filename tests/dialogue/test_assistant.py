"""The assistant with small stand-ins for the models: what is sent, and what the trace holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from chatbot.dialogue import speaking
from chatbot.dialogue.actions import Action, Outcome, Slot, Talk, templates_from
from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.saying import ARTICLE, HANDOVER, INTENT
from chatbot.dialogue.trace import ActionTrace, Classification, Hit, IntentGuess, Message, Tagged, bot_message
from chatbot.dialogue.weighing import KnownIntent, Weighing, Weights
from chatbot.inference.generate import Candidate
from chatbot.retrieval.spelling import Spelling

CANCEL = KnownIntent("cancel_order", "Cancel an order", "cancel-order", "You can cancel within 2 hours.")
REFUND = KnownIntent("refund_time", "Refund time", "refund-time", None)
REFUND_TEXT = "The refund is sent back within 3 working days to the original payment method."
CANCEL_TEXT = "Orders can be cancelled in the shop too, at the counter."
ALLOWED = SiteOptions(mode="generated_allowed")
DRAFTS = SiteOptions(mode="drafts_only")


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

    def question(self, text, *, lang):
        """A direction for each thing that is asked about here, and one for anything else."""
        told = [float(word in text.lower()) for word in ("refund", "cancel")]
        return np.array([*told, float(not any(told))], dtype=np.float32)


@dataclass
class Writer:
    text: str = REFUND_TEXT

    def generate(self, history, sources, *, intent=None, lang="en", beam=1, max_tokens=60, min_tokens=2):
        return [Candidate(self.text, -0.1)]


class Lookup:
    def intents(self, names, lang):
        return {known.name: known for known in (CANCEL, REFUND) if known.name in names}

    def passages(self, slug, lang):
        texts = {"refund-time": REFUND_TEXT, "cancel-order": CANCEL_TEXT}
        return [passage(slug, texts[slug])] if slug in texts else []


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


def test_a_generator_that_has_not_passed_its_gate_writes_for_agents_alone():
    parts = {"classifier": Classifier(), "search": Search(), "lookup": Lookup()}
    unproven = Assistant(release_id="r1", languages=("en", "zh"), writer=Writer(), writes=("zh",), **parts)
    asked = "Where is my refund?"
    reply, trace = unproven.reply(asked, options=ALLOWED)
    assert (reply.kind, trace.parts[0].draft) == ("passage", None)
    assert "have not passed their measure in this language" in trace.parts[0].reason
    _, trace = unproven.reply(asked, options=ALLOWED, for_agents=True)
    assert trace.parts[0].draft is not None and trace.parts[0].draft.check.passed


def test_behind_something_a_sentence_must_be_surer(assistant, monkeypatch):
    before = [Message("customer", "Where is my refund?"), Message("bot", "In 3 days.", "refund_time")]
    asked = "And the refund of my brother?"
    assert assistant.reply(asked, options=ALLOWED, history=before)[0].kind == "generated"
    monkeypatch.setattr(speaking, "NEEDED", (speaking.NEEDED[0], 1.0))
    reply, trace = assistant.reply(asked, options=ALLOWED, history=before)
    assert reply.kind == "passage"
    assert "needs 1.00" in trace.parts[0].reason
    assert assistant.reply(asked, options=ALLOWED)[0].kind == "generated"


def test_the_trace_holds_every_passage_that_the_draft_was_written_from(assistant):
    further = passage("refund-time-2", "A credit card can take 3 working days more.")
    further = replace(further, article_slug="refund-time")
    assistant._lookup.passages = lambda slug, lang: [passage("refund-time", REFUND_TEXT), further]
    _, trace = assistant.reply("Where is my refund?", options=ALLOWED)
    part = trace.parts[0]
    assert part.draft is not None and len(part.draft.passage_ids) == 2
    held = {hit.passage_id: hit.text for hit in part.hits}
    assert [held[number] for number in part.draft.passage_ids] == [REFUND_TEXT, further.text]


def test_the_trace_holds_what_the_request_names_and_no_more_than_the_models_read(assistant):
    def named(text):
        assert "@" not in text
        place = text.index("refund")
        return [Tagged("wish", place, place + 6, "refund", 0.8)]

    assistant._named = named
    _, trace = assistant.reply("Where is my refund? I am ana@mail.example", options=ALLOWED)
    assert [(one.kind, one.text) for one in trace.parts[0].entities] == [("wish", "refund")]
    assert trace.as_json()["parts"][0]["entities"][0]["confidence"] == 0.8


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


def test_in_a_hurry_the_passage_is_sent_that_a_draft_would_be_written_from_and_the_trace_says_so(assistant):
    def hurried() -> bool:
        asked.append("draft")
        return True

    asked: list[str] = []
    reply, trace = assistant.reply("Where is my refund?", options=ALLOWED, hurried=hurried)
    part = trace.parts[0]
    assert (reply.kind, reply.text) == ("passage", REFUND_TEXT)
    assert part.left_out and part.draft is None
    assert part.reason.endswith("the draft was left out: too many messages at once")
    _, for_agents = assistant.reply("Where is my refund?", options=DRAFTS, hurried=hurried, for_agents=True)
    assert for_agents.parts[0].left_out and for_agents.parts[0].draft is None
    assert asked == ["draft", "draft"]


def test_where_no_draft_is_due_a_hurry_changes_nothing_and_is_not_even_asked_about(assistant):
    def hurried() -> bool:
        raise AssertionError("no draft was due")

    for text, options in (
        ("How do I cancel?", ALLOWED),
        ("Where is my refund?", SiteOptions()),
        ("Hello!", ALLOWED),
    ):
        told, trace = assistant.reply(text, options=options, hurried=hurried)
        same, before = assistant.reply(text, options=options)
        assert told == same and trace.parts == before.parts and not trace.parts[0].left_out


def test_a_customer_does_not_wait_for_a_draft_that_could_not_be_sent_but_an_agent_is_given_it(assistant):
    assistant._search.search = lambda query, *, lang, history=(), k=5: [
        passage("refund-time", REFUND_TEXT, 0.7)
    ]
    assistant._classifier = None
    _, to_customer = assistant.reply("Where is my money?", options=ALLOWED)
    reply, to_agent = assistant.reply("Where is my money?", options=DRAFTS, for_agents=True)
    assert to_customer.parts[0].draft is None
    assert to_agent.parts[0].draft is not None and reply.kind == "passage"


def test_of_many_requests_the_first_three_are_answered_and_the_rest_can_be_tapped(assistant):
    asked = (
        "Where is my refund? Also, how do I cancel? Also, my refund? Also, can you cancel KC-204817 for me?"
    )
    reply, trace = assistant.reply(asked, options=ALLOWED)
    assert len(reply.parts) == len(trace.parts) == 3
    assert reply.suggestions[-1] == "can you cancel KC-204817 for me?"
    assert reply.text.endswith(phrase("more_requests", "en"))
    once, _ = assistant.reply("Where is my refund? Also, how do I cancel?", options=ALLOWED)
    assert phrase("more_requests", "en") not in once.text and once.suggestions == ()


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


def test_who_declines_a_person_is_given_none_whatever_the_classifier_reads(assistant):
    person = Classification((IntentGuess("talk_to_person", 0.99),), 1.0)
    assistant._classifier.classify = lambda text, *, history=(), lang=None: person
    assert assistant.reply("get me out of this chat", options=ALLOWED)[0].kind == "person"
    reply, _ = assistant.reply("I don't want to talk to a person, where is my refund?", options=ALLOWED)
    assert reply.kind != "person"


def test_not_knowing_offers_a_person_and_says_so_differently_the_second_time(assistant):
    first, _ = assistant.reply("what about dragons", options=ALLOWED)
    second, _ = assistant.reply("what about unicorns", options=ALLOWED, failures=1)
    assert first.kind == second.kind == "unknown"
    assert first.parts[0].choices[-1].payload == HANDOVER
    assert first.text != second.text


def test_a_paste_of_pages_is_asked_what_it_wants_to_know_and_not_answered_by_its_first_lines(assistant):
    pasted = "How do I cancel? You can cancel an order until it is packed. "
    reply, trace = assistant.reply(pasted * 40, options=ALLOWED)
    assert (reply.kind, trace.parts[0].rule) == ("unknown", "too_long")
    assert reply.text == phrase("too_long", "en") and reply.parts[0].choices[-1].payload == HANDOVER
    assert assistant.reply(pasted * 3, options=ALLOWED)[0].kind != "unknown"
    agreed, _ = assistant.reply("yes please", options=ALLOWED, history=told(reply, trace, pasted * 40))
    assert agreed.kind == "person"


def test_the_same_question_again_is_not_answered_with_the_same_words(assistant):
    history = [Message("customer", "How do I cancel?"), Message("bot", CANCEL.approved or "")]
    reply, trace = assistant.reply("how do i cancel?", options=ALLOWED, history=history)
    assert (reply.kind, trace.parts[0].rule) == ("unknown", "asked_again")


def test_what_was_sent_word_for_word_is_not_sent_again_to_who_asks_in_other_words(assistant):
    def asked(text, *sent, options=ALLOWED, before="refund? cancel?", **more):
        history = [Message("customer", before), *(Message("bot", one) for one in sent)]
        return assistant.reply(text, options=options, history=history, **more)

    written = Writer().text
    with_another = f"{REFUND_TEXT}\n\n{CANCEL.approved}"
    for text, sent, options in (
        ("How could I cancel?", CANCEL.approved, ALLOWED),
        ("How could I cancel?", with_another, ALLOWED),
        ("What of my refund?", written, ALLOWED),
        ("What of my refund?", REFUND_TEXT, SiteOptions()),
    ):
        reply, trace = asked(text, sent, options=options)
        assert (reply.kind, trace.parts[0].rule) == ("unknown", "sent_before")
        assert reply.text == phrase("asked_again", "en") and reply.parts[0].choices[-1].payload == HANDOVER
        assert asked(text, sent, options=options, for_agents=True)[0].kind in (
            "approved",
            "passage",
            "generated",
        )
        assert (
            asked(text, sent, options=options, before="and in Spain?")[0].kind != "unknown"
        )  # goes on asking
    assert asked("What of my refund?", "Refunds take 3 working days.")[0].text == written  # other words
    assert asked("How could I cancel?", f"Yes. {CANCEL.approved}")[0].kind == "approved"
    assert asked("Hello!", phrase("greeting", "en"))[0].kind == "smalltalk"


def test_a_written_text_that_names_what_the_customer_wrote_is_known_again(assistant):
    mail = "jane@example.com"
    assistant._writer = Writer("The refund goes to [EMAIL] within 3 working days.")
    looked_up = Message("action", f"refund to {mail} within 3 working days")  # of passages it is not said
    history = [Message("customer", f"my refund, {mail}?"), looked_up]
    first, _ = assistant.reply(f"Where is my refund for {mail}?", options=ALLOWED, history=history)
    assert first.kind == "generated" and mail in first.text
    history.append(Message("bot", first.text))
    _, trace = assistant.reply(f"my refund to {mail}, when?", options=ALLOWED, history=history)
    assert trace.parts[0].rule == "sent_before"


@pytest.mark.parametrize(
    "text",
    [
        "How do I cancel?",
        "Where is my refund? Also, how do I cancel?",
        "what about dragons",
        "Где мой заказ?",
        "👋",
        INTENT + "cancel_order",
        ARTICLE + "refund-time",
        INTENT + "no_such",
    ],
)
def test_where_drafts_are_for_agents_alone_a_person_answers_every_question(assistant, text):
    assistant._actions = Bound(ORDER, replace(COMPLAINT, intent="cancel_order"))
    reply, trace = assistant.reply(text, options=DRAFTS, talk=Talk("c", 1), locale="en")
    assert [part.kind for part in reply.parts] == ["person"] and trace.parts[0].rule == "drafts_only"
    assert (reply.text, trace.parts[0].draft) == (phrase("person", "en"), None)
    assert assistant._actions.ran == []


def test_where_drafts_are_for_agents_alone_small_talk_and_a_running_action_go_on(assistant):
    assistant._actions = Bound(ORDER)
    assert assistant.reply("Hello!", options=DRAFTS)[0].kind == "smalltalk"
    told, _ = assistant.reply("KC-204817", options=DRAFTS, talk=waiting("order_status", "order"))
    assert told.text == "It is on its way."
    left, _ = assistant.reply("what about dragons", options=DRAFTS, talk=waiting("order_status", "order"))
    assert left.kind == "person"
    assert assistant.reply("I want a human", options=DRAFTS)[1].parts[0].rule == "asked_for_person"


def test_an_agent_is_given_drafts_though_customers_get_none_and_though_it_is_asked_again(assistant):
    history = [Message("customer", "How do I cancel?"), Message("bot", phrase("person", "en"))]
    approved, _ = assistant.reply("How do I cancel?", options=DRAFTS, history=history, for_agents=True)
    assert approved.text == CANCEL.approved
    _, trace = assistant.reply("Where is my refund?", options=DRAFTS, for_agents=True)
    assert trace.parts[0].draft is not None and trace.parts[0].draft.check.passed


def test_a_tapped_choice_is_answered(assistant):
    assert assistant.reply(INTENT + "cancel_order", options=ALLOWED)[0].kind == "approved"
    assert assistant.reply(ARTICLE + "refund-time", options=ALLOWED)[0].text == REFUND_TEXT
    assert assistant.reply(INTENT + "no_such", options=ALLOWED)[0].kind == "unknown"


def test_a_tap_is_answered_in_the_language_of_the_conversation_and_no_model_reads_the_payload(assistant):
    """A payload is Latin letters whatever the customer speaks."""
    asked = []
    known, passages = assistant._lookup.intents, assistant._lookup.passages
    assistant._lookup.intents = lambda names, lang: asked.append(lang) or known(names, lang)
    assistant._lookup.passages = lambda slug, lang: asked.append(lang) or passages(slug, lang)
    for payload in (INTENT + "cancel_order", ARTICLE + "refund-time"):
        _, trace = assistant.reply(payload, options=ALLOWED, locale="zh-CN")
        assert trace.parts[0].lang == "zh"
    assert set(asked) == {"zh"}
    assert "人工" in assistant.reply(HANDOVER, options=ALLOWED, locale="zh")[0].text
    for payload in (INTENT + "refund", ARTICLE + "gone"):
        reply, trace = assistant.reply(payload, options=ALLOWED, locale="zh")
        assert (reply.kind, trace.parts[0].rule) == ("unknown", "tapped")
        assert reply.parts[0].choices[-1].payload == HANDOVER and "人工" in reply.text
    assert assistant._classifier.seen == []
    english = [Message("customer", "How do I cancel?"), Message("bot", "?")]  # on a Chinese page
    assert "colleague" in assistant.reply(HANDOVER, options=ALLOWED, history=english, locale="zh")[0].text


def test_what_has_nothing_to_say_in_this_language_is_neither_sent_nor_offered(assistant):
    """The classifier knows the intent from English; its article is not there in Chinese."""
    assistant._lookup.passages = lambda slug, lang: []
    assistant._search.search = lambda query, *, lang, history=(), k=5: []
    for sureness in (0.5, 0.99):
        reply, trace = assistant.reply("refund", options=replace(ALLOWED, sureness=sureness))
        assert (reply.kind, trace.parts[0].rule) == ("unknown", "not_known")
        assert [choice.payload for choice in reply.parts[0].choices] == [HANDOVER]
        assert trace.parts[0].classification.ranked[0].name == "refund_time"


def test_models_read_redacted_text(assistant):
    assistant.reply("cancel it, I am jane@example.com", options=ALLOWED)
    assert all("jane@example.com" not in text for text in assistant._classifier.seen)


def test_a_middling_candidate_becomes_a_choice(assistant):
    doubtful = replace(ALLOWED, sureness=0.97)
    reply, trace = assistant.reply("how to cancel", options=doubtful)
    assert (reply.kind, trace.parts[0].rule) == ("choices", "perhaps")
    assert reply.parts[0].choices[0].payload == INTENT + "cancel_order"
    assert trace.topic is None
    assert trace.perhaps[0] == ("cancel_order", pytest.approx(reply.parts[0].confidence, abs=1e-4))
    answered = assistant.reply("how to cancel", options=ALLOWED)[1]
    assert (answered.topic, answered.perhaps) == ("cancel_order", ())


def test_models_read_the_words_that_were_meant_and_the_trace_holds_both(assistant):
    assistant._spelling = Spelling({"refund": 1, "cancel": 2, "where": 3}, lambda word: 0)
    reply, trace = assistant.reply("Where is my refnud?", options=ALLOWED)
    assert (reply.kind, trace.parts[0].request) == ("generated", "Where is my refnud?")
    assert trace.parts[0].read_as == assistant._classifier.seen[-1] == "Where is my refund?"
    both, trace = assistant.reply("Where is my refnud? And how do I cnacel?", options=ALLOWED)
    assert [part.kind for part in both.parts] == ["generated", "approved"]
    _, trace = assistant.reply("Where is my refund?", options=ALLOWED)
    assert trace.parts[0].read_as == ""


def test_a_question_that_leaves_out_the_product_is_read_again_with_its_name_where_it_is_not_understood():
    class Names(Search):
        def search(self, query, *, lang, history=(), k=5):
            return (
                [passage("machines", "Crane Mini: €249, in black.", 0.9)] if "crane" in query.lower() else []
            )

    class Article(Lookup):
        def passages(self, slug, lang):
            return [passage(slug, "Crane Mini: €249, in black.")]

    assistant = Assistant(
        release_id="r1", languages=("en", "zh"), classifier=None, search=Names(), writer=None, lookup=Article(),
        names=("crane", "mini"),
    )  # fmt: skip
    before = [Message("customer", "i like the crane mini"), Message("bot", "It is nice.", "article:machines")]
    told, trace = assistant.reply("how much is it?", options=ALLOWED, history=before)
    assert (told.kind, trace.parts[0].read_as) == ("passage", "how much is the crane mini?")
    told, trace = assistant.reply("is it vegan?", options=ALLOWED, history=before)
    assert (told.kind, trace.parts[0].read_as) == ("unknown", "")
    assert assistant.reply("how much is it?", options=ALLOWED)[0].kind == "unknown"


def test_a_passage_about_another_product_than_was_named_is_not_shown(assistant):
    general, one, mini = (
        replace(passage("descale", text), passage_id=number, title_path=path)
        for number, (text, path) in enumerate(
            [
                ("Do it every month.", "Descale"),
                ("Hold Steam.", "Descale › The Crane One"),
                ("It has no refund programme.", "Descale › The Crane Mini"),
            ]
        )
    )

    class Found(Search):
        def search(self, query, *, lang, history=(), k=5):
            return [replace(mini, score=0.9)]

    class Article(Lookup):
        def passages(self, slug, lang):
            return [general, one, mini]

    assistant._search, assistant._lookup, assistant._classifier = Found(), Article(), None
    options = SiteOptions(mode="approved_and_cited")
    told, trace = assistant.reply("How do I descale my Crane One?", options=options)
    assert (told.text, trace.parts[0].hits[0].text) == ("Hold Steam.", "Hold Steam.")
    told, _ = assistant.reply("How do I descale?", options=options)
    assert told.text.startswith("Do it every month.\n\nThe Crane One\nHold Steam.")


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
    assert [(event.name, event.text) for event in proposing.seen] == [
        ("order_status", "where is it"),
        ("cancel_order", f"How do I cancel? {CANCEL.approved}"),
    ]
    assert trace.parts[0].topic == "cancel_order"
    tapped = Talk("c", 3, offered={"Refund time？": "refund_time"})  # as a Chinese title ends
    assert assistant.reply("Refund time？", options=ALLOWED, talk=tapped)[0].text == REFUND_TEXT
    assert assistant._classifier.seen == ["How do I cancel?"]
    assistant.reply(INTENT + "cancel_order", options=ALLOWED, talk=Talk("c", 4))
    assert proposing.seen[-1].text == f"Cancel an order {CANCEL.approved}"
    assert assistant.reply("what about dragons", options=ALLOWED, talk=talk)[0].suggestions == ()
    assert assistant.reply("How do I cancel?", options=ALLOWED)[0].suggestions == ()


def test_nothing_is_proposed_that_was_asked_before_or_stood_under_the_last_answer(assistant):
    assistant._next = Next("cancel_order", "refund_time")

    def proposed(**talk):
        return assistant.reply("How do I cancel?", options=ALLOWED, talk=Talk("c", 2, **talk))[1].suggested

    assert proposed() == ("refund_time",)  # what was just answered is not the next question
    assert proposed(topics=[("order_status", "where is it")]) == ("refund_time",)
    assert proposed(topics=[("refund_time", "how long"), ("order_status", "where is it")]) == ()
    assert proposed(offered={"Refund time": "refund_time"}) == ()


def test_no_more_is_looked_up_than_is_proposed(assistant):
    names = [f"article:{number}" for number in range(5)]
    looked: list[str] = []

    class Many(Lookup):
        def intents(self, names, lang):
            known = {
                name: KnownIntent(name, name, name[8:], None) for name in names if name.startswith("article:")
            }
            return known | super().intents(names, lang)

        def passages(self, slug, lang):
            looked.append(slug)
            return [passage(slug, REFUND_TEXT)] if slug != "1" else []

    assistant._next, assistant._lookup = Next(*names), Many()
    reply, _ = assistant.reply("How do I cancel?", options=ALLOWED, talk=Talk("c", 2))
    assert reply.suggestions == ("article:0", "article:2", "article:3") and looked[-4:] == [
        "0",
        "1",
        "2",
        "3",
    ]


# --- an action that waits for an answer ----------------------------------------------------------------------

ORDER = Action(
    1,
    "order_status",
    "order_status",
    "https://shop.example",
    (Slot("order", "order"),),
    templates_from({"en": "It is on its way."}),
)
COMPLAINT = Action(
    2,
    "complaint",
    "complaint",
    "https://shop.example",
    (Slot("words", "text"),),
    templates_from({"en": "Noted: {words}"}),
)


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


@pytest.mark.parametrize("payload", [ARTICLE + "refund-time", INTENT + "cancel_order", "Refund time"])
@pytest.mark.parametrize(("name", "asked"), [("order_status", "order"), ("complaint", "words")])
def test_a_tap_while_an_action_waits_is_answered_and_is_no_detail_of_it(assistant, payload, name, asked):
    assistant._actions = Bound(ORDER, COMPLAINT)
    talk = replace(waiting(name, asked), offered={"Refund time": "article:refund-time"})
    reply, trace = assistant.reply(payload, options=ALLOWED, talk=talk)
    assert reply.kind in ("approved", "passage") and assistant._actions.ran == []
    waits = trace.parts[-1].action
    assert (waits.name, waits.state, waits.asked, waits.paused) == (name, "paused", asked, 1)
    if name == "order_status":
        told, _ = assistant.reply("KC-204817", options=ALLOWED, talk=replace(talk, pending=waits))
        assert told.text == "It is on its way." and assistant._actions.ran == [{"order": "KC-204817"}]


def test_other_words_after_a_pause_are_no_answer_to_a_question_for_words(assistant):
    assistant._actions = Bound(COMPLAINT)
    talk = Talk("c", 4, pending=ActionTrace("complaint", "paused", asked="words", paused=1))
    reply, trace = assistant.reply("what about dragons", options=ALLOWED, talk=talk)
    assert (reply.kind, trace.parts[0].action.state, assistant._actions.ran) == ("ask", "asking", [])
    told, _ = assistant.reply("dragons!", options=ALLOWED, talk=replace(talk, pending=trace.parts[0].action))
    assert told.text == "Noted: dragons!"


def test_what_was_understood_of_a_message_is_answered_while_an_action_waits(assistant, monkeypatch):
    assistant._actions = Bound(ORDER)
    monkeypatch.setattr(assistant, "_requests", lambda *_: ["what about dragons", "How do I cancel?"])
    talk = waiting("order_status", "order")
    reply, trace = assistant.reply("dragons and cancelling", options=ALLOWED, talk=talk)
    assert [part.kind for part in reply.parts] == ["unknown", "approved"]
    assert trace.parts[-1].action.state == "paused"
    monkeypatch.setattr(assistant, "_requests", lambda *_: ["what about dragons"])
    reply, trace = assistant.reply("dragons", options=ALLOWED, talk=talk)
    assert (reply.kind, trace.parts[0].action.asked) == ("ask", "order")


STAYING = Weighing({"*": Weights(stay=9.0, stay_long=-1.0)})
ASKED = [
    Message("customer", "How do I cancel?"),
    Message("bot", CANCEL.approved or "", "cancel_order"),
]


def test_a_few_words_after_an_answer_ask_on_about_it():
    assistant = Assistant(
        release_id="r1",
        languages=("en",),
        classifier=Classifier(),
        search=Search(),
        writer=None,
        lookup=Lookup(),
        weighing=STAYING,
    )
    alone, _ = assistant.reply("and in a shop?", options=SiteOptions())
    assert alone.kind == "unknown"
    reply, trace = assistant.reply("and in a shop?", options=SiteOptions(), history=ASKED)
    # the approved answer stands in the history already: what the article says is sent
    assert (reply.kind, reply.text) == ("passage", CANCEL_TEXT)
    assert trace.parts[0].topic == "cancel_order"
    after_a_person = [*ASKED[:1], Message("agent", "I have cancelled it.")]
    assert (
        assistant.reply("and in a shop?", options=SiteOptions(), history=after_a_person)[0].kind == "unknown"
    )


def test_of_a_code_that_nothing_explains_that_is_said(assistant, monkeypatch):
    near = replace(
        passage("error-e-4012", "The tank is empty.", 0.5), title="Error E-4012", title_path="Error E-4012"
    )
    monkeypatch.setattr(assistant._search, "search", lambda *_, **__: [near])
    monkeypatch.setattr(assistant._classifier, "classify", lambda *_, **__: Classification((), 0.97))
    reply, trace = assistant.reply("it shows E-1203", options=SiteOptions())
    assert (reply.kind, trace.parts[0].rule) == ("unknown", "not_known")
    assert reply.text == phrase("unknown_code", "en")
    assert "E-1203" in trace.parts[0].reason
    assert reply.parts[0].choices[-1].payload == HANDOVER


def test_who_writes_in_another_language_is_told_which_are_spoken_where_nothing_answers(
    assistant, monkeypatch
):
    monkeypatch.setattr(assistant._search, "search", lambda *_, **__: [])
    monkeypatch.setattr(assistant._classifier, "classify", lambda *_, **__: Classification((), 0.02))
    reply, trace = assistant.reply("Wo ist meine Bestellung?", options=SiteOptions())
    assert (reply.text, trace.parts[0].rule) == (phrase("unreadable", "en"), "not_known")
    monkeypatch.setattr(
        assistant._search, "search", lambda *_, **__: [passage("cancel-order", CANCEL_TEXT, 0.99)]
    )
    assert assistant.reply("Wo ist meine Bestellung?", options=SiteOptions())[0].text == CANCEL_TEXT


def test_a_bare_variant_is_answered_from_what_was_spoken_of_or_not_known(assistant, monkeypatch):
    monkeypatch.setattr(
        assistant._search, "search", lambda *_, **__: [passage("cancel-order", CANCEL_TEXT, 0.99)]
    )
    before = [Message("customer", "Where is my refund?"), Message("bot", REFUND_TEXT, "refund_time")]
    reply, trace = assistant.reply("and the blue one?", options=SiteOptions(), history=before)
    assert (reply.kind, trace.parts[0].rule) == ("unknown", "not_known")
    assert trace.parts[0].reason == "what was spoken of does not name this variant: blue"
    assert reply.parts[0].choices[-1].payload == HANDOVER
    lamp = Classification((IntentGuess("cancel_order", 0.9),), 0.97)  # that another article has a blue lamp
    monkeypatch.setattr(assistant._classifier, "classify", lambda *_, **__: lamp)
    assert assistant.reply("and the blue one?", options=SiteOptions(), history=before)[0].kind == "unknown"
    blue = passage("refund-time", "A blue voucher is paid back in 5 days.")
    monkeypatch.setattr(assistant._lookup, "passages", lambda slug, lang: [passage(slug, REFUND_TEXT), blue])
    reply, trace = assistant.reply("and the blue one?", options=SiteOptions(), history=before)
    assert (reply.kind, reply.text, trace.topic) == ("passage", blue.text, "refund_time")


def told(reply, trace, asked):
    return [
        Message("customer", asked),
        bot_message(reply.text, trace.topic, trace.perhaps, reply.as_json(), trace.as_json()),
    ]


@pytest.mark.parametrize(
    ("locale", "asked", "yes", "no"),
    [("en", "How tall is the Eiffel tower?", "ok", "no need"), ("zh", "埃菲尔铁塔多高", "好的", "不用了")],
)
@pytest.mark.parametrize("failures", [0, 1])
def test_a_yes_to_any_offer_of_a_person_is_one_and_a_no_is_not(assistant, locale, asked, yes, no, failures):
    reply, trace = assistant.reply(asked, options=ALLOWED, locale=locale, failures=failures)
    assert reply.kind == "unknown" and trace.parts[0].offers_person
    before = told(reply, trace, asked)
    agreed, trace = assistant.reply(yes, options=ALLOWED, locale=locale, history=before)
    assert (agreed.kind, agreed.text) == ("person", phrase("person", locale))
    assert trace.parts[0].rule == "asked_for_person"
    refused, _ = assistant.reply(no, options=ALLOWED, locale=locale, history=before)
    assert (refused.kind, refused.text) == ("smalltalk", phrase("declined", locale))


def test_who_asks_whether_it_is_a_bot_is_told_and_offered_a_person(assistant):
    asked = "am I talking to a robot or a person?"
    reply, trace = assistant.reply(asked, options=ALLOWED)
    assert reply.text == phrase("about_bot", "en")
    assert [choice.payload for choice in reply.parts[0].choices] == [HANDOVER]
    assert (
        assistant.reply("yes please", options=ALLOWED, history=told(reply, trace, asked))[0].kind == "person"
    )


def test_one_candidate_is_asked_by_its_name_and_a_choice_is_taken_by_its_place_or_title(assistant):
    asked = "how to cancel"
    reply, trace = assistant.reply(asked, options=replace(ALLOWED, sureness=0.97))
    assert reply.kind == "choices" and len(reply.parts[0].choices) == 2
    assert reply.text == f"Did you mean “{reply.parts[0].choices[0].title.rstrip('?')}”?"
    before = told(reply, trace, asked)
    for text in ("the first one", "yes", reply.parts[0].choices[0].title):
        taken, after = assistant.reply(text, options=ALLOWED, history=before)
        assert (taken.kind, after.parts[0].rule) == ("approved", "tapped")
    assert assistant.reply("no", options=ALLOWED, history=before)[0].text == phrase("not_meant", "en")


def test_questions_are_searched_and_compared_without_a_reply(assistant):
    (hit,) = assistant.search("when is my refund", lang="en", k=1)
    assert (hit.article_slug, hit.score) == ("refund-time", 0.9)
    assert assistant.meanings(["a", "b"], lang="zh").shape == (2, 2)
    assert assistant.meanings(["a", "b"], lang="de") is None
    own = Assistant(
        release_id="r1",
        languages=("en",),
        classifier=None,
        search=Search(),
        writer=None,
        lookup=Lookup(),
        own_encoders=("en",),
    )
    assert own.meanings(["a", "b"], lang="en") is None


def test_slips_are_looked_up_once_a_message(assistant):
    asked = []
    assistant._spelling.mended = lambda text, *, lang: asked.append(text) or text
    assistant.reply("Where is my refund? And how do I cancel?", options=ALLOWED)
    assert len(asked) == len(set(asked)) > 1


@pytest.mark.parametrize(("call", "locale"), [("HELLO??", "en"), ("anyone there?", "en"), ("人呢？？", "zh")])
def test_who_calls_behind_an_answer_hears_that_the_bot_is_there(assistant, call, locale):
    behind = [Message("customer", "Where is my refund?"), Message("bot", "Within a week.")]
    reply, _ = assistant.reply(call, options=ALLOWED, history=behind, locale=locale)
    assert (reply.kind, reply.text) == ("smalltalk", phrase("still_here", locale))
    opening, _ = assistant.reply(call, options=ALLOWED, locale=locale)
    assert (opening.kind, opening.text) == ("smalltalk", phrase("greeting", locale))


def test_marks_alone_are_no_request_beside_thanks(assistant):
    reply, _ = assistant.reply("谢谢！！", options=ALLOWED, locale="zh")
    assert (reply.kind, reply.text) == ("smalltalk", phrase("thanks", "zh"))


def test_details_that_nobody_asked_for_are_no_question(assistant):
    reply, trace = assistant.reply("my email is jane@example.com", options=ALLOWED)
    assert (reply.kind, reply.text, trace.parts[0].rule) == (
        "unknown",
        phrase("only_details", "en"),
        "only_details",
    )
    behind = [
        Message("customer", "my email is jane@example.com"),
        Message("bot", reply.text, offers_person=True),
    ]
    assert trace.parts[0].offers_person
    taken, _ = assistant.reply("yes", options=ALLOWED, history=behind)
    assert taken.kind == "person"


def test_who_only_scolds_is_asked_what_went_wrong(assistant):
    reply, _ = assistant.reply(
        "you are a bunch of scammers", options=replace(ALLOWED, choice_floor=0.9, sureness=0.95)
    )
    assert reply.text == f"{phrase('sorry_1', 'en')}\n\n{phrase('upset_unknown', 'en')}"
