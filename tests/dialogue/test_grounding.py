"""The check before a written sentence is sent. Sources are those of a small shop; drafts are what models get wrong."""

import random
import re

import pytest

from chatbot.dialogue import grounding
from chatbot.dialogue.claims import claims
from chatbot.dialogue.grounding import check
from chatbot.dialogue.wording import unfinished

CANCEL = (
    "How do I cancel my order?\n"
    "An order can be cancelled free of charge as long as its status is Received, which is usually the first 2 hours"
    " after payment. Go to Account > Orders, choose the order and click Cancel order. From status Packing on, an order"
    " can no longer be cancelled. In that case, refuse the parcel at the door or return it within 30 days of delivery."
    " Engraved items cannot be cancelled once you have approved the engraving proof. The money for a cancelled order is"
    " sent back within 3 working days to the original payment method. Write to help@crane.example with your order"
    " number."
)
SHIPPING = (
    "How much is shipping?\n"
    "Standard shipping within the Netherlands costs €4.95. Orders over €50 ship free to zone 1. Delivery takes 2-3"
    " working days with Heron Parcel. Express delivery is not available for Switzerland. The Crane Duo weighs 4.2 kg."
    " Batteries are not included. Our workshop is open from 9:00 to 17:00, Monday to Friday."
)
CANCEL_ZH = (
    "怎样取消订单？\n"
    "只要订单状态还是“已接收”，就可以免费取消，一般是付款后2小时内。进入“账户 > 订单”，选择订单后点击“取消订单”。"
    "订单进入打包中以后不能取消，请拒收包裹，或在签收后30天内退货。取消订单的款项会在3个工作日内退回原支付方式。"
    "刻字商品确认样稿后无法取消。Crane Duo 的保修期为两年，不包括电池。"
)

TASTE = (
    "Taste\nIf the espresso is sour, grind one step finer. If it is bitter, grind one step coarser. Track your order at"
    " crane.example/track."
)

GOOD = [
    ("en", TASTE, "If it is bitter, grind one step coarser."),
    ("en", CANCEL, "Your order can be cancelled free of charge as long as its status is Received."),
    ("en", CANCEL, "The money for a cancelled order is sent back within three working days."),
    ("en", CANCEL, "Go to Account > Orders, choose the order and click Cancel order."),
    (
        "en",
        CANCEL,
        "From status Packing on, the order can no longer be cancelled. You can refuse the parcel at the door.",
    ),
    ("en", CANCEL, "Sorry about that. You can return it within 30 days of delivery."),
    ("en", CANCEL, "Please write to help@crane.example with your order number."),
    ("en", SHIPPING, "Standard shipping within the Netherlands costs €4.95."),
    ("en", SHIPPING, "Standard shipping within the Netherlands costs 4.95 euros."),
    ("en", SHIPPING, "Orders over €50 ship free to zone 1."),
    ("en", SHIPPING, "Delivery takes two to three working days with Heron Parcel."),
    ("en", SHIPPING, "The Crane Duo weighs 4.2 kg."),
    ("en", SHIPPING, "No, batteries are not included."),
    ("en", SHIPPING, "Our workshop is open Monday to Friday from 9 am to 5 pm."),
    ("zh", CANCEL_ZH, "订单状态还是“已接收”时，可以免费取消，一般是付款后两小时内。"),
    ("zh", CANCEL_ZH, "取消订单的款项会在三个工作日内退回原支付方式。"),
    ("zh", CANCEL_ZH, "请进入“账户 > 订单”，选择订单后点击“取消订单”。"),
    ("zh", CANCEL_ZH, "订单进入打包中以后就不能取消了，您可以拒收包裹。"),
    ("zh", CANCEL_ZH, "您好，可以在签收后３０天内退货。"),
    ("zh", CANCEL_ZH, "Crane Duo 的保修期为24个月，不包括电池。"),
    ("en", CANCEL, "The parcel can be refused at the door."),
    ("zh", CANCEL_ZH, "款项会在3个工作日内退回原支付方式。"),
]

