from ingest.pairing import questions_of
from ingest.transcripts.transcript import Turn

C, A = "customer", "agent"


def conversation(*turns):
    return [Turn(role, text) for role, text in turns]


def test_the_opening_is_the_first_message_that_is_more_than_a_greeting():
    found = questions_of(
        conversation(
            (C, "Hi there"), (A, "Hello! How can I help?"), (C, "my kettle leaks"), (A, "Please descale it.")
        )
    )
    assert [(q.text, q.opening, q.answer) for q in found] == [("my kettle leaks", True, "Please descale it.")]
    assert [turn.text for turn in found[0].context] == ["Hi there", "Hello! How can I help?"]


def test_follow_ups_are_questions_without_being_the_opening():
    found = questions_of(
        conversation(
            (C, "it leaks"),
            (A, "Descale it."),
            (C, "and how long does that take?"),
            (A, "An hour."),
            (C, "thanks"),
        )
    )
    assert [(q.text, q.opening) for q in found] == [
        ("it leaks", True),
        ("and how long does that take?", False),
    ]
    assert found[1].answer == "An hour."


def test_messages_in_one_go_share_the_answer_and_it_may_have_several_parts():
    found = questions_of(
        conversation(
            (C, "my parcel is late"), (C, "it should be here since monday"), (A, "Sorry."), (A, "It left.")
        )
    )
    assert [q.answer for q in found] == ["Sorry. It left.", "Sorry. It left."]


def test_look_ups_are_no_context_and_no_answer():
    found = questions_of(
        conversation(
            (C, "where is it now"), ("action", "query order"), (A, "In Utrecht."), (C, "which carrier is it?")
        )
    )
    assert found[0].answer == "In Utrecht."
    assert all(turn.role != "action" for turn in found[1].context)


def test_an_unanswered_question_has_no_answer():
    assert questions_of(conversation((C, "is anyone going to reply to my complaint")))[0].answer is None


def test_bare_replies_are_no_questions():
    found = questions_of(
        conversation((C, "it shows an error"), (A, "Which one?"), (C, "E-4012"), (A, "Refill it."))
    )
    assert len(found) == 1
