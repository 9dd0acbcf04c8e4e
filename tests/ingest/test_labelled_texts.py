from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.errors import FileError
from ingest.labelled_texts import read_labelled, read_texts


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_and_json_lines_say_the_same(tmp_path: Path):
    table = put(tmp_path, "a.csv", 'Text,Label\n"good, really",positive\n很差,negative\n')
    lines = put(
        tmp_path,
        "a.jsonl",
        '{"text": "good, really", "sentiment": "positive"}\n{"text": "很差", "label": "negative"}\n',
    )
    found = read_labelled(table)
    assert found == read_labelled(lines)
    assert [(one.text, one.label, one.lang) for one in found] == [
        ("good, really", "positive", "en"),
        ("很差", "negative", "zh"),
    ]
    assert {one.lang for one in read_labelled(table, lang="nl")} == {"nl"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "a,b\n1,2\n", "no columns text and label"),
        ("a.csv", "text,label\ngood,\n", "line 2: no label"),
        ("a.csv", "text,label\n", "has no rows"),
        ("a.jsonl", '{"text": "good", "label": "p"}\n{"label": "p"}\n', "line 2: no text"),
        ("a.jsonl", '{"text": "good", "label": "p"}\n{"text": \n', "line 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, name: str, text: str, says: str):
    with pytest.raises(FileError, match=says):
        read_labelled(put(tmp_path, name, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "the box is broken, again\n\n[ORDER] is late\n"),
        ("a.txt", "[ORDER] is late\nthe box is broken, again\n"),
        ("a.csv", 'id,text\n1,"the box is broken, again"\n2,[ORDER] is late\n3,\n'),
        ("a.jsonl", '{"text": "the box is broken, again"}\n{"id": 2}\n{"text": "[ORDER] is late"}\n'),
        ("a.json", '[{"text": "the box is broken, again"}, {"text": "[ORDER] is late"}]'),
    ],
)
def test_what_is_asked_about_is_a_line_or_the_column_of_a_file_that_has_columns(
    tmp_path: Path, name: str, text: str
):
    found = list(read_texts(put(tmp_path, name, text)))
    assert sorted(found) == ["[ORDER] is late", "the box is broken, again"]