BAD = [
    ("en", CANCEL, "The money for a cancelled order is sent back within 5 working days.", "5 workday"),
    ("en", CANCEL, "The money for a cancelled order is sent back within 3 days.", "3 day"),
    ("en", CANCEL, "The money for a cancelled order is sent back within 30 days.", "about something else"),
    ("en", CANCEL, "You can return the parcel within 60 days of delivery.", "60 day"),
    ("en", CANCEL, "An order can be cancelled in the first 24 hours after payment.", "1440 minute"),
    ("en", CANCEL, "From status Packing on, an order can be cancelled.", "opposite"),
    ("en", CANCEL, "Engraved items can be cancelled once you have approved the engraving proof.", "opposite"),
    ("en", CANCEL, "An order cannot be cancelled as long as its status is Received.", "opposite"),
    ("en", CANCEL, "An order can be cancelled free of charge.", "condition"),
    ("en", CANCEL, "Please write to support@crane.example with your order number.", "support@crane.example"),
    (
        "en",
        CANCEL,
        "You can cancel the order at crane.example/cancel and choose the order.",
        "crane.example/cancel",
    ),
    ("en", CANCEL, "We will refund the order and send a gift voucher.", "gift"),
    ("en", CANCEL, "We guarantee the money is sent back within 3 working days.", "guarantee"),
    ("en", CANCEL, "I have cancelled your order.", "done for you"),
    ("en", CANCEL, "Your order KC-204817 can be cancelled as long as its status is Received.", "kc-204817"),
    ("en", CANCEL, "The money is sent back immediately to the original payment method.", "at once"),
    (
        "en",
        CANCEL,
        "Dear Mr Johnson, the order can be cancelled as long as its status is Received.",
        "Johnson",
    ),
    ("en", SHIPPING, "Standard shipping within the Netherlands costs $4.95.", "4.95 USD"),
    ("en", SHIPPING, "Standard shipping within the Netherlands costs €5.95.", "5.95 EUR"),
    ("en", SHIPPING, "Orders under €50 ship free to zone 1.", "50 EUR"),
    ("en", SHIPPING, "Orders over €50 ship free to zone 4.", "4"),
    ("en", SHIPPING, "Express delivery is available for Switzerland.", "opposite"),
    ("en", SHIPPING, "Express delivery is not available for Norway.", "Norway"),
    ("en", SHIPPING, "Delivery takes 2-3 working days with Swiftline.", "Swiftline"),
    ("en", SHIPPING, "The Crane Mini weighs 4.2 kg.", "Crane Mini"),
    ("en", SHIPPING, "Batteries are included.", "opposite"),
    ("en", SHIPPING, "Our workshop is open from 9:00 to 18:00, Monday to Friday.", "18:00"),
    ("en", SHIPPING, "Our workshop is open from 9:00 to 17:00, Monday to Saturday.", "saturday"),
    ("en", SHIPPING, "Delivery takes 2-3 working days [CARRIER].", "placeholder"),
    ("en", SHIPPING, "Delivery takes 2-3 working days with", "unfinished"),
    ("en", SHIPPING, "Delivery delivery delivery delivery takes.", "repeats"),
    ("en", SHIPPING, "Delivery takes 2-3 working days. Delivery takes 2-3 working days.", "repeats"),
    ("en", SHIPPING, "Delivery takes 2-3 working days, you idiot.", "profanity"),
    ("en", SHIPPING, "Deliv\ufffdry takes 2-3 working days.", "garbled"),
    ("en", SHIPPING, "Ok.", "too short"),
    ("en", SHIPPING, "配送需要2-3个工作日。", "language"),
    ("en", SHIPPING, "The moon is made of cheese and orbits slowly.", "not covered"),
    ("en", "", "Your order can be returned to the shop.", "not covered"),
    ("zh", CANCEL_ZH, "取消订单的款项会在五个工作日内退回原支付方式。", "5 workday"),
    ("zh", CANCEL_ZH, "取消订单的款项会在3天内退回原支付方式。", "3 day"),
    ("zh", CANCEL_ZH, "可以在签收后六十天内退货。", "60 day"),
    ("zh", CANCEL_ZH, "订单进入打包中以后可以取消。", "opposite"),
    ("zh", CANCEL_ZH, "刻字商品确认样稿后可以取消。", "opposite"),
    ("zh", CANCEL_ZH, "Crane Mini 的保修期为两年。", "Crane Mini"),
    ("zh", CANCEL_ZH, "Crane Duo 的保修期为三年，不包括电池。", "36 month"),
    ("zh", CANCEL_ZH, "Crane Duo 的保修期为两年，包括电池。", "opposite"),
    ("zh", CANCEL_ZH, "我们保证取消订单的款项会在3个工作日内退回。", "guarantee"),
    ("zh", CANCEL_ZH, "已为您取消订单，款项会在3个工作日内退回。", "done for you"),
    ("zh", CANCEL_ZH, "请发邮件到 help@crane.example 取消订单。", "help@crane.example"),
    ("zh", CANCEL_ZH, "款项会立即退回原支付方式。", "at once"),
    ("zh", CANCEL_ZH, "You can cancel the order.", "language"),
    ("zh", CANCEL_ZH, "今天天气很好适合出去散步。", "not covered"),
    ("zh", CANCEL_ZH, "取消订单的款项会退回原支付方式，并", "unfinished"),
    ("en", CANCEL, "the parcel at the door or return it within 30 days of delivery.", "begins in the middle"),
    ("en", CANCEL, ", the order and click Cancel order.", "begins in the middle"),
    ("en", CANCEL, "Engraved items cannot be cancelled once you have approved the", "ends in the middle"),
    ("zh", CANCEL_ZH, "个工作日内退回原支付方式。", "begins in the middle"),
    ("zh", CANCEL_ZH, "单的款项会在3个工作日内退回原支付方式。", "begins in the middle"),
    ("zh", CANCEL_ZH, "件。刻字商品确认样稿后无法取消。", "fragment"),
    ("en", CANCEL, "an order can be cancelled as long as its status is Received.", "lower case"),
    ("en", CANCEL, "Please write to help@crane.", "broken address"),
    ("en", TASTE, "Track your order at crane.", "broken address: crane"),
    ("en", TASTE, "If the espresso is sour, grind one step coarser.", "opposite"),
    ("en", CANCEL, "Orders. The money for a cancelled order is sent back within 3 working days.", "fragment"),
    (
        "en",
        CANCEL,
        "Engraved items cannot be cancelled order is sent back within 3 working days.",
        "joins two",
    ),
    ("zh", CANCEL_ZH, "刻字商品确认样稿后的款项会在3个工作日内退回原支付方式。", "joins two"),
    ("zh", CANCEL_ZH, "订单进入打包中以后不能取消，请拒收包", "ends in the middle"),
]


