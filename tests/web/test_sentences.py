"""Sentences with values, kept in English, in the reader's language."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from flask.testing import FlaskClient

from chatbot.dialogue import (
    acting,
    action_calls,
    assistant,
    bound_actions,
    grounding,
    policy,
    relevance,
    tapping,
)
from chatbot.dialogue.facts import FactKind
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.policy import Bound, Evidence, decide
from chatbot.dialogue.speaking import Footing
from chatbot.dialogue.trace import Hit, Mode
from chatbot.dialogue.weighing import Candidate
from chatbot.errors import TrainingError
from chatbot.learning import training_stages
from chatbot.learning.gate import Outcome, judge
from chatbot.learning.model_card import PART_WORDS
from chatbot.learning.parity import differences
from chatbot.learning.retraining import FROM_SCRATCH
from chatbot.learning.time_plan import exceeded_in_words
from web.language import catalogue
from web.sentences import in_words

HAN = re.compile(r"[\u4e00-\u9fff]")
WORDS = re.compile(r"[a-z]{4,}")


def evidence(
    *candidates: Candidate,
    readable: bool = True,
    person: bool = False,
    again: bool = False,
    left_out: bool = False,
    small: str | None = None,
    action: Bound = "none",
    mode: Mode = "approved_and_cited",
    footing: Footing | None = None,
) -> Evidence:
    options = SiteOptions(mode=mode)
    return Evidence(
        readable,
        small,
        person,
        again,
        candidates,
        None,
        options,
        action=action,
        left_out=left_out,
        footing=footing or Footing(),
    )


PASSAGE = Hit(1, 1, "t1", "T1", "T1", "", "text", "en", 0.9, 0.0, 0.0)


def candidate(title: str, probability: float) -> Candidate:
    return Candidate(probability, title, "x", None, None, by_classifier=probability)


def strange(title: str, probability: float) -> Candidate:
    return replace(candidate(title, probability), new_words=0.72, strange=0.6)


ASKED = [
    evidence(),
    evidence(readable=False),
    replace(evidence(candidate("T1", 0.9)), too_long=True),
    evidence(person=True),
    replace(evidence(), dangers=("fire",)),
    replace(evidence(), others_data=True),
    evidence(small="bye"),
    evidence(candidate("T1", 0.9), action="bound"),
    evidence(candidate("T1", 0.5), action="complete"),
    evidence(candidate("T1", 0.9), again=True),
    evidence(candidate("T1", 0.1)),
    evidence(candidate("T1", 0.5)),
    evidence(candidate("T1", 0.9)),
    evidence(replace(candidate("T1", 0.9), approved="Yes.")),
    evidence(replace(candidate("T1", 0.9), hit=PASSAGE)),
    replace(evidence(replace(candidate("T1", 0.9), hit=PASSAGE)), sent=frozenset([PASSAGE.text])),
    replace(evidence(replace(candidate("T1", 0.9), hit=PASSAGE)), again={PASSAGE.text: "first"}),
    replace(evidence(replace(candidate("T1", 0.9), approved="Yes.")), again={"Yes.": "first"}),
    evidence(candidate("T1", 0.9), mode="drafts_only"),
    evidence(replace(candidate("T1", 0.9), hit=PASSAGE), left_out=True),
    evidence(candidate("T1", 0.9), candidate("T2", 0.85)),
    evidence(strange("T1", 0.1)),
    evidence(strange("T1", 0.5)),
    evidence(replace(strange("T1", 0.9), hit=PASSAGE), mode="generated_allowed"),
    evidence(
        replace(candidate("T1", 0.9), hit=PASSAGE),
        mode="generated_allowed",
        footing=Footing(0.9, behind=1),
    ),
]


def test_the_evidence_brings_every_rule_of_the_policy() -> None:
    """A rule that is added there, and not here, is one whose reason nobody has looked for in Chinese."""
    rules = {
        ast.literal_eval(call.args[1])
        for call in ast.walk(ast.parse(inspect.getsource(policy)))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Decision"
    }
    assert {decide(asked).rule for asked in ASKED} == rules


@pytest.mark.parametrize("asked", ASKED)
def test_every_reason_of_the_policy_has_chinese_words(asked: Evidence) -> None:
    reason = decide(asked).reason
    told = in_words(reason, "zh")
    assert HAN.search(told), reason
    assert not WORDS.search(told), told
    assert re.findall(r"\d\.\d\d", told) == re.findall(r"\d\.\d\d", reason)


@pytest.mark.parametrize(
    ("number", "candidate_right", "live_right"),
    [(400, 1.0, 1.0), (400, 0.7, 0.95), (100, 0.9, 0.9), (400, 0.93, 0.96), (400, 0.9, 0.9)],
)
def test_every_reason_of_the_gate_has_chinese_words(
    number: int, candidate_right: float, live_right: float
) -> None:
    def outcomes(share: float, shift: int) -> list[Outcome]:
        return [
            Outcome(None if at % 10 == 0 else "a", (at * 7 + shift) % 100 < 100 * share, False, False)
            for at in range(number)
        ]

    reason = judge(
        outcomes(candidate_right, 0), outcomes(live_right, 31), candidate_intents=["a"], live_intents=["a"]
    ).reason
    told = in_words(reason, "zh")
    assert HAN.search(told)
    assert not WORDS.search(told), told


@pytest.mark.parametrize("live", [None, [Outcome("a", True, False)] * 400, [Outcome("a", True, False)] * 9])
def test_a_served_form_that_differs_is_told_in_chinese(live: list[Outcome] | None) -> None:
    figures = {"n": 1927, "same_top": 0.9912, "largest_confidence_gap": 0.0312}
    both = differences({"classifier": figures, "accurate": figures})
    told = in_words(judge(live or [], live, candidate_intents=["a"], differences=both).reason, "zh")
    assert "精确分类器：上线形式与训练形式在 1927 条消息中有 99.12% 一致" in told
    assert not WORDS.search(told), told


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("gate: first release: nothing is live yet", "上线检查：第一个版本：此前没有上线的版本"),
        (
            "no measure lost more than allowed, as far as 4123 frozen examples can tell; "
            "a loss of 15.1 points or more would have been noticed",
            "就 4123 个固定样本所能看出的，没有指标下降超过允许的范围；若下降达到 15.1 个百分点或更多，就会被发现",
        ),
        (
            "a.jsonl was imported before (2026-11-21 12:00 UTC, 7 conversations kept); nothing to do",
            "a.jsonl 已于 2026-11-21 12:00（UTC）导入过，保留了 7 段对话；无需再做",
        ),
        ("Broken JSON at column 7: Expecting value", "JSON 在第 7 列损坏：Expecting value"),
        ("something nobody has translated", "something nobody has translated"),
        ("", ""),
    ],
)
def test_values_stay_what_they_are(english: str, chinese: str) -> None:
    assert in_words(english, "zh") == chinese
    assert in_words(english, "en") == english


def _reasons(module: ModuleType) -> Iterator[str]:
    """The sentences that a module says something is wrong with: texts appended to a list, added to one, or returned."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        told: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            told = node.args
        elif isinstance(node, ast.AugAssign) and isinstance(node.value, ast.ListComp):
            told = [node.value.elt]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.List):
            told = node.value.elts
        elif isinstance(node, ast.Return) and node.value is not None:
            told = [node.value]
        for text in told:
            if isinstance(text, ast.JoinedStr):
                parts = [str(one.value) if isinstance(one, ast.Constant) else "X1" for one in text.values]
                sentence = "".join(parts)
            else:
                sentence = str(text.value) if isinstance(text, ast.Constant) else ""
            if re.match(r"[a-z]+ [a-z]", sentence):
                yield sentence


