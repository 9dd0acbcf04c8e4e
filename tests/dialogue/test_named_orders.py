"""Messages that say hardly more than which order they are about."""

from __future__ import annotations

import pytest

from chatbot.dialogue.actions import Action, Proof, Slot, templates_from
from chatbot.dialogue.named_orders import named_order, orders_in, orders_named, wanted_orders

ORDER = Slot("order", "order")
TEMPLATES = templates_from({"en": "It is on its way."})
STATUS = Action(1, "order_status", "order_status", "https://shop.example", (ORDER,), TEMPLATES)
CANCEL = Action(
    2, "cancel", "cancel", "https://shop.example", (ORDER, Slot("sure", "confirm", {"en": "Cancel?"})), TEMPLATES,
    changes=True, proof=Proof("service"),
)  # fmt: skip
SERIAL = Action(
    3, "serial", "serial", "https://shop.example", (Slot("serial", "pattern", pattern="S-\\d{4}"),), TEMPLATES
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("KC-204817", "alone"),
        ("my order number is KC-204817, thanks!", "alone"),
        ("and KC-204830?", "alone"),
        ("KC-204817 and KC-204822", "alone"),
        ("订单号 KC-204817", "alone"),
        ("那 KC-204830 呢？", "alone"),
        ("訂單號是 KC-204817", "alone"),
        ("where are KC-204817 and KC-204822?", "whereabouts"),
        ("When's KC-204817 coming?", "whereabouts"),
        ("KC-204822 发货了吗", "whereabouts"),
        ("订单 KC-204830 什么时候到", "whereabouts"),
        ("KC-204841 arrived broken", None),
        ("KC-204830 has been delivered, but I don't have it", None),
        ("can I cancel KC-204822", None),
        ("KC-204841 想退货", None),
        ("KC-204817 怎么还没到", None),
        ("KC-204841 收到是坏的", None),
        ("where is my order", None),
    ],
)
def test_what_is_said_beside_the_number(text: str, says: str | None) -> None:
    assert named_order(text, orders_named(text)) == says


def test_each_order_is_found_once_at_its_place() -> None:
    text = "where are KC-204817, KC204822 and KC-204817?"
    found = orders_in(STATUS, text)
    assert [(one.value, text[one.start : one.end]) for one in found] == [
        ("KC204817", "KC-204817"),
        ("KC204822", "KC204822"),
    ]


def test_what_changes_something_or_wants_more_is_not_done_for_several() -> None:
    assert orders_in(CANCEL, "KC-204817 and KC-204822") == []
    two = Action(4, "two", "two", "https://shop.example", (ORDER, Slot("email", "email")), TEMPLATES)
    assert orders_in(two, "KC-204817 and KC-204822") == []
    assert [one.text for one in orders_in(SERIAL, "S-1234, S-2345")] == ["S-1234", "S-2345"]


def test_which_actions_want_an_order() -> None:
    assert [one.text for one in wanted_orders(CANCEL, "KC-204817")] == ["KC-204817"]
    assert wanted_orders(SERIAL, "KC-204817") == [] == wanted_orders(STATUS, "hello")
