"""An action over the turns of a conversation: what is asked, what is sent, what is said, and what never is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from chatbot.dialogue.acting import ANYTHING, PROOF, act, complete, gives
from chatbot.dialogue.action_calls import KEY_HEADER, Request, call
from chatbot.dialogue.actions import Action, Outcome, Proof, Said, Slot, Talk, templates_from
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.trace import ActionTrace, Tagged
from chatbot.errors import InputError, OutboundError
from chatbot.outbound import Fetched
from chatbot.signatures import HEADER

ORDER = Slot("order", "order", {"en": "Which order?", "zh": "哪个订单？"})
TEMPLATES = templates_from(
    {
        "en": "[status=sent]\nOrder {order} is with {carrier.name}.\n[]\nOrder {order}: {status}.",
        "zh": "订单 {order}：{status}。",
    }
)
STATUS = Action(1, "order_status", "order_status", "https://shop.example/orders", (ORDER,), TEMPLATES)
OWN = Action(
    2, "invoice", "invoice", "https://shop.example/invoice", (ORDER,), templates_from({"en": "Invoice {total}."}),
    proof=Proof("answer", ("email", "postcode"), {"email": "buyer.email", "postcode": "zip", "identity": "buyer.id"}),
)  # fmt: skip
CANCEL = Action(
    3, "cancel", "cancel", "https://shop.example/cancel",
    (ORDER, Slot("sure", "confirm", {"en": "Cancel {order}?"})),
    templates_from({"en": "Order {order} is cancelled."}), changes=True, proof=Proof("service"),
)  # fmt: skip


class Service:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes, self.asked, self.lost = list(outcomes), [], 0

    def bound(self, intent: str | None, article_slug: str | None = None) -> Action | None:
        return None

    def named(self, name: str) -> Action | None:
        return None

    def enabled(self) -> list[Action]:
        return []

    def unsuccessful(self, action: Action, talk: Talk) -> int:
        return self.lost

    def run(self, action: Action, slots: Any, proof: Mapping[str, str], talk: Talk, *, lang: str) -> Outcome:
        self.asked.append(({name: value.value for name, value in slots.items()}, dict(proof)))
        outcome = self.outcomes.pop(0)
        self.lost = 0 if outcome.result == "done" else self.lost + 1
        return outcome


class Conversation:
    """Plays a customer's messages one by one, each with the state the bot's last turn left."""

    def __init__(self, action: Action, service: Service, **known: Any) -> None:
        self.action, self.service, self.known = action, service, known
        self.said: list[Said] = []
        self.pending = None

    def say(self, text: str, *, lang: str = "en") -> Any:
        talk = Talk("c1", len(self.said) + 1, tuple(self.said), self.pending, **self.known)
        acted = act(self.action, talk, text, self.service, lang=lang)
        asked = self.pending.asked if self.pending is not None and self.pending.open else None
        of = self.pending.name if asked is not None else ""
        self.said.append(Said(text, asked, of, talk.turn_id))
        self.pending = acted.trace
        return acted


def done(**answer: Any) -> Outcome:
    return Outcome("done", status=200, attempts=1, answer=answer)


def test_a_detail_that_was_given_is_not_asked_for_and_the_answer_fills_the_template_that_fits() -> None:
    service = Service(done(status="sent", carrier={"name": "Heron"}))
    acted = Conversation(STATUS, service).say("Where is my order KC-204817?")
    assert (acted.kind, acted.text) == ("approved", "Order KC-204817 is with Heron.")
    assert service.asked == [({"order": "KC204817"}, {})]
    assert "204817" not in json.dumps([acted.trace.detail, acted.trace.filled, acted.reason])


def test_a_missing_detail_is_asked_for_in_the_language_and_its_answer_is_read_freely() -> None:
    talk = Conversation(STATUS, Service(done(status="ready"), done(status="到")))
    asked = talk.say("Where is my order?")
    assert (asked.kind, asked.text, asked.trace.asked) == ("ask", "Which order?", "order")
    assert talk.say("it's 20481").text == "Order 20481: ready."
    assert Conversation(STATUS, Service()).say("我的订单呢", lang="zh").text == "哪个订单？"


def test_a_detail_from_an_earlier_turn_is_remembered_and_the_newest_counts() -> None:
    service = Service(done(status="ready"))
    talk = Conversation(STATUS, service)
    talk.said = [Said("I ordered KC-111111"), Said("sorry, KC-222222")]
    talk.say("where is it?")
    assert service.asked[0][0] == {"order": "KC222222"}


def test_personal_data_wants_a_second_proof_and_a_wrong_one_sounds_like_an_unknown_order() -> None:
    service = Service(Outcome("refused", "x"), Outcome("not_found", "y"), done(total="9 EUR"))
    talk = Conversation(OWN, service)
    asked = talk.say("invoice for KC-204817 please")
    assert asked.trace.asked == PROOF and "postcode" in asked.text and not service.asked
    refused = talk.say("3011 AB")
    assert refused.kind == "ask" and refused.trace.asked == ANYTHING
    assert service.asked[-1] == ({"order": "KC204817"}, {"postcode": "3011 AB"})
    assert talk.say("KC-999999 then").text == refused.text
    assert talk.say("mila@example.com").text == "Invoice 9 EUR."
    assert service.asked[-1] == ({"order": "KC999999"}, {"email": "mila@example.com"})


def test_a_signed_in_visitor_needs_no_second_proof_and_without_one_an_action_can_be_closed() -> None:
    service = Service(done(total="9 EUR"))
    talk = Conversation(OWN, service, identity="u7", email="mila@example.com")
    assert talk.say("invoice for KC-204817").text == "Invoice 9 EUR."
    assert service.asked == [({"order": "KC204817"}, {"identity": "u7", "email": "mila@example.com"})]
    closed = Action(4, "x", "x", "https://x.example", (), TEMPLATES, proof=Proof("service"))
    assert Conversation(closed, Service()).say("do it").rule == "action_sign_in"


def test_a_change_is_confirmed_each_time_and_no_means_no() -> None:
    service = Service(done(), done())
    talk = Conversation(CANCEL, service, identity="u7")
    assert talk.say("cancel KC-1234567").text == "Cancel KC-1234567?"
    assert talk.say("yes please").text == "Order KC-1234567 is cancelled."

    assert talk.say("and cancel KC-7654321").text == "Cancel KC-7654321?"
    assert talk.say("no").trace.state == "dropped"
    assert len(service.asked) == 1
    assert not complete(CANCEL, "cancel KC-1234567")


@pytest.mark.parametrize("proof", [Proof(), OWN.proof])
def test_a_stored_change_that_nobody_checks_beforehand_is_a_persons(proof: Proof) -> None:
    service = Service(done())
    acted = Conversation(replace(CANCEL, proof=proof), service, identity="u7").say("cancel KC-1234567")
    assert acted.kind == "person" and not service.asked
    assert acted.reason == "the action cancel changes something without a proof that the service checks"


def test_what_was_confirmed_for_one_order_is_not_confirmed_for_another() -> None:
    service = Service(Outcome("not_found", "404"), done())
    talk = Conversation(CANCEL, service, identity="u7")
    talk.say("cancel KC-1234567")
    assert talk.say("yes").rule == "action_not_found"
    assert talk.say("sorry, KC-7654321").text == "Cancel KC-7654321?"
    assert talk.say("yes").text == "Order KC-7654321 is cancelled."
    assert [slots["order"] for slots, _ in service.asked] == ["KC1234567", "KC7654321"]


def test_a_yes_to_other_values_than_were_shown_is_asked_again() -> None:
    service = Service(done())
    talk = Conversation(CANCEL, service, identity="u7")
    assert talk.say("cancel KC-1234567").text == "Cancel KC-1234567?"
    assert "1234567" not in talk.pending.shown
    talk.said.append(Said("KC-7654321", of="cancel", turn=2))  # it came in while the question was written
    again = talk.say("yes")
    assert (again.text, service.asked) == ("Cancel KC-7654321?", [])
    assert talk.say("yes").text == "Order KC-7654321 is cancelled."


MOVE = Action(
    6, "move", "move", "https://shop.example/move",
    (
        ORDER,
        Slot("address", "text", {"en": "Where to?", "zh": "改到哪里？"}),
        Slot("sure", "confirm", {"en": "Send {order} to {address}?", "zh": "把 {order} 送到 {address}？"}),
    ),
    templates_from({"en": "{order} goes to {address}.", "zh": "{order} 送到 {address}。"}),
    changes=True, proof=Proof("service", ("email",)),
)  # fmt: skip


def moving(service: Service, address: str = "") -> Conversation:
    """The move of an order whose proof is given, as far as the question for the address, or its confirmation."""
    talk = Conversation(MOVE, service)
    talk.say("move KC-204817, I am mila@example.com")
    assert not address or talk.say(address).trace.asked == "sure"
    return talk


@pytest.mark.parametrize(
    "text",
    ["my email is jonas@example.com", "no", "What does that cost?", "what does that cost", "hello?", "thanks", "ok",
     "it is order KC-999999", "我的邮箱是 jonas@example.com", "不用了", "多少钱", "你好", "这个要运费吗", "好的",
     "ja", "actually forget it", "ach so", "the same", "随便", "还没想好"],
)  # fmt: skip
def test_what_is_no_answer_to_an_open_question_is_not_taken_for_one(text: str) -> None:
    service = Service()
    asked = moving(service).say(text)
    assert (asked.trace.asked, asked.trace.filled, service.asked) == ("address", ("order",), [])


@pytest.mark.parametrize(
    "text",
    ["Kade 5, 3011 AB Rotterdam", "Coolsingel 5, Rotterdam. Is that all right?", "Where the mill stands, Kade 5",
     "No 5, Kade", "Rose Cottage, Little Hampton", "Kade 5, Rotterdam, mila@example.com",
     "上海市世纪大道100号3号楼502室", "多伦路5号"],
)  # fmt: skip
def test_an_answer_in_own_words_is_taken_as_it_stands(text: str) -> None:
    assert moving(Service()).say(text).text == f"Send KC-204817 to {text}?"


@pytest.mark.parametrize(
    ("text", "address"),
    [("to Coolsingel 5, Rotterdam", "Coolsingel 5, Rotterdam"), ("No, to Coolsingel 5 please", "Coolsingel 5"),
     ("sorry, I meant Coolsingel 5", "Coolsingel 5"), ("Coolsingel 5", "Coolsingel 5"), ("yes but to Kade 7", "Kade 7"),
     ("不，寄到南京路5号", "南京路5号"), ("改成南京路5号吧", "南京路5号"), ("南京路5号", "南京路5号")],
)  # fmt: skip
def test_what_was_to_be_confirmed_can_be_given_anew_and_is_confirmed_anew(text: str, address: str) -> None:
    service = Service(done())
    talk = moving(service, "Kade 5")
    asked = talk.say(text)
    assert (asked.text, asked.trace.failures) == (f"Send KC-204817 to {address}?", 0)
    assert talk.say("yes").text == f"KC-204817 goes to {address}."
    assert [slots["address"] for slots, _ in service.asked] == [address]


@pytest.mark.parametrize("text", ["hm, let me think", "我再想想", "ja", "oui", "postcode"])
def test_a_reply_of_another_kind_gives_nothing_anew(text: str) -> None:
    asked = moving(Service(), "Kade 5").say(text)
    assert asked.text.endswith("Send KC-204817 to Kade 5?") and asked.trace.failures == 1


@pytest.mark.parametrize(
    "text", ["that's wrong", "no that is not it", "what about Kade 7?", "不对呀", "地址錯了"]
)
def test_what_may_be_a_correction_is_asked_about_and_a_yes_to_it_is_none(text: str) -> None:
    service = Service()
    talk = moving(service, "Kade 5")
    asked = talk.say(text)
    assert (asked.text, asked.trace.asked) == (phrase("action_instead", "en") + "Where to?", "address")
    assert talk.say("yes").text == "Send KC-204817 to Kade 5?" and not service.asked
    talk = moving(service, "Kade 5")
    talk.say(text)
    assert talk.say("Kade 7").text == "Send KC-204817 to Kade 7?"


@pytest.mark.parametrize(
    ("text", "address"),
    [("wait, make it number 7", "Kade 7, 3011 AB"), ("no wait, make it Coolsingel 7", "Coolsingel 7"),
     ("oops, sorry, it should be 12b", "Kade 12b, 3011 AB"), ("hold on, actually Lijnbaan 3", "Lijnbaan 3"),
     ("7", "Kade 7, 3011 AB"), ("not 5 but 7", "Kade 7, 3011 AB"), ("不对，是222B", "Kade 222B, 3011 AB"),
     ("等一下，应该是南京路8号", "南京路8号"), ("不對，改成8號", "Kade 8, 3011 AB"),
     ("I want it at Coolsingel 7, 3012 AA Rotterdam", "Coolsingel 7, 3012 AA Rotterdam")],
)  # fmt: skip
def test_a_correction_is_put_in_the_place_of_what_it_corrects(text: str, address: str) -> None:
    talk = moving(Service(done()), "Kade 5, 3011 AB")
    assert talk.say(text).text == f"Send KC-204817 to {address}?"
    assert talk.say("yes").text == f"KC-204817 goes to {address}."


@pytest.mark.parametrize("text", ["不对，是222B", "number 7", "2000", "NW1 6XE", "wait, make it 7"])
def test_a_number_alone_is_no_address(text: str) -> None:
    assert moving(Service()).say(text).trace.asked == "address"


def test_a_correction_of_the_address_that_is_asked_for_is_no_part_of_it() -> None:
    assert moving(Service()).say("no wait, Kade 9").text == "Send KC-204817 to Kade 9?"


def test_who_does_not_have_a_detail_is_helped_and_then_passed_on() -> None:
    talk = Conversation(STATUS, Service())
    talk.say("where is it")
    assert talk.say("where do i find it").text == phrase("help_order", "en") + "Which order?"
    assert talk.say("i dont have the number").text == phrase("help_order", "en") + "Which order?"
    assert talk.say("no idea").kind == "person"
    talk = Conversation(STATUS, Service())
    talk.say("我的订单呢", lang="zh")
    assert talk.say("我没有订单号", lang="zh").text == phrase("help_order", "zh") + "哪个订单？"


def test_what_the_proof_is_for_is_said_and_a_proof_that_comes_early_is_noted() -> None:
    talk = Conversation(OWN, Service())
    talk.say("invoice for KC-204817")
    assert talk.say("what do you need my email for?").text.startswith(phrase("help_proof", "en"))
    talk = Conversation(MOVE, Service())
    talk.say("move KC-204817")
    noted = talk.say("mila@example.com")
    assert (noted.text, noted.trace.failures) == (phrase("action_noted", "en") + "Where to?", 0)
    assert talk.say("Kade 5").text == "Send KC-204817 to Kade 5?"


def test_an_address_is_taken_from_the_request_only_where_it_is_confirmed() -> None:
    text = "move KC-204817 to Kade 5, 3011 AB Rotterdam. I am mila@example.com"
    assert Conversation(MOVE, Service()).say(text).text == "Send KC-204817 to Kade 5, 3011 AB Rotterdam?"
    unasked = replace(MOVE, slots=MOVE.slots[:2], changes=False)
    assert Conversation(unasked, Service()).say(text).trace.asked == "address"
    remark = replace(MOVE, slots=(ORDER, Slot("remark", "text", {"en": "Say why?"}), MOVE.slots[2]))
    assert Conversation(remark, Service()).say(text).trace.asked == "remark"


def test_after_another_question_only_what_names_an_address_is_taken_for_one() -> None:
    talk = moving(Service())
    now = Talk("c1", 4, tuple(talk.said), replace(talk.pending, state="paused", paused=1))
    assert gives(MOVE, now, "Veerkade 18, 3016 DE Rotterdam") and gives(MOVE, now, "上海市世纪大道100号")
    for text in ("how long to Kade 5, 3011 AB Rotterdam?", "2000", "and the lids?", "the blue one"):
        assert not gives(MOVE, now, text)


def test_a_question_after_a_refused_proof_is_first_understood_as_one() -> None:
    talk = moving(Service(Outcome("refused", "x")), "Kade 5")
    assert talk.say("yes").trace.asked == ANYTHING
    now = Talk("c1", 4, tuple(talk.said), talk.pending)
    for text in ("Where is my order KC-204830?", "我的订单 KC-204830 到哪了"):
        assert not gives(MOVE, now, text)
    assert gives(MOVE, now, "sorry, KC-204830") and gives(MOVE, now, "is it jonas@example.com?")
    asking = Talk("c1", 2, pending=ActionTrace("move", "asking", asked=PROOF))
    postcode = replace(MOVE, proof=Proof("service", ("postcode",)))
    assert not gives(postcode, asking, "can I still return what I bought in 2023?")
    assert gives(postcode, asking, "3011 AB")


def test_three_failures_in_a_row_lead_to_a_person() -> None:
    talk = Conversation(STATUS, Service(*[Outcome("failed", "silence")] * 3))
    kinds = [talk.say("where is KC-204817?").kind for _ in range(3)]
    assert kinds == ["unknown", "unknown", "person"]
    talk = Conversation(STATUS, Service())
    assert [talk.say(text).kind for text in ("where?", "dunno", "why", "what")] == [
        "ask",
        "ask",
        "ask",
        "person",
    ]


def test_an_answer_without_what_the_text_needs_is_a_failure_said_in_words() -> None:
    acted = Conversation(STATUS, Service(done(status="sent"))).say("where is KC-204817?")
    assert acted.kind == "unknown" and acted.again
    assert "carrier.name" in acted.trace.detail and "service must answer" in acted.trace.detail


# --- the request --------------------------------------------------------------------------------------------

REQUEST = Request({"order": "KC1"}, {"email": "Mila@Example.com"}, "en", "c1", "key-1")


def answering(*answers: Fetched | Exception) -> tuple[list[dict[str, Any]], Callable[..., Fetched]]:
    sent: list[dict[str, Any]] = []

    def fetching(url: str, **options: Any) -> Fetched:
        sent.append(options)
        answer = answers[len(sent) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return sent, fetching


def reply(status: int, body: Any = None) -> Fetched:
    return Fetched("https://shop.example", status, {}, json.dumps(body).encode())


@pytest.mark.parametrize("first", [OutboundError("silence"), reply(503), reply(429)])
def test_a_failed_request_is_made_once_more_with_the_same_key(first: Any) -> None:
    sent, fetching = answering(first, reply(200, {"status": "sent"}))
    outcome = call(STATUS, REQUEST, secret="s", fetching=fetching)
    assert (outcome.result, outcome.attempts) == ("done", 2)
    assert {one["headers"][KEY_HEADER] for one in sent} == {"key-1"}
    assert all(one["headers"][HEADER].startswith("t=") and one["seconds"] == 4.0 for one in sent)


@pytest.mark.parametrize(
    ("answers", "result", "attempts"),
    [
        ([reply(404)], "not_found", 1),
        ([reply(403)], "refused", 1),
        ([reply(400)], "failed", 1),
        ([reply(500), reply(500)], "failed", 2),
        ([Fetched("u", 200, {}, b"<html>")], "failed", 1),
        ([Fetched("u", 200, {}, b"[" * 100_000)], "failed", 1),
        ([Fetched("u", 200, {}, b'{"status": NaN}')], "failed", 1),
        ([reply(200, [1])], "failed", 1),
    ],
)
def test_what_the_service_answers_decides(answers: list[Fetched], result: str, attempts: int) -> None:
    outcome = call(STATUS, REQUEST, secret="s", fetching=answering(*answers)[1])
    assert (outcome.result, outcome.attempts) == (result, attempts)


@pytest.mark.parametrize(
    ("answer", "proof", "result"),
    [
        ({"buyer": {"email": "mila@example.com"}}, {"email": "Mila@Example.com"}, "done"),
        ({"buyer": {"email": "jonas@example.com"}}, {"email": "mila@example.com"}, "refused"),
        ({"zip": "3011 AB"}, {"postcode": "3011ab"}, "done"),
        ({"buyer": {}}, {"email": "mila@example.com"}, "refused"),
        ({"buyer": {"id": 7}}, {"identity": "7"}, "done"),
        ({"buyer": {"id": ""}}, {"identity": ""}, "refused"),
        ({"buyer": {"email": ""}}, {}, "refused"),
    ],
)
def test_what_the_answer_does_not_prove_is_not_shown(answer: Any, proof: Any, result: str) -> None:
    asked = Request({"order": "KC1"}, proof, "en", "c1", "k")
    assert call(OWN, asked, secret="s", fetching=answering(reply(200, answer))[1]).result == result


def test_a_service_that_checks_must_say_that_it_did() -> None:
    checking = Action(5, "x", "x", "https://x.example", (), TEMPLATES, proof=Proof("service", ("email",)))
    for body, result in (({"verified": True}, "done"), ({"verified": "yes"}, "refused"), ({}, "refused")):
        assert call(checking, REQUEST, secret="s", fetching=answering(reply(200, body))[1]).result == result


def test_an_entity_that_was_learned_fills_a_detail_and_its_bare_answer_does() -> None:
    city = Slot("city", "entity", {"en": "To which city?"}, pattern="city")
    words = templates_from({"en": "{city}: {days} days."})
    action = Action(4, "delivery", "delivery", "https://shop.example/delivery", (city,), words)

    def find(text: str) -> list[Tagged]:
        return (
            [Tagged("city", 0, 5, "Delft", 0.9)] if "Delft" in text else [Tagged("item", 0, 4, "lamp", 0.9)]
        )

    service = Service(done(days=2), done(days=3))
    acted = act(action, Talk("c", 1), "do you deliver a lamp to Delft?", service, lang="en", find=find)
    assert acted.text == "Delft: 2 days." and complete(action, "to Delft", find=find)
    asked = act(action, Talk("c", 1), "do you deliver a lamp?", service, lang="en", find=find)
    assert asked.trace.asked == "city"
    told = act(action, Talk("c", 2, pending=asked.trace), "Ede, please.", service, lang="en", find=find)
    assert told.text == "Ede, please: 3 days."
    again = act(
        action, Talk("c", 2, pending=asked.trace), "well I am not sure yet where we will be living by then",
        service, lang="en", find=find,
    )  # fmt: skip
    assert again.trace.asked == "city" and len(service.asked) == 2
    asks = act(
        action, Talk("c", 2, pending=asked.trace), "what are your hours?", service, lang="en", find=find
    )
    assert asks.trace.asked == "city" and len(service.asked) == 2  # a question is no city


@pytest.mark.parametrize("pattern", ["", "Two Words", "城市"])
def test_an_entity_names_its_kind(pattern: str) -> None:
    with pytest.raises(InputError) as raised:
        Slot("city", "entity", pattern=pattern)
    assert raised.value.field == "pattern" and raised.value.remedy


def test_another_proof_or_order_than_was_given_is_noted_and_no_failure() -> None:
    talk = moving(Service(), "Kade 5")
    for text in ("my mail is jonas@example.com", "the order is KC-222222"):
        noted = talk.say(text)
        assert noted.trace.failures == 0 and noted.trace.asked == "sure"
    assert noted.text == "Send KC-222222 to Kade 5?"