@pytest.mark.parametrize("module", [grounding, relevance])
def test_every_reason_of_the_check_of_a_draft_has_chinese_words(module: ModuleType) -> None:
    kinds = [f"{kind} not in the sources: 14 day" for kind in get_args(FactKind)]
    elsewhere = "stands in the sources about something else: 0.9 l"
    found = [*_reasons(module), *kinds, elsewhere]
    assert len(found) > len(kinds) + 1
    for reason in found:
        told = in_words(reason, "zh")
        assert HAN.search(told), reason
        assert not WORDS.search(told), told


def _left_out_by_training() -> Iterator[tuple[str, str]]:
    """(part, reason) as the stages write them down; a value in one is 7."""
    for node in ast.walk(ast.parse(inspect.getsource(training_stages))):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)):
            continue
        place = node.targets[0]
        if isinstance(place.value, ast.Attribute) and place.value.attr == "skipped":
            part = str(ast.literal_eval(place.slice))
            both = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
            for text in both:
                if isinstance(text, ast.JoinedStr):
                    yield (
                        part,
                        "".join(
                            str(one.value) if isinstance(one, ast.Constant) else "7" for one in text.values
                        ),
                    )
                elif isinstance(text, ast.Constant):
                    yield part, str(text.value)


def test_every_reason_why_a_training_left_a_part_out_has_chinese_words() -> None:
    from chatbot.learning.tagger_training import train_tagger  # torch: where it is needed

    with pytest.raises(TrainingError) as raised:
        train_tagger([], Path("nowhere"))
    found = [*_left_out_by_training(), ("entities", raised.value.one_line())]
    assert len(found) >= 11
    for part, reason in found:
        told = in_words(reason, "zh")
        assert HAN.search(told), reason
        assert not WORDS.search(told.replace("none", "")), told
        assert HAN.search(in_words(PART_WORDS[part], "zh")), part


