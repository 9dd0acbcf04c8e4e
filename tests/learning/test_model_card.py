"""The card shows what a release is and what changed, as pictures and tables in which no text is markup."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from chatbot.learning.charts import Line, heat_map, line_chart
from chatbot.learning.model_card import ModelCard, page, sections
from chatbot.learning.parity import Parity
from chatbot.learning.sureness import Answering, counted
from web.language import catalogue
from web.sentences import in_words

CLASSIFIER = {
    "accuracy": 90.0,
    "macro_f1": 88.0,
    "ece": 2.5,
    "answered_right": 70.0,
    "answered_wrong": 3.0,
    "out_of_scope_refused": 85.0,
    "intents": {
        "refund": {"precision": 90.0, "recall": 80.0, "f1": 84.7, "support": 10},
        "<b>hours</b>": {"precision": 70.0, "recall": 75.0, "f1": 72.4, "support": 8},
    },
    "labels": ["<b>hours</b>", "refund"],
    "confusion": [[6, 2], [1, 9]],
    "calibration": [[30.0, 25.0, 4], [90.0, 95.0, 14]],
}
CARD = ModelCard(
    release_id="r2",
    made="2026-11-21 10:00 UTC",
    status="promoted",
    reason="no measure lost more than allowed, as far as 400 frozen examples can tell",
    metrics={
        "classifier": CLASSIFIER,
        "search": {"recall_at_1": 71.0, "recall_at_5": 93.0, "mrr_at_10": 80.0, "by_language": {"en": 70.0}},
        "training": {
            "classifier": {
                "curve": [[10, 2.0, 50.0], [20, 1.0, 80.0]],
                "left_out_tags": [{"intent": "vip", "n": 4}],
            },
            "cascade": {
                "curve": [
                    {"sure": 0.0, "fast_share": 1.0, "accuracy": 0.789, "milliseconds": 0.2},
                    {"sure": 0.5, "fast_share": 0.75, "accuracy": 0.816, "milliseconds": 1.2},
                    {"sure": 1.0, "fast_share": 0.0, "accuracy": 0.817, "milliseconds": 4.2},
                ],
                "chosen": {"sure": 0.5, "fast_share": 0.75, "accuracy": 0.816, "milliseconds": 1.2},
                "languages": {
                    "en": {"n": 1922, "fast": 0.789, "accurate": 0.528, "together": 0.816, "asked": True},
                    "zh": {"n": 900, "fast": 0.878, "accurate": 0.576, "together": 0.878, "asked": False},
                },
            },
            "sureness": counted(
                [Answering("en", 0.9, False), Answering("en", 0.65, True)], [Answering("zh", 0.0, False)] * 2
            ),
            "generator": {"replies": 1000, "perplexity_a_piece": 12.8},
            "ranker": {
                "answers": 1434,
                "first_of_batch": 70.5,
                "first_of_100": {"situations": 200, "ranker": 61.5, "most_frequent": 30.0, "nearest": 40.5},
            },
        },
        "seconds": {"classifier": 10.0},
    },
    gate={
        "measures": [
            {"name": "accuracy", "low": -0.02, "high": 0.01, "examples": 900, "state": "not shown"},
            {"name": "no wrong answer", "low": -0.005, "passed": True},  # as older releases kept it
        ],
        "live": {
            "classifier": CLASSIFIER
            | {"accuracy": 88.0, "intents": {"refund": {"f1": 60.0}, "old": {"f1": 9}}}
        },
    },
    counts={"examples": 1234},
    languages=("en",),
    erased_people=2,
    parity={"Classifier": Parity(1927, 0.991, 0.0312)},
    skipped={"generator": "7 agents' turns are too few to learn to write from (at least 50)"},
    cut={"classifier": "time ran out after 300 of 1200 planned steps; the best weights so far are kept"},
    parent_id="r1",
)


def test_every_picture_is_well_formed_and_no_text_is_markup():
    shown = ElementTree.fromstring(f"<div>{sections(CARD)}</div>")
    assert len(list(shown.iter("svg"))) == 6 or len(shown.findall(".//{*}svg")) == 6
    assert "<b>" not in sections(CARD)
    assert "&lt;b&gt;hours" in sections(CARD)


def test_the_card_says_what_each_setting_costs():
    made = sections(CARD)
    assert "Measured on 4 held-back questions" in made
    assert "en, standing alone" in made and "zh, behind an answer" in made
    assert "100\u00a0·\u00a050.0" in made  # from 60 % on
    assert "50\u00a0·\u00a00.0" in made  # from 70 % on
    older = sections(replace(CARD, metrics={"classifier": CLASSIFIER}))
    assert "held-back" not in older


def test_the_card_draws_the_cascade_and_says_which_point_was_chosen_and_why():
    made = sections(CARD)
    for told in (
        "Chosen is the lowest confidence",
        "25: 81.6",
        "1.20",
        "4.20",
        "52.8",
        "1922",
        "is not asked",
    ):
        assert told in made, told
    older = sections(
        replace(
            CARD,
            metrics={"training": {"cascade": [{"sure": 0.3, "fast_share": 0.9, "accuracy": 0.8}] * 2}},
        )
    )
    assert "<svg" in older and "Chosen is" not in older
    assert "Fast and accurate" not in sections(replace(CARD, metrics={"classifier": CLASSIFIER}))


def test_the_card_says_what_changed_and_who_was_erased():
    made = page(CARD)
    for told in ("+2.0", "+24.7", "2 people", "New intents:", "Intents gone:", "vip", "1,234"):
        assert told in made, told
    assert "style=" not in sections(CARD)  # a strict CSP shows it


def test_the_card_says_how_near_the_served_form_is_to_the_trained_one():
    made = page(CARD)
    assert "99.10" in made and '<span class="tag bad">0.0312</span>' in made


def test_the_card_says_what_the_clock_has_cut():
    assert "time ran out after 300 of 1200 planned steps" in page(CARD)


def test_the_card_tells_how_well_past_answers_are_ranked():
    made = page(CARD)
    for told in ("1,434", "70.5", "61.5", "30.0", "40.5"):
        assert told in made, told


def test_a_card_of_a_release_without_a_classifier_is_short():
    bare = ModelCard("r1", "today", "candidate", "", {}, {})
    assert "<svg" not in sections(bare)
    assert "r1" in page(bare)


def test_every_word_of_the_card_is_there_in_chinese():
    said: list[str] = []

    def say(text: str) -> str:
        said.append(text)
        return text

    page(CARD, say)
    unknown = {text for text in set(said) - set(catalogue("zh")) if in_words(text, "zh") == text}
    assert CARD.reason in said
    assert sorted(unknown) == []


def test_an_empty_chart_is_no_chart_and_one_point_is():
    assert line_chart([Line("a", [])], title="t", x_name="x", y_name="y") == ""
    assert "polyline" in line_chart([Line("a", [(1, 1)])], title="t", x_name="x", y_name="y")
    assert heat_map([], [], title="t") == ""
