"""Recall and precision on the messages beside this file, which the rules were made on, and on those of the bench."""

from pathlib import Path

import pytest

from web.bench.redaction import MESSAGES, measure


@pytest.mark.parametrize("path", [Path(__file__).with_name("redaction_messages.txt"), MESSAGES])
def test_personal_values_are_found_and_look_alikes_left(path):
    score = measure(path)
    assert score.recall >= 0.98, score.faults
    assert score.precision >= 0.95, score.faults
    assert score.found.total() > 300