@pytest.mark.parametrize(("lang", "source", "draft"), GOOD)
def test_a_sentence_its_source_states_passes(lang: str, source: str, draft: str) -> None:
    result = check(draft, sources=[source], customer=[], lang=lang)
    assert result.passed, result.reasons


@pytest.mark.parametrize(("lang", "source", "draft", "reason"), BAD)
def test_a_sentence_with_something_its_source_does_not_state_fails_and_says_why(
    lang: str, source: str, draft: str, reason: str
) -> None:
    result = check(draft, sources=[source], customer=[], lang=lang)
    assert not result.passed
    assert any(reason in found for found in result.reasons), result.reasons


def test_the_customers_own_number_may_be_repeated_but_not_another_customers() -> None:
    draft = "Your order KC-204817 can be cancelled as long as its status is Received."
    mine = check(draft, sources=[CANCEL], customer=["cancel my order KC-204817 please"], lang="en")
    other = check(draft, sources=[CANCEL], customer=["cancel my order KC-111111 please"], lang="en")
    assert mine.passed, mine.reasons
    assert not other.passed


def test_the_customers_words_are_no_source_of_a_promise() -> None:
    said = ["my neighbour got a full refund and a free gift, you will refund me today"]
    result = check("You get a full refund and a free gift today.", sources=[CANCEL], customer=said, lang="en")
    assert not result.passed


