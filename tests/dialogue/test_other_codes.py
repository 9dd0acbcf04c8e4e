from __future__ import annotations

import pytest

from chatbot.dialogue.other_codes import without_other_codes
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import Candidate


def candidate(title: str, text: str, probability: float) -> Candidate:
    hit = Hit(1, 1, title, title, title, "", text, "en", probability, 0.0, 0.0)
    return Candidate(probability, title, article_slug=title, hit=hit)


FLOW = candidate("Error E-4012: no water flow", "The tank is empty.", 0.5)
BURRS = candidate("Error E-2107 (Heron 40)", "The burrs are blocked.", 0.4)
REPAIR = candidate("Book a repair", "Enter the serial number.", 0.3)


@pytest.mark.parametrize("text", ["my machine shows E-1203", "屏幕显示 E-1203 怎么办", "what is e-1203?"])
def test_what_explains_other_codes_does_not_answer_one_that_is_not_explained(text: str) -> None:
    kept, code = without_other_codes(text, [FLOW, BURRS, REPAIR], sure=0.55)
    assert (kept, code and code.upper()) == ([], "E-1203")


def test_what_is_sure_and_names_no_other_code_still_answers() -> None:
    sure = candidate("Book a repair", "Enter the serial number.", 0.8)
    assert without_other_codes("E-1203, can I book a repair?", [sure, FLOW], sure=0.55) == ([sure], "E-1203")


@pytest.mark.parametrize(
    "text",
    [
        "my machine shows E-4012",  # explained
        "where is my order KC-204817?",  # a code of another form
        "the machine shows an error",
        "the burrs are blocked, E-2107 or E-1203?",  # one of the two is
    ],
)
def test_all_else_stays_as_it_is(text: str) -> None:
    ranked = [FLOW, BURRS, REPAIR]
    assert without_other_codes(text, ranked, sure=0.55) == (ranked, None)


def test_a_code_that_only_the_text_explains_is_explained() -> None:
    other = candidate("Other errors", "E-1203 means that the lid is open.", 0.4)
    assert without_other_codes("E-1203?", [FLOW, other], sure=0.55) == ([FLOW, other], None)
