from __future__ import annotations

import numpy as np

from chatbot.dialogue.relevance import Wanted
from chatbot.dialogue.wording import content_words, sentences

PASSAGE = (
    "A return parcel costs 4.95 euros within the EU. The return must be sent within 30 days. "
    "Engraved items cannot be returned. The label is in the parcel."
)


def encode(texts):
    """Texts that share content words are near each other."""
    known = sorted({word for text in texts for word in content_words(text)})
    rows = np.array([[word in content_words(text) for word in known] for text in texts], dtype=np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def why(draft: str) -> str | None:
    wanted = Wanted("what does it cost to send a return parcel?", sources=[PASSAGE], encode=encode)
    return wanted.missed_by(draft)


BOTH = "A return parcel costs 4.95 euros within the EU. The label is in the parcel."


def test_the_two_sentences_nearest_to_the_question_are_to_the_point():
    assert why(BOTH) is None


def test_one_of_the_two_nearest_is_enough():
    assert why("A return parcel costs 4.95 euros within the EU.") is None
    assert why("The label is in the parcel.") is None
    assert why("Engraved items cannot be returned.") is not None


def never(texts):
    raise AssertionError("nothing is encoded")


def test_in_chinese_the_nearest_sentences_share_characters_where_the_encoder_is_the_companys_own():
    source = "分期付款在结账时选择。Pay in 3 免利息、免手续费。礼品卡不能分期。退货时先抵减未付的分期款。"
    wanted = Wanted("要付利息吗", sources=[source], encode=never, lang="zh", general=False)
    assert wanted.missed_by("Pay in 3 免利息、免手续费。") is None
    reason = wanted.missed_by("礼品卡不能分期。")
    assert reason is not None and "免利息" in reason


def test_in_chinese_a_general_encoder_and_the_shared_characters_count_alike():
    source = "分期付款在结账时选择。Pay in 3 免利息、免手续费。礼品卡不能分期。逾期要多付 7.50 欧元。"

    def late_payment(texts):  # knows that lateness costs, which no character says
        late = np.array([[float("逾期" in text or "晚" in text), 0.1] for text in texts], dtype=np.float32)
        return late / np.linalg.norm(late, axis=1, keepdims=True)

    wanted = Wanted("付晚了有利息吗", sources=[source], encode=late_payment, lang="zh")
    assert wanted.missed_by("逾期要多付 7.50 欧元。") is None
    assert wanted.missed_by("Pay in 3 免利息、免手续费。") is None
    assert wanted.missed_by("礼品卡不能分期。") is not None


def test_a_heading_is_no_sentence_even_with_a_number_in_it():
    source = (
        "How to clear E-1003\nLift the kettle off its base. Fill it.\nWhy it happens\nThe kettle is empty."
    )
    wanted = Wanted("how do I clear E-1003?", sources=[source], encode=encode)
    assert "How to clear E-1003." not in wanted.lacking("Fill it.")
    assert "Lift the kettle off its base." in wanted.lacking("Fill it.")


def test_a_draft_lacks_the_nearest_sentences_that_it_does_not_say():
    wanted = Wanted("what does it cost to send a return parcel?", sources=[PASSAGE], encode=encode)
    assert wanted.lacking(
        "A return parcel costs 4.95 euros within the EU. Engraved items cannot be returned."
    ) == [
        "The return must be sent within 30 days.",
        "The label is in the parcel.",
    ]
    assert wanted.lacking(PASSAGE) == []


def test_a_draft_says_first_what_was_asked_and_then_the_rest_as_the_source_orders_it():
    told = "Switch the kettle off. Fill in the vinegar. Boil it twice. Rinse the kettle."
    wanted = Wanted("how often must I boil it?", sources=[told], encode=encode)
    shuffled = "Rinse the kettle. Boil it twice. Fill in the vinegar. Switch the kettle off."
    assert wanted.arranged(shuffled) == [
        "Boil it twice.",
        "Switch the kettle off.",
        "Fill in the vinegar.",
        "Rinse the kettle.",
    ]
    own = "Certainly! Rinse the kettle. Boil it twice."
    assert wanted.arranged(own) == ["Certainly!", "Boil it twice.", "Rinse the kettle."]


STEPS = """Descale it every 3 months.
How to descale the kettle
1. Switch the kettle off.
2. Fill in the vinegar.
3. Boil it twice. It smells.
4. Rinse the kettle.
Otherwise it may leak."""


def test_a_list_stays_whole_and_in_order_under_its_heading_and_no_step_leads():
    wanted = Wanted("how often must I boil it?", sources=[STEPS], encode=encode)
    draft = "Otherwise it may leak. Boil it twice. Descale it every 3 months."
    assert set(wanted.lacking(draft)) >= {"Switch the kettle off.", "It smells.", "Rinse the kettle."}
    told = wanted.arranged(f"{draft} {' '.join(wanted.lacking(draft))}")
    assert wanted.laid_out(told) == (
        "Descale it every 3 months.\n\n"
        "How to descale the kettle:\n"
        "1. Switch the kettle off.\n"
        "2. Fill in the vinegar.\n"
        "3. Boil it twice. It smells.\n"
        "4. Rinse the kettle.\n\n"
        "Otherwise it may leak."
    )


def test_a_list_that_begins_a_source_stands_under_what_the_source_does():
    wanted = Wanted(
        "怎么除垢",
        sources=["1. 关机。\n2. 倒入除垢液。\n3. 冲洗。"],
        headings=["除垢步骤"],
        encode=encode,
        lang="zh",
    )
    told = wanted.arranged("冲洗。倒入除垢液。关机。")
    assert wanted.laid_out(told) == "除垢步骤：\n1. 关机。\n2. 倒入除垢液。\n3. 冲洗。"


def test_a_piece_of_a_sentence_is_said_whole():
    source = "We ship to two countries: Spain and Norway. Parcels take 5 days. Tea stays in Spain."
    wanted = Wanted("do you ship to Spain", sources=[source], encode=encode)
    told = wanted.arranged("Spain and Norway. Parcels take 5 days. Tea stays in Spain.")
    assert "We ship to two countries: Spain and Norway." in told
    assert "Spain and Norway." not in told


def test_a_line_of_a_list_is_lacking_as_a_sentence():
    wanted = Wanted(
        "spare lid price", sources=["Prices are below.\n- Lid price: 9 euros\n- Gasket: 8.90"], encode=encode
    )
    assert wanted.lacking("Prices are below.") == ["Lid price: 9 euros.", "Gasket: 8.90."]


def test_a_true_sentence_about_something_else_is_not():
    reason = why("Engraved items cannot be returned.")
    assert reason is not None and "4.95" in reason


def test_a_longer_reply_that_also_answers_is_to_the_point():
    assert why(f"Engraved items cannot be returned. {BOTH}") is None


def test_a_passage_of_one_sentence_needs_no_choice():
    assert Wanted("?", sources=["One and two."], encode=encode).missed_by("Yes.") is None


def test_the_sources_are_encoded_once_for_all_drafts():
    calls = []

    def counting(texts):
        calls.append(len(texts))
        return encode(texts)

    wanted = Wanted("what does a return parcel cost?", sources=[PASSAGE], encode=counting)
    assert wanted.missed_by("Engraved items cannot be returned.")
    assert wanted.missed_by(BOTH) is None
    assert len(calls) == 1


COMES_BACK = (
    "E-4012 means that no water comes. "
    "The Mini blinks for the same problem. If E-4012 comes back, book a repair."
)


def test_neither_a_condition_nor_what_leans_back_begins_a_reply():
    for question in ("the repair when it comes back?", "the Mini blinks?"):
        wanted = Wanted(question, sources=[COMES_BACK], encode=encode)
        told = wanted.arranged(" ".join(reversed(sentences(COMES_BACK))))
        assert told[0] == "E-4012 means that no water comes."


def test_a_yes_leads_what_it_opens_and_is_left_out_before_what_it_does_not():
    source = "可以退。机器可以在家试用，30 天内都能退。每台扣除 25 欧元清洁费。超过 50 杯的扣除商品价格。原包装要保留。"
    draft = "每台扣除 25 欧元清洁费。可以退。机器可以在家试用，30 天内都能退。超过 50 杯的扣除商品价格。"
    fee = Wanted(
        "扣除 25 欧元清洁费，超过 50 杯，商品价格，原包装",
        sources=[source],
        encode=encode,
        lang="zh",
        general=False,
    )
    told = fee.arranged(draft)
    assert told[0] == "每台扣除 25 欧元清洁费。" and "可以退。" not in told
    trial = Wanted(
        "机器可以在家试用吗，扣除 25 欧元清洁费", sources=[source], encode=encode, lang="zh", general=False
    )
    assert trial.arranged(draft)[0] == "可以退。"


def test_what_was_not_asked_for_does_not_begin_a_reply() -> None:
    told = "The Mini has no boiling programme. Boil it once a month. Keep it clean."
    asked = "does it have a boiling programme?"
    headed = "Boil it once a month.\nKeep it clean.\n\nThe Mini\nThe Mini has no boiling programme."
    wanted = Wanted(asked, sources=[headed], encode=encode, aside=lambda _, heading: heading == "The Mini")
    assert wanted.arranged(told)[0] == "Boil it once a month."
    assert Wanted(asked, sources=[headed], encode=encode).arranged(told)[0].startswith("The Mini")


EXPRESS = (
    "Express is there for orders paid before noon. Zone 1: express costs €9.95. Zone 2: express costs €17.95. "
    "Express arrives on the next working day. It is not there for bank transfer. Engraving takes the courier no time. "
    "Boxes are made of paper. Labels are printed on both sides. The courier rings twice. It is free for members."
)


def about_express(question: str) -> Wanted:
    return Wanted(question, sources=[EXPRESS], encode=encode)


def test_who_asks_for_an_amount_is_told_what_lies_near_and_every_amount():
    told = " ".join(about_express("how much is express?").lacking("Zone 1: express costs €9.95."))
    assert "€17.95" in told and "free for members" in told and "Boxes are made of paper" not in told
    assert "Boxes are made of paper" in " ".join(
        about_express("is there express?").lacking("Zone 1: express costs €9.95.")
    )


def test_what_a_draft_says_besides_an_amount_that_is_asked_for_is_left_out():
    draft = "Zone 1: express costs €9.95. Boxes are made of paper. The courier rings twice."
    assert about_express("how much is express?").arranged(draft) == ["Zone 1: express costs €9.95."]
    assert len(about_express("is there express?").arranged(draft)) == 3


def test_a_sentence_that_goes_on_from_another_is_not_told_without_it():
    source = (
        "加急费 9.95 欧元。加急在工作日送达。加急可以选。加急有物流号。周一早上不接单。否则收取 5 欧元。"
        "盒子是纸做的。标签两面都有字。"
    )
    wanted = Wanted("加急多少钱", sources=[source], encode=never, lang="zh", general=False)
    told = wanted.lacking("加急费 9.95 欧元。")
    assert told[-2:] == ["周一早上不接单。", "否则收取 5 欧元。"]


def test_of_what_lies_near_a_sentence_that_states_the_amount_asked_for_comes_first():
    source = "Express is express. The courier brings it for €9.95. Zone 2 pays €17.95 for express. Boxes are paper."
    asks_price = Wanted("how much is express?", sources=[source], encode=encode)
    assert asks_price.nearest == "Zone 2 pays €17.95 for express."
    assert Wanted("is there express?", sources=[source], encode=encode).nearest == "Express is express."
    assert asks_price.missed_by("Express is express.") is not None
    draft = "Express is express. The courier brings it for €9.95. Zone 2 pays €17.95 for express."
    assert asks_price.arranged(draft)[0] == "Zone 2 pays €17.95 for express."
