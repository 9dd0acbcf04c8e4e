from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatbot.errors import FileError
from web.bench import next as bench_next
from web.bench.replies import command as replies
from web.bench.rows import no_reply, read_rows

SAID = {"turns": [{"role": "customer", "text": "when?"}, {"role": "agent", "text": "today"}]}


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "lacking"),
    [
        ({"id": "7", "lang": "en"}, "no turns"),
        ({"turns": "when?"}, "turns is no list"),
        ({"turns": [{"role": "customer", "text": "when?"}, {"text": "today"}]}, "turn 2 has no role"),
        ({"response": "today"}, "a response without its context"),
    ],
)
def test_a_row_that_is_no_dialogue_is_named_with_its_file_and_line(tmp_path, row, lacking):
    path = written(tmp_path / "train.jsonl", SAID, {"context": "when?", "response": "today"}, row)
    with pytest.raises(FileError, match=rf"train\.jsonl, line 3: {lacking}") as told:
        read_rows(path, no_reply)
    assert "turns" in (told.value.remedy or "")


def test_bench_next_and_bench_replies_end_in_it(tmp_path):
    good, bad = written(tmp_path / "good.jsonl", SAID), written(tmp_path / "bad.jsonl", {"id": "7"})
    with pytest.raises(FileError, match=r"bad\.jsonl, line 1: no turns"):
        bench_next.measure(bad, good)
    arguments = ["--train", str(good), "--valid", str(good), "--test", str(good), "--pretrain", str(bad)]
    with pytest.raises(FileError, match=r"bad\.jsonl, line 1: no turns"):
        replies.main(arguments, standalone_mode=False)