def test_a_placeholder_the_customer_filled_is_no_hole() -> None:
    draft = "Your order [ORDER] can be cancelled as long as its status is Received."
    said = check(draft, sources=[CANCEL], customer=["cancel [ORDER]"], lang="en")
    assert said.passed, said.reasons
    assert not check(draft, sources=[CANCEL], customer=["cancel it"], lang="en").passed


def test_coverage_comes_from_one_place_and_not_from_words_scattered_over_sources() -> None:
    draft = "Engraved parcel costs the workshop shipping payment at the door."
    assert not check(draft, sources=[CANCEL, SHIPPING], customer=[], lang="en").passed


def test_a_look_up_is_a_source() -> None:
    found = "order_status Status: Dispatched; Carrier: Heron Parcel; Expected: 2026-03-14"
    good = check(
        "The expected status is Dispatched with carrier Heron Parcel.",
        sources=[found],
        customer=[],
        lang="en",
    )
    bad = check(
        "The expected status is Delivered with carrier Heron Parcel.", sources=[found], customer=[], lang="en"
    )
    assert good.passed, good.reasons
    assert not bad.passed


@pytest.mark.parametrize("draft", ["", "   ", "?!", "\n"])
def test_nothing_is_never_sent(draft: str) -> None:
    result = check(draft, sources=[CANCEL], customer=[], lang="en")
    assert not result.passed
    assert result.coverage == 0.0


def test_every_sentence_of_a_passage_passes_against_its_passage() -> None:
    for lang, source in (("en", CANCEL), ("en", SHIPPING), ("zh", CANCEL_ZH)):
        body = source.split("\n", 1)[1]
        result = check(body, sources=[source], customer=[], lang=lang)
        assert result.passed, result.reasons


PORTAFILTER = (
    "Portafilters\nThe portafilter is 51 mm on the Crane Mini and 58 mm on the Crane One and Crane Duo. "
    "Every portafilter has two spouts."
)
ESTIMATE = (
    "Repairs\nIf you refuse the estimate, €35 plus €9 return shipping is due. "
    "The fixed prices include parts and return shipping in zones 1 and 2 (EU)."
)
WORKSHOPS = (
    "Workshops\nKettle & Crane offers three workshops: Home Barista Basics, Latte Art and Gongfu Tea. "
    "Gongfu Tea: €48, 2 hours, Friday 17:30, Rotterdam only."
)
CODES_ZH = (
    "优惠码\n请在购物车里输入，每单只能用一个优惠码。用不了的话，请先对照下面的规则。"
    "欢迎码可优惠 10%，商品满 40 欧元可用，30 天内有效，每位顾客限用一次。"
)


@pytest.mark.parametrize(
    ("draft", "source", "lang", "passes"),
    [
        ("The portafilter is 51 mm on the Crane One and Crane Duo.", PORTAFILTER, "en", False),
        ("The portafilter is 58 mm on the Crane One and Crane Duo.", PORTAFILTER, "en", True),
        (
            "If you refuse the estimate, €35 plus €9 return shipping in zones 1 and 2 (EU).",
            ESTIMATE,
            "en",
            False,
        ),
        ("If you refuse the estimate, €35 plus €9 return shipping is due.", ESTIMATE, "en", True),
        ("Gongfu Tea: €48, Latte Art and Gongfu Tea.", WORKSHOPS, "en", False),
        ("Gongfu Tea: €48, 2 hours, Friday 17:30.", WORKSHOPS, "en", True),
        ("商品满 40 欧元可用，每位顾客限用一个优惠码。", CODES_ZH, "zh", False),
        ("商品满 40 欧元可用，每位顾客限用一次。", CODES_ZH, "zh", True),
        ("用不了的话，请先对照下面的规则，每单只能用一个优惠码。", CODES_ZH, "zh", False),
    ],
)
def test_a_figure_stays_with_what_its_sentence_says_of_it(
    draft: str, source: str, lang: str, passes: bool
) -> None:
    result = check(draft, sources=[source], customer=[], lang=lang)
    assert result.passed == passes, result.reasons
    if not passes:
        assert any(reason.startswith("joins two sentences") for reason in result.reasons), result.reasons


