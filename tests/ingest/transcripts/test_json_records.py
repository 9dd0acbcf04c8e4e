import json

import pytest

from chatbot.errors import FileError
from ingest.files import RowError, open_text
from ingest.transcripts.json_records import json_records

RECORDS = [{"id": n, "text": f"no {n} “{{[”", "turns": [{"role": "customer", "text": "x"}]} for n in range(5)]


def read(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    return list(json_records(open_text(path)))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(r) for r in RECORDS),
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\n".join(json.dumps(r, indent=2) for r in RECORDS),
        json.dumps({"count": 5, "tickets": RECORDS, "next_page": None}),
        json.dumps({"data": {"meta": {"n": 1}, "payload": RECORDS}}, indent=1),
    ],
    ids=["lines", "array", "pretty array", "pretty objects", "envelope", "nested envelope"],
)
def test_records_are_found_in_every_layout(tmp_path, text):
    assert [record for _, record in read(tmp_path, text)] == RECORDS


def test_lines_are_counted(tmp_path):
    text = json.dumps(RECORDS, indent=1)
    where = [line for line, _ in read(tmp_path, text)]
    assert where == [number for number, line in enumerate(text.split("\n"), 1) if line == " {"]


def test_a_broken_line_is_reported_and_the_next_is_read(tmp_path):
    found = read(tmp_path, '{"id": 1}\n{"id": 2,,}\n[1]\n{"id": 3}\n')
    assert [record["id"] for _, record in found if isinstance(record, dict)] == [1, 3]
    broken, no_object = (record for _, record in found if isinstance(record, RowError))
    assert (broken.line, no_object.line) == (2, 3)
    assert "column" in broken.message
    assert broken.remedy


def test_a_broken_first_line_does_not_hide_the_others(tmp_path):
    found = read(tmp_path, '{"id": 1, oops}\n{"id": 2}\n')
    assert isinstance(found[0][1], RowError)
    assert found[1][1] == {"id": 2}


def test_a_broken_record_in_an_array_is_reported_and_the_next_is_read(tmp_path):
    found = read(tmp_path, '[\n{"id": 1},\n{"id": 2 "x": "}"},\n7,\n{"id": 3}\n]')
    assert [record["id"] for _, record in found if isinstance(record, dict)] == [1, 3]
    assert [record.line for _, record in found if isinstance(record, RowError)] == [3, 4]


def test_an_array_that_breaks_off_gives_what_came_before(tmp_path):
    found = read(tmp_path, '[{"id": 1}, {"id": 2}, {"id": 3, "text": "abc')
    assert [record["id"] for _, record in found[:2]] == [1, 2]
    assert "breaks off" in found[2][1].message


def test_records_larger_than_a_read_are_put_together(tmp_path):
    big = [{"id": n, "text": "word " * 400_000} for n in range(2)]
    assert [record for _, record in read(tmp_path, json.dumps(big, indent=1))] == big


def test_what_is_no_json_is_refused(tmp_path):
    with pytest.raises(FileError) as error:
        read(tmp_path, "question,answer\na,b\n")
    assert "begins with 'question,answer" in error.value.message
