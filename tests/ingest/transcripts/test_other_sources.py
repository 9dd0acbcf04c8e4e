import json
from datetime import UTC, datetime

import openpyxl
import pytest

from chatbot.errors import FileError
from ingest.files import RowError
from ingest.transcripts.formats import open_transcripts
from ingest.transcripts.table import conversations, find_columns
from ingest.transcripts.times import TableTimes
from ingest.transcripts.transcript import RowProblem, Transcript, Turn

INTERCOM = {
    "id": "215",
    "state": "closed",
    "created_at": 1763600000,
    "tags": {"type": "tag.list", "tags": [{"id": "1", "name": "refund"}]},
    "source": {
        "body": "<p>Where is my <b>refund</b>?</p>",
        "author": {"type": "lead", "id": "9", "name": "Ana Ruiz"},
    },
    "conversation_parts": {
        "conversation_parts": [
            {"part_type": "note", "body": "VIP!", "author": {"type": "admin"}},
            {
                "part_type": "comment",
                "body": "<p>Sent today.</p>",
                "author": {"type": "admin", "name": "Tom"},
            },
            {"part_type": "comment", "body": "<p>Rate us</p>", "author": {"type": "bot"}},
            {"part_type": "close", "body": None, "author": {"type": "admin"}},
            {"part_type": "comment", "body": "<p>secret</p>", "author": {"type": "user"}, "redacted": True},
        ],
        "total_count": 5,
    },
}
CHATWOOT = {
    "id": 12,
    "labels": ["refund"],
    "meta": {"sender": {"name": "Ana Ruiz"}},
    "messages": [
        {"content": "Where is my refund?", "message_type": 0, "private": False, "sender_type": "Contact"},
        {"content": "Assigned to Tom", "message_type": 2},
        {"content": "check the ledger", "message_type": 1, "private": True, "sender_type": "User"},
        {"content": "Sent today.", "message_type": "outgoing", "sender_type": "User"},
        {"content": "Bye from the bot", "message_type": 1, "sender_type": "AgentBot"},
    ],
}
RASA = """
version: "3.1"
nlu:
- intent: refund
  examples: |
    - where is my refund
    - refund for [two]{"entity": "number", "value": "2"} kettles from [Rotterdam](city)
    -
- intent: faq/opening_hours
  examples:
  - text: |
      - when are you open
    metadata: {sentiment: 0}
- synonym: kettle
  examples: |
    - boiler
stories:
- story: x
  steps: []
"""


