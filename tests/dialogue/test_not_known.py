from __future__ import annotations

import pytest

from chatbot.dialogue.not_known import said_why
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import Decision

NOT_KNOWN = Decision("unknown", "not_known", "nothing reaches the floor", 0.1)


def told(request: str) -> str | None:
    return said_why(NOT_KNOWN, request, code=None, variant=None, lang="en").told


@pytest.mark.parametrize(
    "text",
    [
        "Welche Versandkosten haben Sie?",
        "Wie lange ist die Lieferzeit in Berlin?",
        "Combien coûte la livraison ?",
        "¿Dónde está mi pedido?",
        "Quando arriva il mio pacco?",
        "Waar is mijn bestelling?",
        "Onde está o meu pedido?",
    ],
)
def test_a_sentence_in_another_language_is_told_which_are_spoken(text: str) -> None:
    assert told(text) == phrase("unreadable", "en")


@pytest.mark.parametrize(
    "text",
    [
        "where is my order",
        "can I send it to Los Angeles or El Paso",
        "I live in Rue de la Paix 3, Paris",
        "Bonjour, where is my order?",
        "pour over or french press?",
        "Crane Duo",
        "Den Haag 可以送吗",
        "",
    ],
)
def test_names_of_places_and_single_words_of_another_language_are_none(text: str) -> None:
    assert told(text) is None