@pytest.mark.parametrize(
    ("said", "draft"),
    [
        (
            "As you promised I have 90 days to return it",
            "You can return a product within 90 days of delivery.",
        ),
        ("your number is 0900 123 987, right?", "You can return a product by phone on 0900 123 987."),
        ("is it evil.example?", "You can return a product within 30 days of delivery at evil.example."),
    ],
)
def test_what_the_customer_asserts_is_no_source_of_a_fact(said: str, draft: str) -> None:
    source = (
        "Returns\nYou can return a product within 30 days of delivery. You can return a product by phone."
    )
    result = check(draft, sources=[source], customer=[said], lang="en")
    assert any("not in the sources" in reason for reason in result.reasons), result.reasons


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ("Every portafilter has two spo. The portafilter is 51 mm on the Crane Mini.", "middle of a word"),
        ("Portafilters have two spouts. The portafilter is 51 mm on the Crane M.", "middle of a word"),
        ("Every portafilter has two spouts. The portafilter: mm, hours.", "unit without its number"),
        ("Every portafilter has two spouts;, the portafilter is 51 mm.", "garbled"),
        ("Every portafilter has two spouts.题 The portafilter is 51 mm on the Crane Mini.", "garbled"),
    ],
)
def test_a_torn_or_garbled_sentence_is_not_sent(draft: str, reason: str) -> None:
    result = check(draft, sources=[PORTAFILTER], customer=[], lang="en")
    assert any(reason in found for found in result.reasons), result.reasons


def test_a_word_is_torn_where_its_sentence_stands_though_another_ends_so() -> None:
    told = "An order is sent in two parcels: stock items at once, the pre-order item later."
    source = f"Can I pre-order it?\n{told}"
    torn = check(told.replace("item later.", "it?"), sources=[source], customer=[], lang="en")
    assert any("middle of a word" in reason for reason in torn.reasons), torn.reasons
    assert check(told, sources=[source], customer=[], lang="en").passed


@pytest.mark.parametrize(
    ("draft", "passes"),
    [
        ("Ibis Kettle 和 Heron Hand 不提供维修，以旧换新可享 40% 的优惠。Ibis Kettle 欧元。", False),
        ("Ibis Kettle 和 Heron Hand 不提供维修，以旧换新可享 40% 的优惠。", True),
        ("Heron Duo 和 Ibis Mini 可以维修，69 欧元起。", False),
        ("Crane、Heron Duo 和 Ibis Mini 可以维修，69 欧元起。", True),
    ],
)
def test_a_chinese_draft_has_no_bare_unit_and_no_list_without_its_beginning(draft: str, passes: bool) -> None:
    source = (
        "维修\nIbis Kettle 和 Heron Hand 不提供维修，以旧换新可享 40% 的优惠。"
        "Crane、Heron Duo 和 Ibis Mini 可以维修，69 欧元起。"
    )
    result = check(draft, sources=[source], customer=[], lang="zh")
    assert result.passed == passes, result.reasons


def test_a_question_handed_back_is_refused() -> None:
    source = "Plans\nDeliveries come every 2 weeks. The first one is cheaper."
    asked = "What day are the beans for the regular deliveries roasted?"
    back = check(f"{asked} Deliveries come every 2 weeks.", sources=[source], customer=[asked], lang="en")
    assert any(reason.startswith("repeats the customer") for reason in back.reasons)
    plain = check("Deliveries come every 2 weeks.", sources=[source], customer=[asked], lang="en")
    assert plain.passed, plain.reasons
    asked = "朋友在瑞士，除了进口税本身，快递还会另外收钱吗"
    source = "进口税\n由收件人向快递公司支付，另收 12 欧元手续费。"
    back = check(
        "除了进口税本身，快递还会收费。由收件人向快递公司支付，另收 12 欧元手续费。",
        sources=[source],
        customer=[asked],
        lang="zh",
    )
    assert any(reason.startswith("repeats the customer") for reason in back.reasons)


