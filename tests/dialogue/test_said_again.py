from __future__ import annotations

import numpy as np

from chatbot.dialogue.said_again import to_say_again
from chatbot.dialogue.wording import content_words

TEXT = "A refund takes 3 days. It is paid by card. Gift cards are credited again. The label costs 4 euros."


def encode(texts):
    """Texts that share content words are near each other."""
    known = sorted({word for text in texts for word in content_words(text)})
    rows = np.array([[word in content_words(text) for word in known] for text in texts], dtype=np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def again(question: str, text: str, *sent: str, **more) -> str | None:
    return to_say_again(question, [text], sent, encode=encode, lang="en", **more).get(text)


def test_what_is_asked_for_comes_first_and_nothing_is_lost():
    said = again("label, and 3 or 4 days?", TEXT, TEXT)
    assert (
        said == "A refund takes 3 days. The label costs 4 euros.\n\nAlso in that answer:\n"
        "It is paid by card. Gift cards are credited again."
    )


def test_one_sentence_that_is_far_nearer_is_said_with_its_neighbours_alone():
    said = again("what does the label cost?", TEXT, TEXT)
    assert said is not None and "The label costs 4 euros." in said and len(said) < len(TEXT)


def test_sentences_that_were_sent_in_several_messages_were_sent_and_one_new_one_makes_a_text_new():
    halves = TEXT.split(". Gift")
    assert again("label?", TEXT, halves[0] + ".", "Gift" + halves[1])
    assert again("label?", TEXT, halves[0] + ".") is None
    assert again("label?", TEXT) is None


def test_steps_stay_together_and_in_order():
    steps = "1. Fill the kettle.\n2. Boil the vinegar.\n3. Rinse."
    text = f"Descale it monthly.\nHow to descale\n{steps}\nIt takes an hour."
    said = again("boil the vinegar?", text, text)
    assert said is not None
    assert steps in said


def test_an_item_of_several_sentences_stays_whole():
    text = "Settings differ.\nSettings:\n- Mill: coarse is 30. Below 5 is for tests.\n- Hand: coarse is 20.\nClean it."
    said = again("is coarse 20 or 30?", text, text)
    assert said is not None
    assert "- Mill: coarse is 30. Below 5 is for tests." in said


def test_what_names_a_list_stands_over_its_items_and_is_no_sentence():
    text = "Change one thing at a time.\nWhat to change:\n- Sour: grind finer.\n- Bitter: grind coarser.\nWait a day."
    said = again("grind how if sour, or wait a day?", text, text)
    assert said is not None
    assert ":." not in said
    for place, line in enumerate(lines := said.split("\n")):
        if line == "What to change:":
            assert lines[place + 1].startswith("- ")


def test_a_placeholder_is_known_again_by_what_was_sent_for_it():
    text = "We write to [EMAIL]. It takes a day."
    sent = "We write to a@b.example. It takes a day."
    assert again("how long?", text, sent, restore=lambda t: t.replace("[EMAIL]", "a@b.example"))
    assert again("how long?", text, sent) is None


def test_who_asks_for_a_time_is_not_told_again_what_says_none_and_lies_far():
    text = (
        "Returns are sent by post. The label is in the box. Ask a neighbour. Take a photo. Keep the box. "
        "The refund takes 5 days. Gift cards are green."
    )
    told, asked = (
        again("how long does the refund of the label take?", text, text),
        again("is the refund of the label by post?", text, text),
    )
    assert told is not None and asked is not None
    assert "5 days" in told and "green" not in told
    assert "5 days" in asked and "green" in asked