SAID_BY = {"Acted": 2, "Decision": 2, "Outcome": 1, "_to_person": 1}  # which argument is the reason


def _told_by(module: ModuleType) -> Iterator[str]:
    """The reasons that a module gives for a reply, or for what came of an action; a value in one is X1."""
    for call in ast.walk(ast.parse(inspect.getsource(module))):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SAID_BY):
            continue
        at = SAID_BY[call.func.id]
        text = call.args[at] if len(call.args) > at else None
        if isinstance(text, ast.JoinedStr):
            said = "".join(str(one.value) if isinstance(one, ast.Constant) else "X1" for one in text.values)
        else:
            said = str(text.value) if isinstance(text, ast.Constant) else ""
        if said and not said.endswith("X1 X1"):  # how _to_person puts what it is told together
            yield f"the action X1 {said}" if call.func.id == "_to_person" else said


@pytest.mark.parametrize(
    ("module", "least"), [(acting, 9), (action_calls, 6), (bound_actions, 1), (tapping, 3)]
)
def test_every_reason_of_an_action_or_a_tap_has_chinese_words(module: ModuleType, least: int) -> None:
    found = list(_told_by(module))
    assert len(found) >= least
    if module is action_calls:
        unproven = list(_reasons(module))
        assert len(unproven) == 2
        found += [*unproven, "the service did not answer X1: true"]
    for reason in found:
        told = in_words(reason, "zh")
        assert HAN.search(told), reason
        assert not WORDS.search(told), told


def test_the_reason_of_an_action_is_told_with_what_led_to_it() -> None:
    led = decide(evidence(candidate("Where is it", 0.9), action="bound")).reason
    told = in_words(f"{led}; the action track_order needs order_number", "zh")
    assert told == "'Where is it'的概率为 0.90，并关联了操作；操作 track_order 需要 order_number"


def test_every_stage_of_an_answer_has_a_chinese_name() -> None:
    stages = set(re.findall(r'clock\("([^"]+)"\)', inspect.getsource(assistant)))
    assert {"classify", "search"} < stages
    for stage in stages:
        assert HAN.search(catalogue("zh").get(stage, "")), stage


@pytest.mark.parametrize("accept", ["text/html", "text/html,*/*;q=0.8"])
def test_a_wrong_address_is_told_in_the_readers_language(client: FlaskClient, accept: str) -> None:
    page = client.get("/nowhere", headers={"Accept": accept, "Accept-Language": "zh-CN"})
    told = page.get_data(as_text=True)
    assert page.status_code == 404
    assert "这个地址下没有内容" in told
    assert "请检查地址" in told
    english = client.get("/nowhere", headers={"Accept": accept, "Accept-Language": "en"})
    assert "There is nothing at this address" in english.get_data(as_text=True)


def test_every_template_keeps_its_gaps() -> None:
    told = json.loads((files("web") / "texts" / "zh.sentences.json").read_text("utf-8"))
    for english, chinese in told.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), english


def test_a_hostile_sentence_is_matched_in_no_time() -> None:
    hostile = "x has " * 300 + "; " * 200
    assert in_words(hostile[:2000], "zh")
    for many in ("; ", ". ", ".", "x; "):  # no deeper than Python goes
        assert in_words(many * (2000 // len(many)), "zh")


def test_what_a_retraining_says_of_its_budget_and_of_learning_on_is_translated() -> None:
    exceeded = exceeded_in_words(60, before=10, training=81, after=6)
    for told in (exceeded, FROM_SCRATCH):
        assert not re.search(r"[A-Za-z]", in_words(told, "zh")), told
    assert "97 秒" in in_words(exceeded, "zh")