def rows(tmp_path, name, text, format="auto"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    reading = open_transcripts(path, format=format)
    return reading.format.name, list(reading.rows())


def test_intercom_keeps_what_was_said_to_the_customer(tmp_path):
    name, (row,) = rows(tmp_path, "a.json", json.dumps({"conversations": [INTERCOM], "pages": {}}))
    assert name == "intercom"
    assert row.turns == (
        Turn("customer", "Where is my refund?"),
        Turn("agent", "Sent today."),
        Turn("bot", "Rate us"),
    )
    assert (row.tags, row.names) == (("refund",), ("Ana Ruiz",))


def test_chatwoot_leaves_private_and_activity_messages_out(tmp_path):
    name, (row,) = rows(tmp_path, "a.jsonl", json.dumps(CHATWOOT))
    assert name == "chatwoot"
    assert row.turns == (
        Turn("customer", "Where is my refund?"),
        Turn("agent", "Sent today."),
        Turn("bot", "Bye from the bot"),
    )
    assert (row.tags, row.names) == (("refund",), ("Ana Ruiz",))


def test_rasa_examples_are_labelled_messages_with_their_entities_beside_them(tmp_path):
    name, found = rows(tmp_path, "nlu.yml", RASA)
    assert name == "rasa"
    assert [(row.turns[0].text, row.tag) for row in found if isinstance(row, Transcript)] == [
        ("where is my refund", "refund"),
        ("refund for two kettles from Rotterdam", "refund"),
        ("when are you open", "faq/opening_hours"),
    ]
    (error,) = (row for row in found if isinstance(row, RowError))
    assert (error.line, error.value) == (8, "refund")
    assert [row.entities for row in found if isinstance(row, Transcript)][:2] == [
        (),
        (("number", "two"), ("city", "Rotterdam")),
    ]


def test_where_nobody_marked_anything_nothing_is_known_of_entities(tmp_path):
    _, found = rows(
        tmp_path, "nlu.yml", "nlu:\n- intent: greet\n  examples: |\n    - hi\n    - hello there\n"
    )
    assert [row.entities for row in found] == [None, None]


def test_old_rasa_json_is_read(tmp_path):
    text = json.dumps(
        {"rasa_nlu_data": {"common_examples": [{"text": "hi there", "intent": "greet", "entities": []}, {}]}}
    )
    name, (row, error) = rows(tmp_path, "nlu.json", text)
    assert (name, row.turns, row.tag) == ("rasa", (Turn("customer", "hi there"),), "greet")
    assert isinstance(error, RowError)
    assert row.entities is None


def test_old_rasa_json_keeps_entities_by_their_places(tmp_path):
    example = {"text": "from Bonn to Ulm", "intent": "go"}
    marks = [
        {"start": 13, "end": 16, "entity": "To City"},
        {"start": 5, "end": 9, "entity": "from"},
        {"start": "x"},
    ]
    text = json.dumps({"rasa_nlu_data": {"common_examples": [example | {"entities": marks}, example]}})
    _, found = rows(tmp_path, "nlu.json", text)
    assert [row.entities for row in found] == [(("from", "Bonn"), ("to_city", "Ulm")), ()]


def test_broken_rasa_yaml_names_the_line(tmp_path):
    with pytest.raises(FileError, match="is no YAML in line"):
        rows(tmp_path, "nlu.yml", "nlu:\n- intent: a\n  examples: [\n")


def test_a_message_a_row_becomes_conversations(tmp_path):
    text = (
        "Ticket ID,Author,Message,Tags\n"
        'T1,customer,"where is it,\nmy refund?",refund\nT1,agent,Sent today.,\n'
        "T2,janitor,x,\nT2,customer,it leaks,leaking\n"
    )
    name, (error, first, second) = rows(tmp_path, "a.csv", text)
    assert name == "csv"
    assert first == Transcript(
        "T1", (Turn("customer", "where is it,\nmy refund?"), Turn("agent", "Sent today.")), tags=("refund",)
    )
    assert (error.line, error.value) == (5, "janitor")
    assert second == Transcript("T2", (Turn("customer", "it leaks"),), tags=("leaking",))


def test_chinese_column_names_and_semicolons_are_understood(tmp_path):
    _, (row,) = rows(tmp_path, "a.csv", "会话ID;角色;内容\n1;客户;多久到账\n1;客服;三天\n")
    assert row.turns == (Turn("customer", "多久到账"), Turn("agent", "三天"))


SHUFFLED = """conversation_id,role,text,created_at
7,agent,Which order?,2026-03-31 14:06
7,customer,hello,2026-03-31 14:05
7,customer,KC-1,31.3.2026 14:07:30
8,customer,it leaks,2026-04-01T09:00:00+02:00
"""


def test_a_time_column_puts_the_messages_in_order_and_dates_the_conversation(tmp_path):
    _, (first, second) = rows(tmp_path, "a.csv", SHUFFLED)
    assert [turn.text for turn in first.turns] == ["hello", "Which order?", "KC-1"]
    assert first.at == datetime(2026, 3, 31, 14, 5, tzinfo=UTC)
    assert second.at == datetime(2026, 4, 1, 7, tzinfo=UTC)


def test_a_workbooks_times_are_read_too(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["会话编号", "角色", "内容", "时间"])
    book.active.append([1, "客服", "三天", datetime(2026, 3, 31, 14, 6)])
    book.active.append([1, "客户", "多久到账", datetime(2026, 3, 31, 14, 5)])
    book.save(tmp_path / "a.xlsx")
    (row,) = open_transcripts(tmp_path / "a.xlsx").rows()
    assert [turn.text for turn in row.turns] == ["多久到账", "三天"]
    assert row.at == datetime(2026, 3, 31, 14, 5, tzinfo=UTC)


def test_the_newest_first_is_turned_round_also_within_one_minute(tmp_path):
    table = "conv,role,text,time\n1,agent,c,2026-03-31 14:06\n1,agent,b,2026-03-31 14:05\n"
    table += "1,customer,a,2026-03-31 14:05\n"
    _, (row,) = rows(tmp_path, "a.csv", table)
    assert [turn.text for turn in row.turns] == ["a", "b", "c"]


def test_a_time_that_cannot_be_read_is_told_with_its_row_and_loses_nothing(tmp_path):
    table = (
        "conv,role,text,time\n1,customer,a,2026-03-31\n1,agent,b,soon\n1,agent,c,\n2,customer,d,13/13/2026\n"
    )
    _, found = rows(tmp_path, "a.csv", table)
    errors = [row for row in found if isinstance(row, RowError)]
    assert [(row.line, row.value) for row in errors] == [(3, "soon"), (5, "13/13/2026")]
    assert all("2026-03-31 14:05" in row.remedy for row in errors)
    kept = [row for row in found if isinstance(row, Transcript)]
    assert [turn.text for row in kept for turn in row.turns] == ["a", "b", "c", "d"]
    assert [row.at for row in kept] == [datetime(2026, 3, 31, tzinfo=UTC), None]


@pytest.mark.parametrize(
    ("cells", "last"),
    [
        (["2026-03-31T14:05:00Z"], (3, 31, 14, 5)),
        (["1774965900"], (3, 31, 14, 5)),
        (["1774965900123"], (3, 31, 14, 5)),
        (["2026/3/31 14:05"], (3, 31, 14, 5)),
        (["2026年3月31日 14:05:10"], (3, 31, 14, 5)),
        (["31/03/26 14:05"], (3, 31, 14, 5)),
        (["3/31/2026 2:05 PM"], (3, 31, 14, 5)),
        (["2026-03-31 14:05:00 UTC"], (3, 31, 14, 5)),
        (["3/31/2026 12:05 am"], (3, 31, 0, 5)),
        (["03/04/2026 14:05"], (4, 3, 14, 5)),
        (["3/31/2026 9:00", "03/04/2026 14:05"], (3, 4, 14, 5)),
        (["03.04.2026"], (4, 3, 0, 0)),
    ],
)
def test_times_are_read_as_tables_write_them(cells, last):
    times = TableTimes()
    found = [times.read(cell) for cell in cells][-1]
    assert (found.month, found.day, found.hour, found.minute) == last
    assert (found.year, found.tzinfo) == (2026, UTC)


@pytest.mark.parametrize(
    "cell", ["14:05", "yesterday", "2026-13-01", "99999999999999", "31/31/2026", "2026-03-31 25:00"]
)
def test_what_is_no_date_is_refused(cell):
    with pytest.raises(RowProblem, match="keeps its place"):
        TableTimes().read(cell)


def test_labelled_messages_and_pairs_need_no_conversation(tmp_path):
    _, (row,) = rows(
        tmp_path,
        "a.csv",
        "flags,instruction,category,intent,response\nB,cancel it,ORDER,cancel_order,Done.\n",
    )
    assert (row.turns, row.tag) == ((Turn("customer", "cancel it"), Turn("agent", "Done.")), "cancel_order")


@pytest.mark.parametrize("header", [["name", "price"], ["text"], ["role", "text"], []])
def test_other_tables_are_no_conversations(header):
    assert find_columns(header) is None


def test_a_named_format_that_does_not_fit_says_what_is_missing(tmp_path):
    with pytest.raises(FileError) as error:
        rows(tmp_path, "a.csv", "name,price\nkettle,3\n", format="csv")
    assert "name | price" in error.value.one_line()
    assert "conversation_id, role and text" in error.value.remedy


def test_a_table_that_breaks_off_gives_the_conversation_before():
    found = []
    with pytest.raises(FileError, match="no readable CSV"):
        for row in conversations(broken_off(), source="a.csv"):
            found.append(row)
    assert [row.turns for row in found] == [(Turn("customer", "it leaks"),)]


def broken_off():
    yield 1, ["conversation_id", "role", "text"]
    yield 2, ["1", "customer", "it leaks"]
    raise FileError("a.csv is no readable CSV from line 3 on")
