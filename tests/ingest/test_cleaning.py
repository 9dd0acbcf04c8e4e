"""Conversations cleaned by processes ahead of their storing: the same, in the same order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatbot.errors import FileError
from chatbot.language.redaction import RedactionRules
from ingest.cleaning import WORTH_PROCESSES, Batch, cleaned_ahead
from ingest.preparing import content_hash_of
from ingest.transcripts.transcript import Transcript, Turn


def conversations() -> list[Transcript]:
    return [
        Transcript(
            id=str(number),
            turns=(
                Turn("customer", f"Where is my order KC-20481{number}? Mail me at nora{number}@example.org"),
                Turn("agent", f"Hello, it left our warehouse {number} days ago."),
            ),
        )
        for number in range(9)
    ]


def batches(*, broken: bool = False) -> Iterator[tuple[list[Transcript], list[tuple[Transcript, str]]]]:
    rows = conversations()
    for start in range(0, len(rows), 2):
        part = rows[start : start + 2]
        yield part, [(row, content_hash_of(row)) for row in part]
    if broken:
        raise FileError("The file breaks off", value="export.json")


def cleaned(size: int) -> list[Batch]:
    return list(cleaned_ahead(batches(), rules=RedactionRules(), size=size))


def test_processes_give_what_one_gives_in_the_order_of_the_file() -> None:
    alone, together = cleaned(size=1), cleaned(size=WORTH_PROCESSES)
    assert alone == together
    assert [row.id for batch in together for row in batch.rows] == [str(number) for number in range(9)]
    assert "[EMAIL]" in str(together[0].cleaned[0])


@pytest.mark.parametrize("size", [1, WORTH_PROCESSES])
def test_a_file_that_breaks_off_gives_all_that_came_before(size: int) -> None:
    seen = []
    with pytest.raises(FileError, match="breaks off"):
        for batch in cleaned_ahead(batches(broken=True), rules=RedactionRules(), size=size):
            seen += [row.id for row in batch.rows]
    assert len(seen) == 9
