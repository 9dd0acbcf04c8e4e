from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from chatbot.dialogue.drafting import draft
from chatbot.dialogue.trace import Hit, Message
from chatbot.inference.generate import Candidate

HIT = Hit(
    7,
    1,
    "refunds",
    "How long does a refund take?",
    "Refunds",
    "",
    "A refund takes 5 working days.",
    "en",
    0.9,
    1,
    1,
)
ASKED = [Message("customer", "how long is a refund?")]


class Writer:
    def __init__(self, *candidates: Candidate) -> None:
        self.candidates = list(candidates)
        self.sources: list[str] = []

    def generate(
        self, history: Sequence[Message], sources: Sequence[str], **options: object
    ) -> list[Candidate]:
        self.sources = list(sources)
        return self.candidates


def test_the_best_reply_that_passes_is_the_draft() -> None:
    writer = Writer(
        Candidate("A refund takes 14 working days.", -0.1),
        Candidate("A refund takes 5 working days.", -0.5),
        Candidate("The refund takes 5 working days.", -0.9),
    )
    written = draft(writer, ASKED, [HIT], lang="en")
    assert written is not None
    assert written.text == "A refund takes 5 working days."
    assert written.check.passed
    assert written.passage_ids == (7,)


def test_when_none_passes_the_likeliest_is_kept_with_the_reasons_against_it() -> None:
    writer = Writer(Candidate("A refund takes 9 days.", -0.9), Candidate("A refund takes 14 days.", -0.1))
    written = draft(writer, ASKED, [HIT], lang="en")
    assert written is not None
    assert written.text == "A refund takes 14 days."
    assert not written.check.passed
    assert any("14 day" in reason for reason in written.check.reasons)


def test_a_reply_that_was_cut_off_comes_after_whole_ones() -> None:
    writer = Writer(
        Candidate("A refund takes 5 working days", -0.1, finished=False),
        Candidate("A refund takes 5 working days.", -0.5),
    )
    written = draft(writer, ASKED, [HIT], lang="en")
    assert written is not None
    assert written.text.endswith(".")


def test_look_ups_in_the_history_are_sources_and_titles_are_read() -> None:
    history = [*ASKED, Message("action", "Status: paid out; Amount: €12.50")]
    writer = Writer(Candidate("The amount paid out is €12.50.", -0.2))
    written = draft(writer, history, [HIT], lang="en")
    assert written is not None
    assert written.check.passed, written.check.reasons
    assert writer.sources == ["Refunds\nA refund takes 5 working days."]


def test_the_reply_that_speaks_of_what_was_asked_is_preferred_to_a_likelier_one() -> None:
    two = replace(HIT, text="A refund takes 5 working days. Gift cards are valid for 3 years.")
    writer = Writer(
        Candidate("Gift cards are valid for 3 years.", -0.1),
        Candidate("A refund takes 5 working days.", -0.4),
    )
    written = draft(writer, ASKED, [two], lang="en")
    assert written is not None
    assert written.text == "A refund takes 5 working days."


def test_nothing_written_is_no_draft() -> None:
    assert draft(Writer(), ASKED, [HIT], lang="en") is None


def test_a_reply_that_was_cut_off_loses_the_sentence_in_which_that_happened() -> None:
    written = draft(
        Writer(Candidate("A refund takes 5 working days. A refund ta", -0.1, finished=False)),
        ASKED,
        [HIT],
        lang="en",
    )
    assert written is not None
    assert written.text == "A refund takes 5 working days."
    assert written.check.passed


PARCEL = replace(
    HIT,
    title="Returns",
    text="A return parcel costs 5 euros. The label is in the parcel; keep it dry.\nEngraved items stay.",
)


