"""Cards as people write them, as they are stored, and what may stand on them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chatbot.dialogue.action_templates import fill, read_templates
from chatbot.dialogue.cards import (
    MOST_CARDS,
    Card,
    CardLink,
    cards_from_json,
    cards_from_text,
    cards_of,
    cards_to_text,
    check_images,
    filled,
    image_hosts,
    with_cards,
)
from chatbot.dialogue.lookup import DatabaseLookup
from chatbot.dialogue.policy import Decision
from chatbot.dialogue.saying import say
from chatbot.dialogue.tapping import chosen
from chatbot.errors import InputError
from chatbot.language.redaction import Redactor
from chatbot.records.answers import approve, write_draft
from chatbot.records.database import Database
from chatbot.records.tables import Intent

WRITTEN = """Express delivery
Ordered before 14:00,
with you tomorrow.
![A courier on a bicycle](https://images.example.com/express.jpg)
[How it works](https://www.example.com/delivery)
[Prices](/help/en/prices)
---
Collect it"""
EXPRESS = Card(
    "Express delivery",
    "Ordered before 14:00,\nwith you tomorrow.",
    "https://images.example.com/express.jpg",
    "A courier on a bicycle",
    (CardLink("How it works", "https://www.example.com/delivery"), CardLink("Prices", "/help/en/prices")),
)


def test_what_people_write_is_read_and_written_again() -> None:
    cards = cards_from_text(f"\n---\n{WRITTEN}\n---\n")
    assert cards == (EXPRESS, Card("Collect it"))
    assert cards_from_text(cards_to_text(cards)) == cards
    assert cards_from_json([card.as_json() for card in cards]) == cards
    assert cards_from_text("  \n") == () == cards_from_json(None)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[Go](http://www.example.com/)", "url"),
        ("A\n[Go](http://www.example.com/)", "url"),
        ("A\n[Go](javascript:alert)", "url"),
        ("A\n[Go](//evil.example/)", "url"),
        ("A\n[Go](https://x.example/a b)", "url"),
        ("A\n![a](my picture.png)", "image"),
        ("A\n[Go](/\\evil.example)", "url"),
        ("A\n[Go](https://)", "url"),
        ("A\n[Go](https://me@bank.example/)", "url"),
        ("A\n[Go](https://x.example:port/)", "url"),
        ("A\n[Go](https://x.example/\u202e)", "url"),
        ("A\n[Go](https://x.example/{x})", "url"),
        ("A\n[Go]({x})", "url"),
        ("A\n![a](/{x})", "image"),
        ("A\n[](https://x.example/)", "title"),
        ("A\n![](https://x.example/a.png)", "alt"),
        ("A\n![a](data:image/png;base64,AAAA)", "image"),
        ("![a](https://x.example/a.png)", "title"),
        ("x" * 101, "title"),
        ("A\n" + "x" * 401, "text"),
        ("A\n" + "[Go](https://x.example/)\n" * 4, "links"),
        ("A\n---\n" * (MOST_CARDS + 1), "cards"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_named(text: str, field: str) -> None:
    with pytest.raises(InputError) as caught:
        cards_from_text(text)
    assert caught.value.field == field
    assert caught.value.remedy


def test_pictures_come_from_allowed_hosts_alone() -> None:
    check_images([EXPRESS], image_hosts("images.example.com"))
    check_images([EXPRESS], image_hosts("cdn.net, *.Example.com"))
    check_images([replace(EXPRESS, image="/media/a.png"), Card("x")], ())
    for hosts in ("", "example.com", "*.images.example.com", "images.example.com.evil.net"):
        with pytest.raises(InputError) as caught:
            check_images([EXPRESS], image_hosts(hosts))
        assert caught.value.value == "images.example.com"
    for wrong in ("https://a.example", "a.example/b", "a b", "*", "'none'", "a;b"):
        with pytest.raises(InputError, match="Not a host"):
            image_hosts(wrong)


def test_slots_are_filled_and_quoted_inside_an_address() -> None:
    (template,) = read_templates(
        "On its way.\n---\nParcel {parcel}\n{day}\n[Follow it](https://t.example/?p={parcel})\n[Carrier]({carrier.url})"
    )
    assert template.text == "On its way."
    assert template.slots == ("parcel", "day", "carrier.url")
    values: dict[str, Any] = {
        "parcel": "A&b=1/2",
        "day": "Monday",
        "carrier": {"url": "https://dhl.example/x"},
    }
    (card,) = filled(template.cards, lambda text: fill(text, values, lang="en"))
    assert (card.title, card.text) == ("Parcel A&b=1/2", "Monday")
    assert [link.url for link in card.links] == [
        "https://t.example/?p=A%26b%3D1%2F2",
        "https://dhl.example/x",
    ]
    for bad in ("javascript:x", "http://dhl.example/", "{day}", "https://dhl.example/{day}"):
        wrong = values | {"carrier": {"url": bad}}
        with pytest.raises(InputError):
            filled(template.cards, partial(fill, values=wrong, lang="en"))


@pytest.mark.parametrize("text", ["---\nA card", "Hello\n---\nA {card", "Hello\n---\n[Go](http://x.example)"])
def test_a_template_whose_cards_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_templates(text)


def test_whoever_cannot_show_cards_reads_them() -> None:
    told = with_cards("Two ways.", [card.as_json() for card in cards_from_text(WRITTEN)])
    assert told == (
        "Two ways.\n\n**Express delivery**\nOrdered before 14:00,\nwith you tomorrow.\n"
        "[How it works](https://www.example.com/delivery)\n[Prices](/help/en/prices)\n\n**Collect it**"
    )
    assert with_cards("Two ways.", None) == "Two ways."


def test_cards_are_found_on_the_turns_that_have_them() -> None:
    card = EXPRESS.as_json()
    assert cards_of("agent", {"cards": [card]}) == [card]
    assert cards_of("bot", {"parts": [{"cards": [card]}, {"text": "from before there were cards"}]}) == [card]
    assert cards_of("customer", {"payload": "/intent x"}) == [] == cards_of("bot", None)


def test_an_approved_answer_brings_its_cards_and_a_changed_one_its_own(database: Database) -> None:
    lookup = DatabaseLookup(database)
    with database.write() as session:
        session.add(Intent(id=1, name="delivery", titles={"en": "Delivery"}))
        session.flush()
        draft = write_draft(session, intent_id=1, lang="en", text="Two ways.", cards=cards_from_text(WRITTEN))
        approve(session, draft.id, person_id=None)
    part = chosen("/intent delivery", lookup, "en")
    assert part is not None
    said = say(part, lang="en", failures=0, redactor=Redactor(), lookup=lookup)
    assert (said.text, said.cards) == ("Two ways.", (EXPRESS, Card("Collect it")))
    known = lookup.intents(["delivery"], "en")["delivery"]
    assert known.cards[0] == EXPRESS
    passage = replace(part, decision=replace(part.decision, kind="passage"))
    assert say(passage, lang="en", failures=0, redactor=Redactor(), lookup=lookup).cards == ()
    assert isinstance(part.decision, Decision)
    with database.write() as session:
        approve(session, write_draft(session, intent_id=1, lang="en", text="One way.").id, person_id=None)
    assert lookup.intents(["delivery"], "en")["delivery"].cards == ()
