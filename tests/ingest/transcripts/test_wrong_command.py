"""A file that another command takes in: the error says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.errors import FileError
from ingest.intents import _read
from ingest.transcripts.formats import open_transcripts


def test_rasa_training_data_is_no_list_of_intents_but_transcripts(tmp_path: Path):
    path = tmp_path / "nlu.yml"
    path.write_text('version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hi\n', encoding="utf-8")
    with pytest.raises(FileError) as caught:
        _read(path)
    assert caught.value.remedy is not None and "frontdesk ingest transcripts" in caught.value.remedy


@pytest.mark.parametrize(
    "text", ["- name: refund\n  titles: {en: Refund}\n", "# ours\nintents:\n- name: refund\n"]
)
def test_a_list_of_intents_is_no_transcript(tmp_path: Path, text: str):
    path = tmp_path / "intents.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        open_transcripts(path)
    assert caught.value.remedy is not None and "frontdesk ingest intents" in caught.value.remedy
    path.write_text("hello there\n", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        open_transcripts(path)
    assert caught.value.remedy is not None and "--format" in caught.value.remedy
