"""Two lines for whoever takes over: the customer's own words and what was shown, nothing else."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.dialogue.summary import QUOTE_LIMIT, Said, clip, summarise
from chatbot.dialogue.trace import ActionTrace


def bot(kind: str, *titles: str, vote: str | None = None) -> Said:
    return Said("bot", "…", kind, titles, vote)


def test_what_is_wanted_is_the_first_and_the_last_question_in_the_customers_words() -> None:
    turns = [
        Said("customer", "Hello"),
        bot("smalltalk"),
        Said("customer", "My kettle leaks at the bottom. What can I do?"),
        bot("passage", "Leaking kettles", vote="down"),
        Said("customer", "It is still under warranty!"),
        bot("unknown"),
        Said("customer", "I want to talk to a person"),
    ]
    first, second = summarise(turns).lines("en")
    assert (
        first
        == "Wants: “My kettle leaks at the bottom. What can I do?”, later: “It is still under warranty!”"
    )
    assert second == "Tried: the bot answered from “Leaking kettles” (marked as no help); did not know"


def test_in_chinese_the_words_around_the_quotations_are_chinese() -> None:
    turns = [
        Said("customer", "怎么退货？"),
        bot("choices", "退货流程", "退款时间"),
        Said("customer", "转人工"),
    ]
    assert summarise(turns).lines("zh") == ("诉求：“怎么退货？”", "已尝试：给出选项“退货流程”、“退款时间”")


def test_a_bare_wish_for_a_person_is_called_that() -> None:
    assert summarise([Said("customer", "agent please, I want a human")]).lines("en") == (
        "Asked for a person without saying what for",
        "Nothing was tried yet",
    )
    assert summarise([]).lines("en")[0] == "Has not written anything yet"


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to an agent about my refund for order KC-204817, it is 3 weeks late",
        "我要找人工，退款三周了还没到，订单KC-204817",
        "转人工，咖啡机漏水",
        "human please, my kettle leaks",
        "Can I talk about my refund to a human?",
    ],
)
def test_a_wish_for_a_person_that_says_what_for_is_the_matter(text: str) -> None:
    assert summarise([Said("customer", text)]).wants == (text,)


@pytest.mark.parametrize(
    "text",
    [
        "I'd like to speak with a real person, please!",
        "Hello, can I talk to a human now?",
        "你好，请帮我转一下人工客服，谢谢",
        "我要找真人",
    ],
)
def test_a_polite_wish_for_a_person_is_no_matter(text: str) -> None:
    assert summarise([Said("customer", text)]).wants == ()


def ran(outcome: str, state: str = "asking", *, changes: bool = False) -> Said:
    trace = ActionTrace("order_status", state, outcome=outcome, changes=changes)  # type: ignore[arg-type]
    stored = {"parts": [{"action": asdict(trace)}]}
    kind = "approved" if outcome == "done" else "ask"
    return Said.of_turn("bot", "…", kind=kind, reply={"parts": []}, trace=stored)


def test_what_an_action_came_to_is_told_and_how_often() -> None:
    turns = [ran(""), ran("not_found"), ran("not_found"), ran("not_found", "failed")]
    assert summarise(turns).lines("en")[1] == (
        "Tried: asked back for a detail; looked up “order_status”: 3 times not found"
    )
    assert summarise(turns).lines("zh")[1] == "已尝试：追问过细节；查询“order_status”：3 次未找到"
    assert summarise([ran("done", "done")]).lines("en")[1] == "Tried: looked up “order_status”"
    assert summarise([ran("done", "done", changes=True)]).lines("zh")[1] == "已尝试：已办理“order_status”"
    assert "not found" not in summarise([ran("not_found", "paused")]).lines("en")[1]


def test_the_same_thing_tried_again_is_counted_once() -> None:
    turns = [bot("unknown"), bot("passage", "A"), bot("unknown"), bot("passage", "A", vote="up")]
    _, second = summarise(turns).lines("en")
    assert second == "Tried: did not know 2 times; the bot answered from “A” (marked as helpful)"


def test_two_lines_stay_two_lines_after_sixty_turns() -> None:
    turns = []
    for number in range(60):
        title = f"How do I change the grind size of my subscription after the order {number} was packed?"
        turns += [
            Said("customer", f"and {number}?"),
            bot("passage", title, f"{title} Part two", "Part three"),
        ]
    first, second = summarise(turns).lines("en")
    assert len(first) < 2 * QUOTE_LIMIT + 40 and len(second) < 520
    assert second.endswith("; 57 more before that") and "order 59" not in first
    assert summarise(turns).lines("zh")[1].endswith("；此前还有 57 步")


def test_what_was_tried_last_is_told_whatever_was_tried_before_it() -> None:
    turns = [bot("passage", title) for title in ("A", "B", "C", "D", "A")]
    assert summarise(turns).lines("en")[1] == (
        "Tried: the bot answered from “C”; the bot answered from “D”; the bot answered from “A”; 1 more before that"
    )


def test_a_colleague_who_wrote_before_is_named() -> None:
    assert "Mei has written" in summarise([Said("agent", "Hi", name="Mei")]).lines("en")[1]


def test_a_stored_reply_gives_its_sources_or_its_choices() -> None:
    part = {"sources": [{"title": "Refunds"}], "choices": [{"title": "A person", "payload": "/handover"}]}
    assert Said.of_turn("bot", "x", kind="passage", reply={"parts": [part]}).titles == ("Refunds",)
    offered = {"sources": [], "choices": [{"title": "T", "payload": "/intent t"}, *part["choices"]]}
    assert Said.of_turn("bot", "x", kind="choices", reply={"parts": [offered]}).titles == ("T",)
    tapped = Said.of_turn("customer", "T", kind=None, reply={"payload": "/intent t"})
    assert tapped.titles == ()


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["customer", "bot", "agent", "note"]), st.text(max_size=400))))
def test_nothing_is_quoted_that_was_not_said(said: list[tuple[str, str]]) -> None:
    summary = summarise([Said(role, text, "unknown") for role, text in said])
    whole = [" ".join(text.split()) for role, text in said if role == "customer"]
    for quote in summary.wants:
        assert len(quote) <= QUOTE_LIMIT
        kept = re.sub(r" ?…$", "", quote)
        assert any(text.startswith(kept) for text in whole)
    assert all(line and "\n" not in line for lang in ("en", "zh") for line in summary.lines(lang))


def test_a_long_message_is_cut_at_a_sentence_or_a_word() -> None:
    assert clip("One sentence. " * 30).endswith("sentence. …")
    cut = clip("word " * 100)
    assert cut.endswith("word…") and len(cut) <= QUOTE_LIMIT
    assert len(clip("长" * 300)) == QUOTE_LIMIT


def asked(text: str) -> list[Said]:
    """A message that the bot answers with a question for a detail."""
    return [Said("customer", text), Said("bot", "Which order?", "ask", rule="action_ask")]


def took(kind: str = "ask") -> Said:
    return Said("bot", "…", kind, took=True, rule="action_ask" if kind == "ask" else "action")


@pytest.mark.parametrize("text", ["yes", "no", "好的", "???", "😀", "never mind", "try again", "ok thanks"])
def test_what_says_nothing_of_the_matter_is_not_what_is_wanted(text: str) -> None:
    turns = [
        Said("customer", "How long is the warranty?"),
        bot("passage", "Warranty"),
        Said("customer", text),
    ]
    assert summarise(turns).wants == ("How long is the warranty?",)


def test_details_that_were_asked_for_are_left_out_but_the_orders_number() -> None:
    turns = [*asked("change my address"), Said("customer", "KC-204822"), took()]
    assert summarise(turns).wants == ("change my address", "KC-204822")
    turns += [
        Said("customer", "Kade 5, 3011 AB Rotterdam"),
        took(),
        Said("customer", "mila@example.com"),
        took(),
    ]
    assert summarise(turns).wants == ("change my address", "KC-204822")
    turns += [Said("customer", "What does that cost?"), bot("passage", "Costs")]
    assert summarise(turns).wants == ("change my address", "What does that cost?")


def test_a_question_that_came_instead_of_the_detail_is_what_is_wanted() -> None:
    turns = [*asked("change my address"), Said("customer", "The parcel was stolen"), bot("passage", "Stolen")]
    assert summarise(turns).wants == ("change my address", "The parcel was stolen")


def test_an_answer_that_did_not_help_is_no_new_wish_and_is_told() -> None:
    turns = [
        Said("customer", "my grinder squeaks"),
        bot("passage", "Squeaking"),
        Said("customer", "did that, still there"),
        Said("bot", "…", "unknown", rule="did_not_help"),
    ]
    assert summarise(turns).lines("en") == (
        "Wants: “my grinder squeaks”",
        "Tried: the bot answered from “Squeaking”; the customer said that it did not help",
    )
    assert summarise(turns).lines("zh")[1].endswith("；客户表示没有解决")


def test_an_action_is_called_by_its_title_where_that_is_known() -> None:
    trace = {
        "parts": [
            {
                "rule": "action",
                "classification": {"tier": "none"},
                "action": {"name": "order_status", "state": "done", "outcome": "done"},
            }
        ]
    }
    titles = {"order_status": "Where an order is"}
    for actions, name in ((titles, "Where an order is"), (None, "order_status")):
        said = Said.of_turn("bot", "…", kind="approved", reply=None, trace=trace, actions=actions)
        assert said.took and said.requests == (("looked_up", name),)
