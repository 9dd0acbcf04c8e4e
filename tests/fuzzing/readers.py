"""Coverage-guided fuzzing of everything that reads a stranger's file (atheris, libFuzzer).

    pip install 'frontdesk[fuzz]'
    python tests/fuzzing/readers.py -max_total_time=600            # all readers in turn
    python tests/fuzzing/readers.py --reader documents -max_total_time=600 CORPUS

No part of the test suite. A file is read or refused with an error of ours; anything else is a finding, and libFuzzer
writes the input that made it to ``crash-…``: give it to the harness as its only argument to see it again.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingest", "chatbot.language", "markdown_it", "charset_normalizer"]):
    from chatbot.errors import FrontdeskError
    from chatbot.language.redaction import redact
    from ingest.articles.formats import read_articles
    from ingest.files import RowError
    from ingest.transcripts.formats import open_transcripts
    from ingest.transcripts.transcript import Transcript

TRANSCRIPTS = ("a.json", "a.jsonl", "a.csv", "a.tsv", "a.txt", "a.yml", "a.xlsx", "a.jsonl.gz")
DOCUMENTS = ("a.md", "a.html", "a.docx", "a.pdf", "a.xlsx", "a.csv", "a.json", "a.jsonl")
FOLDER = Path(tempfile.mkdtemp(prefix="frontdesk-fuzzing-"))


def _written(names: tuple[str, ...], data: bytes) -> Path:
    """The first byte chooses the file's name, and with it the reader."""
    path = FOLDER / names[data[0] % len(names)]
    path.write_bytes(data[1:])
    return path


def transcripts(data: bytes) -> None:
    for row in open_transcripts(_written(TRANSCRIPTS, data)).rows():
        if not isinstance(row, Transcript | RowError):
            raise AssertionError(f"a reader yielded {type(row).__name__}")


def documents(data: bytes) -> None:
    for _ in read_articles(_written(DOCUMENTS, data)):
        pass


def redaction(data: bytes) -> None:
    clean = redact(data[1:].decode("utf-8", "replace"))
    if redact(clean) != clean:
        raise AssertionError("redacting again changes something")


READERS: dict[str, Callable[[bytes], None]] = {
    "transcripts": transcripts,
    "documents": documents,
    "redaction": redaction,
}


def main() -> None:
    arguments = sys.argv
    chosen = list(READERS.values())
    if "--reader" in arguments:
        place = arguments.index("--reader")
        chosen = [READERS[arguments[place + 1]]]
        arguments = arguments[:place] + arguments[place + 2 :]

    def one(data: bytes) -> None:
        if len(data) < 2:
            return
        with contextlib.suppress(FrontdeskError):  # refused in words
            chosen[data[-1] % len(chosen)](data)

    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
