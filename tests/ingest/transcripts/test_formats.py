import json

import pytest

from chatbot.errors import FileError, InputError
from ingest.files import RowError
from ingest.transcripts.formats import open_transcripts
from ingest.transcripts.transcript import Transcript, Turn

TICKET = {
    "id": 881,
    "subject": "Kettle",
    "description": "It leaks",
    "requester_id": 7,
    "tags": ["leaking", "vip"],
    "requester": {"name": "Anna Smit"},
    "comments": [
        {"author_id": 7, "body": "It leaks\n\nSent from my iPhone", "public": True},
        {"author_id": 3, "body": "note to self", "public": False},
        {"author_id": 3, "html_body": "<p>Hi Anna,</p><p>please descale it &amp; wait.</p>", "body": None},
        {"author_id": 7, "body": "ok\n\nOn Mon, 2 Nov 2026, Support wrote:\n> please descale it"},
    ],
}


def rows(tmp_path, text, format="auto", name="a.json"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    reading = open_transcripts(path, format=format)
    return reading, list(reading.rows())


def test_dialogue_rows_are_read_with_roles_under_their_usual_names(tmp_path):
    line = {
        "id": "d1",
        "lang": "en",
        "intent": "lost",
        "turns": [
            {"role": "user", "text": "hi", "extra": 1},
            {"role": "assistant", "text": "hello"},
            {"role": "action", "text": "query x"},
        ],
    }
    reading, (row,) = rows(tmp_path, json.dumps(line))
    assert reading.format.name == "jsonl"
    assert row == Transcript(
        "d1",
        (Turn("customer", "hi"), Turn("agent", "hello"), Turn("action", "query x")),
        tag="lost",
        lang="en",
    )


def test_tickets_are_read_without_notes_quotes_and_markup(tmp_path):
    reading, (row,) = rows(tmp_path, json.dumps([TICKET]))
    assert reading.format.name == "helpdesk"
    assert row.turns == (
        Turn("customer", "It leaks"),
        Turn("agent", "Hi Anna,\nplease descale it & wait."),
        Turn("customer", "ok"),
    )
    assert row.tags == ("leaking", "vip")
    assert row.names == ("Anna Smit",)


def test_a_ticket_a_line_and_an_array_read_the_same(tmp_path):
    _, array = rows(tmp_path, json.dumps([TICKET, TICKET]))
    _, lines = rows(tmp_path, json.dumps(TICKET) + "\n" + json.dumps(TICKET) + "\n")
    assert array == lines


def test_a_ticket_without_comments_has_its_description(tmp_path):
    ticket = {key: value for key, value in TICKET.items() if key != "comments"}
    _, (row,) = rows(tmp_path, json.dumps(ticket))
    assert row.turns == (Turn("customer", "It leaks"),)


def test_pairs_and_labelled_messages_are_conversations_too(tmp_path):
    _, (pair,) = rows(tmp_path, json.dumps({"context": "多久到", "response": "三天", "lang": "zh"}))
    assert pair.turns == (Turn("customer", "多久到"), Turn("agent", "三天"))
    _, (message,) = rows(tmp_path, json.dumps({"text": "my card is lost", "intent": "lost_card"}))
    assert (message.turns, message.tag) == ((Turn("customer", "my card is lost"),), "lost_card")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": 1, "turns": []}, "has no text"),
        ({"id": 1, "turns": [{"role": "customer", "text": ""}]}, "has no text"),
        ({"id": 1, "turns": [{"role": "customer"}]}, "Turn 1 has no text"),
        ({"id": 1, "turns": [{"role": "customer", "text": 5}]}, "is no text"),
        ({"id": 1, "turns": [{"role": "janitor", "text": "x"}]}, "role is not known"),
        ({"id": 1, "turns": ["x"]}, "Turn 1 is no object"),
        ({"id": 1, "turns": "x"}, "turns are no list"),
        ({"id": 1}, "has no turns"),
        ({"id": 1, "intent": 5, "turns": [{"role": "customer", "text": "x"}]}, "intent is no text"),
    ],
)
def test_a_row_that_is_no_conversation_says_why_and_where(tmp_path, row, said):
    good = {"id": 0, "turns": [{"role": "customer", "text": "fine"}]}
    _, found = rows(tmp_path, "\n".join(json.dumps(r) for r in (good, row, good)))
    assert [type(item) for item in found] == [Transcript, RowError, Transcript]
    assert found[1].line == 2
    assert said in found[1].message
    assert found[1].remedy


def test_a_file_of_another_kind_is_refused_with_what_it_holds(tmp_path):
    with pytest.raises(FileError) as error:
        rows(tmp_path, '{"name": "x", "price": 3}\n')
    assert "an object with name, price" in error.value.one_line()
    assert "--format" in error.value.remedy


def test_an_unknown_format_name_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(InputError) as error:
        rows(tmp_path, "{}", format="zendsk")
    assert "helpdesk" in error.value.remedy
