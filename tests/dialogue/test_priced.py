"""The price of a thing, where an article asks for another price by its title."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatbot.dialogue.priced import name_priced, priced
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import Candidate


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("how much is the Crane Mini", "crane mini"),
        ("Hi, how much are your mugs?", "mugs"),
        ("What does the Heron 40 cost?", "heron 40"),
        ("price of the crane duo?", "crane duo"),
        ("what's the price of a mug", "mug"),
        ("Crane Mini多少钱？", "crane mini"),
        ("请问杯子怎么卖", "杯子"),
        ("what does this mean", None),
        ("what is the warranty", None),
        ("how much water do I need for it, and how often?", None),
        ("杯子多少钱，能寄到法国吗", None),
        ("", None),
    ],
)
def test_a_bare_question_for_a_price_names_a_thing(text: str, name: str | None) -> None:
    assert name_priced(text) == name


def hit(slug: str, title: str, text: str) -> Hit:
    return Hit(1, 1, slug, title, title, "", text, "en", 0.5, 0.0, 0.0)


REPAIR = hit("repair", "What does a repair cost?", "Fixed prices:\n- Crane Mini: €79\n- Heron 40: €69")
PARTS = hit("parts", "Where can I buy spare parts?", "Gaskets of the Crane Mini: €9. A set of burrs is €39.")
CHOICE = hit(
    "choice", "Crane Mini or Crane One?", "- Crane Mini: €249, small.\nWe recommend the Heron 40 (€229)."
)
RANKED = [
    Candidate(probability, one.title, None, one.article_slug, hit=one)
    for probability, one in ((0.8, REPAIR), (0.1, PARTS), (0.05, CHOICE))
]


class Lookup:
    def passages(self, slug: str, lang: str) -> list[Hit]:
        return [one for one in (REPAIR, PARTS, CHOICE) if one.article_slug == slug]


def told(request: str, ranked: list[Candidate] = RANKED) -> list[str | None]:
    return [one.article_slug for one in priced(request, ranked, Lookup(), "en")]  # type: ignore[arg-type]


def test_the_article_that_states_the_price_comes_before_another_price() -> None:
    found = priced("how much is the Crane Mini?", RANKED, Lookup(), "en")  # type: ignore[arg-type]
    assert [one.article_slug for one in found] == ["choice", "parts"]  # named in its title
    assert found[0].probability == 0.8 and found[0].hit == CHOICE
    assert told("price of the heron 40") == ["choice", "parts"]


@pytest.mark.parametrize(
    "request_",
    [
        "what does a repair cost",
        "how much is a repair of the Crane Mini",
        "how much is the Crane Duo",
        "repair my Crane Mini",
        "",
    ],
)
def test_else_it_stays_as_it_was(request_: str) -> None:
    assert told(request_) == ["repair", "parts", "choice"]


def test_an_article_that_has_the_name_in_its_title_or_asks_for_no_price_keeps_its_place() -> None:
    named = replace(RANKED[0], hit=replace(REPAIR, title="What does a Crane Mini cost to repair?"))
    assert told("how much is the Crane Mini", [named, *RANKED[1:]]) == ["repair", "parts", "choice"]
    other = replace(RANKED[0], hit=replace(REPAIR, title="Repairs"), title="Repairs")
    assert told("how much is the Crane Mini", [other, *RANKED[1:]]) == ["repair", "parts", "choice"]
    assert told("how much is the Crane Mini", []) == []
