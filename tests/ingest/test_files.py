import gzip

import pytest

from chatbot.errors import FileError, InputError
from ingest.files import RowError, content_hash, open_text, read_as


def lines_of(path):
    return [line for _, line in open_text(path).lines()]


def refused(path):
    with pytest.raises(FileError) as error:
        open_text(path)
    assert error.value.remedy, "every refusal says what to do"
    return error.value.one_line()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_text_is_read_in_every_common_encoding(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_text("订单什么时候发货？\n我要退款\n", encoding=encoding)
    assert lines_of(path) == ["订单什么时候发货？", "我要退款"]


def test_western_text_is_not_taken_for_chinese(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(
        "Où est ma commande ? Le café est très bon, merci beaucoup à vous.\n" * 5, encoding="cp1252"
    )
    assert lines_of(path)[0].startswith("Où est ma commande")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("big5", "請問運費多少錢？"),
        ("big5", "question,answer\n保固多久,兩年\n"),
        ("gb18030", "请问运费多少钱？"),
        ("gb18030", "营业时间"),
        ("cp932", "送料はいくらですか？"),
        ("cp932", "配送状況"),
        ("euc_jp", "返品したい"),
        ("cp949", "배송비는 얼마인가요?"),
        ("cp1252", "Wie hoch sind die Versandkosten für Päckchen?"),
        ("cp1252", "Où est ma commande expédiée à l'hôtel?"),
        ("cp1250", "Gdzie jest moja przesyłka? Dziękuję"),
        ("cp1251", "Как вернуть товар"),
    ],
)
def test_one_short_row_is_read_in_its_encoding(tmp_path, encoding, text):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    file = open_text(path)
    assert (file.head, file.doubt()) == (text, None)


def test_what_reads_well_in_two_encodings_is_told_and_decided_by_who_imports(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("Kde je můj balík?".encode("cp1250"))
    said = open_text(path).doubt()
    assert said and "read as cp1252" in said and "--encoding" in said
    with read_as("windows-1250"):
        file = open_text(path)
    assert (file.head, file.doubt()) == ("Kde je můj balík?", None)
    assert open_text(path).encoding == "cp1252"


@pytest.mark.parametrize("name", ["klingon", "hex", ""])
def test_no_encoding_is_named_with_the_remedy(name):
    with pytest.raises(InputError, match="no such encoding") as refused, read_as(name):
        pass
    assert "big5" in (refused.value.remedy or "")


def test_gzip_is_told_by_its_bytes_not_its_name(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert lines_of(path) == ["one", "two"]


def test_one_undecodable_line_is_reported_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("你好，一\n".encode() + b"caf\xe9 \xff\xfe x\n" + "二\n".encode())
    first, broken, last = lines_of(path)
    assert (first, last) == ("你好，一", "二")
    assert isinstance(broken, RowError)
    assert broken.line == 2
    assert "UTF-8" in broken.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04\x14\x00", "Office document"),
        (b"%PDF-1.7 x", "PDF"),
        (b"\x89PNG\r\n", "PNG"),
        (b"abc\x00\x01\x02", "NUL"),
        (b"\x1f\x8b\x08\x00broken", "damaged gzip"),
    ],
)
def test_what_is_no_text_is_refused_by_its_content(tmp_path, content, said):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    assert said in refused(path)


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    assert "is a folder" in refused(tmp_path)
    assert "no such file" in refused(tmp_path / "missing.jsonl")


def test_a_cut_off_archive_is_noticed_while_reading(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    text = "".join(f"line {n} {n * 7919 % 10007}\n" for n in range(60_000)).encode()
    path.write_bytes(gzip.compress(text)[:-2000])
    with pytest.raises(FileError, match="damaged gzip"):
        lines_of(path)


def test_a_line_beyond_all_measure_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.files.MAX_LINE", 100)
    path = tmp_path / "a.txt"
    path.write_text("short\n" + "x" * 350 + "\nlast\n")
    first, long, last = lines_of(path)
    assert (first, last) == ("short", "last")
    assert "longer than" in long.message


def test_the_hash_is_of_the_content(tmp_path):
    (tmp_path / "a").write_text("same")
    (tmp_path / "b").write_text("same")
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b")


def test_progress_reaches_the_end(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x\n" * 1000)
    file = open_text(path)
    list(file.lines())
    assert file.position == file.size
