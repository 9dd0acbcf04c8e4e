"""docs/security.md names the test that holds each line: those tests are there, and no line is without one."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (?!Chapter)(?P<chapter>V\d+[^|]*)\| (?P<what>.+) \| (?P<test>[^|]+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    return [(found["what"], found["test"].strip()) for found in ROW.finditer(text)]


def test_every_line_names_a_test_that_is_there_or_the_operator() -> None:
    assert len(rows()) > 40
    missing = []
    for what, test in rows():
        if test == "operator":
            continue
        path, _, name = test.strip("`").partition("::")
        source = ROOT / path
        if not source.is_file() or f"def {name}(" not in source.read_text("utf-8"):
            missing.append((what, test))
    assert missing == []


def test_hardly_anything_is_left_to_the_operator() -> None:
    assert sum(test == "operator" for _, test in rows()) <= 2