def test_a_sentence_that_no_source_has_in_one_piece_is_left_out_of_a_draft() -> None:
    garbled = "A return parcel costs 5 euros. The label is engraved in the parcel items."
    written = draft(Writer(Candidate(garbled, -0.1)), ASKED, [PARCEL], lang="en")
    assert written is not None and written.text == "A return parcel costs 5 euros."
    kept = draft(
        Writer(Candidate("The label is in the parcel. Keep it dry.", -0.1)), ASKED, [PARCEL], lang="en"
    )
    assert kept is not None and kept.text == "The label is in the parcel. Keep it dry."


def test_a_draft_of_which_no_sentence_stands_in_a_passage_is_not_sent_though_its_words_do() -> None:
    garbled = "Keep a return parcel dry in the label."
    written = draft(Writer(Candidate(garbled, -0.1)), ASKED, [PARCEL], lang="en")
    assert written is not None and not written.check.passed
    assert "no sentence of it stands in a passage" in written.check.reasons
    looked_up = [*ASKED, Message("action", "parcel: label printed, return received")]
    said = draft(Writer(Candidate("The return parcel is received.", -0.1)), looked_up, [PARCEL], lang="en")
    assert said is not None and said.check.passed  # a look-up is no prose


def test_a_draft_to_the_point_is_completed_with_what_belongs_to_it() -> None:
    def near(texts: Sequence[str]) -> np.ndarray:  # nearest the parcel's price, then its label
        order = [
            1.0 if "?" in text else 0.9 if "5 euros" in text else 0.8 if "label" in text else 0.1
            for text in texts
        ]
        return np.array([[value, (1 - value**2) ** 0.5] for value in order], dtype=np.float32)

    asked = [Message("customer", "what does a return cost?")]
    written = draft(
        Writer(Candidate("A return parcel costs 5 euros. Engraved items stay.", -0.1)),
        asked,
        [PARCEL],
        lang="en",
        encode=near,
    )
    assert written is not None and written.check.passed
    assert "The label is in the parcel;" in written.text


def test_a_true_draft_beside_the_point_comes_after_what_was_asked_for() -> None:
    def near(texts: Sequence[str]) -> np.ndarray:
        order = [
            1.0 if "?" in text else 0.9 if "5 euros" in text or "label" in text else 0.1 for text in texts
        ]
        return np.array([[value, (1 - value**2) ** 0.5] for value in order], dtype=np.float32)

    asked = [Message("customer", "what does a return cost?")]
    beside = Candidate("Engraved items stay.", -0.1)
    written = draft(Writer(beside), asked, [PARCEL], lang="en", encode=near)
    assert written is not None and written.check.passed
    assert written.text == (
        "A return parcel costs 5 euros. The label is in the parcel; keep it dry. Engraved items stay."
    )
    unsure = draft(Writer(beside), asked, [PARCEL], lang="en", encode=near, in_scope=0.9)
    assert unsure is not None and not unsure.check.passed
    to_the_point = Candidate("A return parcel costs 5 euros.", -5.0)
    written = draft(Writer(beside, to_the_point), asked, [PARCEL], lang="en", encode=near)
    assert written is not None and written.text.startswith("A return parcel costs 5 euros.")


def test_a_sentence_that_the_check_refuses_keeps_no_other_out_of_a_draft() -> None:
    text = "A refund takes 5 working days. It goes to the card you paid with, and. A voucher comes by e-mail."
    writer = Writer(Candidate("A refund takes 5 working days.", -0.1))
    written = draft(
        writer, ASKED, [replace(HIT, text=text)], lang="en", encode=lambda texts: np.ones((len(texts), 1))
    )
    assert written is not None and written.check.passed
    assert written.text == "A refund takes 5 working days. A voucher comes by e-mail."


def test_a_line_of_a_list_is_a_sentence_in_one_piece_and_its_semicolon_ends_no_reply() -> None:
    listed = replace(
        HIT, text="Before you send it:\n- pack it well;\n- write the number on it;\n- close the lid."
    )
    garbled = "Pack it well. Close the number on the lid. Write the number on it;"
    written = draft(Writer(Candidate(garbled, -0.1)), ASKED, [listed], lang="en")
    assert written is not None and written.text == "Pack it well. Write the number on it."
