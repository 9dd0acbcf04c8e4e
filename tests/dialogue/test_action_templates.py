"""Approved words with plain slots: nothing computes, nothing is filled twice, and what is missing is said."""

from __future__ import annotations

import pytest

from chatbot.dialogue.action_templates import choose, fill, read_templates
from chatbot.errors import InputError, OutboundError


def test_the_part_that_fits_the_answer_is_chosen() -> None:
    parts = read_templates("Any: {status}\n[status=sent]\nSent.\n[late=yes]\nLate.")
    assert choose(parts, {"status": "Sent"}).text == "Sent."
    assert choose(parts, {"late": True}).text == "Late."
    assert choose(parts, {"status": "lost"}).text == "Any: {status}"
    with pytest.raises(OutboundError, match="No text stands"):
        choose(read_templates("[status=sent]\nSent."), {"status": "lost"})


def test_values_are_text_and_nothing_else() -> None:
    values = {
        "a": "{secret}",
        "secret": "x",
        "n": 3,
        "ok": True,
        "items": [{"title": "Kettle\n\x00\u202eevil"}],
    }
    assert fill("{a} {n} {ok} {items.0.title}", values, lang="en") == "{secret} 3 yes Kettle evil"
    assert fill("{ok}", {"ok": False}, lang="zh") == "否"


@pytest.mark.parametrize("text", ["{a.b}", "{missing}", "{items}", "{empty}", "{items.5}"])
def test_a_value_that_is_not_there_is_named(text: str) -> None:
    with pytest.raises(OutboundError) as caught:
        fill(text, {"a": 1, "items": [1], "empty": ""}, lang="en")
    assert caught.value.value == text.strip("{}")


@pytest.mark.parametrize(
    "text", ["{a", "a}", "{a!r}", "{a:>9}", "{0}", "{}", "{a[0]}", "{{a}}", "[x=1]\na\n[x=1]\nb", "a\n[]\nb"]
)
def test_what_is_no_plain_slot_is_refused_when_it_is_written(text: str) -> None:
    with pytest.raises(InputError):
        read_templates(text)