def test_a_heading_run_into_a_sentence_and_an_end_inside_a_bracket_are_refused() -> None:
    source = "My espresso tastes sour or bitter\nAim for 18 g of coffee. Raise it by 1 °C (Crane One and Crane Duo)."
    run_on = check(
        "My espresso tastes sour or bitter Aim for 18 g of coffee.", sources=[source], customer=[], lang="en"
    )
    assert any("heading" in reason for reason in run_on.reasons)
    open_end = check("Raise it by 1 °C (Crane One)", sources=[source], customer=[], lang="en")
    assert "unfinished sentence" in open_end.reasons


def test_what_stands_three_times_in_a_row_is_found_as_the_expression_finds_it() -> None:
    expression = re.compile(r"(.{3,}?)(?:[\s,.，。]*\1){2,}", re.DOTALL)
    rng, found = random.Random(3), 0
    for _ in range(4000):
        letters = rng.choice(["ab", "ab ", "abc, ", "a .", "退款。，", "abcdef ,.\n"])
        text = "".join(rng.choices(letters, k=rng.randrange(24)))
        word = "".join(rng.choices(letters, k=rng.randrange(2, 7)))
        text += rng.choice(["", ",", "  "]).join([word] * rng.randrange(5)) + rng.choice(["", "x"])
        wanted = expression.search(text) is not None
        assert grounding._thrice(text) == wanted, text
        found += wanted
    assert 500 < found < 3500


def test_a_sentence_that_ends_with_what_comes_to_the_customer_is_finished() -> None:
    assert not unfinished("退货时先抵减未付的分期款，多出的部分退还给您。")
    assert not unfinished("有结果会尽快通知您。")
    assert unfinished("如果包裹没有送到，您。")


TERMS = (
    "Returns and refunds\nYou can return an item for 30 days. The refund takes 14 days. A voucher is worth at least 10"
    " euros. Repairs are only possible in Rotterdam. Your refund is on its way when the parcel has arrived at our"
    " warehouse. Once your order has been shipped, it can no longer be cancelled."
)
TERMS_ZH = (
    "退货与退款\n商品可以在30天内退货。退款需要14天。优惠券至少10欧元。维修只能在鹿特丹办理。订单已发货后不能取消。"
    "我们为您退款后会发送邮件。"
)


@pytest.mark.parametrize(
    ("lang", "draft", "reason"),
    [
        ("en", "The refund takes at most 14 days.", "14 day"),
        ("en", "The refund takes up to 14 days.", "14 day"),
        ("en", "The refund takes at least 14 days.", "14 day"),
        ("en", "The refund takes more than 14 days.", "14 day"),
        ("en", "You can only return an item for 30 days.", "restriction: only"),
        ("en", "A voucher is worth at most 10 euros.", "10 EUR"),
        ("zh", "退款最多需要14天。", "14 day"),
        ("zh", "退款至少需要14天。", "14 day"),
        ("zh", "退款需要14天以上。", "14 day"),
        ("zh", "商品只可以在30天内退货。", "restriction: 只"),
        ("zh", "商品仅可以在30天内退货。", "restriction: 仅"),
        ("zh", "优惠券最多10欧元。", "10 EUR"),
    ],
)
def test_a_bound_that_the_source_does_not_state_is_not_added(lang: str, draft: str, reason: str) -> None:
    source = TERMS if lang == "en" else TERMS_ZH
    result = check(draft, sources=[source], customer=[], lang=lang)
    assert any(reason in found for found in result.reasons), result


