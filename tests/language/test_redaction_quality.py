"""Recall and precision on the messages beside this file (floors of the issue: 98 % and 95 %)."""

import re
from pathlib import Path

from chatbot.language.redaction import find_personal

MARK = re.compile(r"⟦(\w+):(.*?)⟧")


def messages():
    for line in Path(__file__).with_name("redaction_messages.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        text, marked, at = "", [], 0
        for mark in MARK.finditer(line):
            text += line[at : mark.start()]
            marked.append((mark[1], len(text), len(text) + len(mark[2])))
            text += mark[2]
            at = mark.end()
        yield text + line[at:], marked


def test_personal_values_are_found_and_look_alikes_left():
    found_values = missed = false = 0
    faults = []
    for text, marked in messages():
        found = find_personal(text)
        covered = {at for span in found for at in range(span.start, span.end)}
        for kind, start, end in marked:
            letters = [at for at in range(start, end) if text[at].isalnum()]
            typed = any(span.kind == kind and span.start < end and span.end > start for span in found)
            if typed and sum(at in covered for at in letters) >= 0.9 * len(letters):
                found_values += 1
            else:
                missed += 1
                faults.append((text, kind, text[start:end]))
        for span in found:
            if not any(span.start < end and span.end > start for _, start, end in marked):
                false += 1
                faults.append((text, "not personal", text[span.start : span.end]))
    assert found_values / (found_values + missed) >= 0.98, faults
    assert found_values / (found_values + false) >= 0.95, faults
    assert found_values > 170
