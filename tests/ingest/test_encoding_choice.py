import gzip

import pytest

from ingest.encoding_choice import ENCODINGS, doubtful_readings
from ingest.files import known_encoding, open_text, read_as

CZECH = "Kde je můj balík?\nNothing beyond ASCII here.\n"


def test_what_a_doubtful_file_would_say_in_each_encoding(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CZECH.encode("cp1250"))
    readings = {reading.encoding: reading.lines for reading in doubtful_readings(path)}
    assert next(iter(readings)) == open_text(path).encoding
    assert readings["cp1250"] == ("Kde je můj balík?",)
    assert len(set(readings.values())) == len(readings) > 1
    path.write_bytes(gzip.compress(CZECH.encode("cp1250")))
    assert {reading.encoding: reading.lines for reading in doubtful_readings(path)} == readings


def test_there_is_nothing_to_choose_where_the_encoding_is_certain_or_there_is_no_text(tmp_path):
    path = tmp_path / "a.txt"
    for raw in (CZECH.encode(), "请问运费多少钱？".encode("gb18030"), b"%PDF-1.4\x00", b""):
        path.write_bytes(raw)
        assert doubtful_readings(path) == []
    assert doubtful_readings(tmp_path / "gone.txt") == []


def test_each_file_is_read_in_the_encoding_told_for_it(tmp_path):
    one, other = tmp_path / "a.txt", tmp_path / "b.txt"
    one.write_bytes(CZECH.encode("cp1250"))
    other.write_text(CZECH, encoding="utf-8")
    with read_as({one: "windows-1250"}):
        assert open_text(one).head == open_text(other).head == CZECH


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_is_offered_is_known(name):
    assert known_encoding(name)