@pytest.mark.parametrize(
    ("lang", "draft"),
    [
        ("en", "The refund takes 14 days."),
        ("en", "A voucher is worth at least 10 euros."),
        ("en", "Repairs are only possible in Rotterdam."),
        ("en", "Once your order has been shipped, it can no longer be cancelled."),
        ("en", "Your refund is on its way when the parcel has arrived at our warehouse."),
        ("zh", "退款需要14天。"),
        ("zh", "优惠券至少10欧元。"),
        ("zh", "维修只能在鹿特丹办理。"),
        ("zh", "订单已发货后不能取消。"),
    ],
)
def test_a_bound_and_a_case_that_the_source_states_pass(lang: str, draft: str) -> None:
    result = check(draft, sources=[TERMS if lang == "en" else TERMS_ZH], customer=[], lang=lang)
    assert result.passed, result.reasons


CLAIMS = [
    ("en", "Your refund is on its way.", "refund status: on its way"),
    ("en", "I have cancelled your order.", "cancel_order result: your order is cancelled"),
    ("en", "Your order has been shipped.", "order_status Status: dispatched; Order: your parcel"),
    ("en", "Your order is already shipped.", "order status: Shipped already"),
    ("zh", "已经为您退款。", "退款状态：已经为您退款"),
    ("zh", "您的订单已发货。", "您的订单状态：已寄出，发货日期"),
    ("zh", "我们已取消订单。", "我们的系统：订单已取消"),
]


@pytest.mark.parametrize(("lang", "draft", "lookup"), CLAIMS)
def test_how_the_customers_own_matter_stands_is_told_by_a_look_up_alone(
    lang: str, draft: str, lookup: str
) -> None:
    source = TERMS if lang == "en" else TERMS_ZH
    told = [source, lookup]  # an article with the very words is no look-up
    claims = check(draft, sources=told, customer=[draft], lang=lang).reasons
    assert any("no look-up tells" in reason for reason in claims), claims
    found = check(draft, sources=[source], customer=[], lang=lang, lookups=[lookup]).reasons
    assert not any("no look-up tells" in reason for reason in found), found
    other = check(
        draft, sources=[source], customer=[], lang=lang, lookups=["Status: received 已收到"]
    ).reasons
    assert any("no look-up tells" in reason for reason in other)


def test_a_claim_passes_with_its_look_up_and_as_a_sentence_of_the_source() -> None:
    found = "order_status Your order: shipped"
    assert check("Your order is shipped.", sources=[], customer=[], lang="en", lookups=[found]).passed
    listed = "Orders\nIf the order is listed there, we have received it."
    draft = "If the order is listed there, we have received it."
    assert check(draft, sources=[listed], customer=[], lang="en").passed
    assert not check("We have received it.", sources=[listed], customer=[], lang="en").passed


@pytest.mark.parametrize(
    "draft",
    [
        "We are open Monday to Friday.",
        "Has your order been shipped?",
        "Your order is not shipped.",
        "You get an e-mail when your parcel has been shipped.",
        "如果您的订单已发货，请拒收。",
        "款项会在3个工作日内退回。",
    ],
)
def test_what_is_no_claim_of_the_customers_own_matter(draft: str) -> None:
    assert claims(draft) == ()


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("en", "Gift cards are refundable within 14 days.", "Gift cards are non-refundable within 14 days."),
        ("en", "Sale items are eligible for returns.", "Sale items are ineligible for returns."),
        ("en", "The box is required for a return.", "The box is optional for a return."),
        ("en", "Anybody can change the order after packing.", "Nobody can change the order after packing."),
        ("en", "You always pay customs.", "You never pay customs."),
        ("zh", "店铺允许使用优惠券。", "店铺拒绝使用优惠券。"),
        ("zh", "必须提供收据。", "不必提供收据。"),
        ("zh", "支持七天无理由退货。", "不支持七天无理由退货。"),
    ],
)
def test_neither_of_two_opposites_is_said_where_the_source_says_the_other(
    lang: str, one: str, other: str
) -> None:
    for draft, source in ((one, other), (other, one)):
        assert check(source, sources=[f"A title\n{source}"], customer=[], lang=lang).passed
        assert not check(draft, sources=[f"A title\n{source}"], customer=[], lang=lang).passed
