from __future__ import annotations

from chatbot.dialogue.led_in import with_lead_in
from chatbot.dialogue.trace import Hit

OPENING = "每 200 杯除垢一次。请用一袋除垢剂兑 1 L 水。"
STEPS = "1. 取下手柄。\n2. 倒入除垢液。"


def hit(number: int, text: str, path: str = "除垢") -> Hit:
    return Hit(number, 1, "descale", "除垢", path, "", text, "zh", 0.0, 0.0, 0.0)


def test_steps_that_begin_a_section_come_behind_the_articles_opening_under_their_heading() -> None:
    article = [hit(1, OPENING), hit(2, STEPS, "除垢 › 步骤")]
    assert with_lead_in(article[1], lambda: article).text == f"{OPENING}\n\n步骤\n{STEPS}"


def test_steps_of_a_section_that_was_cut_come_behind_its_own_last_lines() -> None:
    article = [hit(1, OPENING), hit(2, "先看。\n- 一\n先关机。", "除垢 › 步骤"), hit(3, STEPS, "除垢 › 步骤")]
    assert with_lead_in(article[2], lambda: article).text == f"先关机。\n\n步骤\n{STEPS}"


def test_of_a_long_opening_only_the_end_leads_in() -> None:
    article = [hit(1, "说明一句话。" * 60 + "请先关机。"), hit(2, STEPS, "除垢 › 步骤")]
    led = with_lead_in(article[1], lambda: article).text
    assert led.endswith(f"请先关机。\n\n步骤\n{STEPS}") and len(led) < 260


def test_what_begins_with_no_step_stays_as_it_is() -> None:
    def never() -> list[Hit]:
        raise AssertionError("nothing is looked up")

    for text in (OPENING, "- 一\n- 二", f"先关机。\n{STEPS}"):
        assert with_lead_in(hit(1, text), never).text == text
