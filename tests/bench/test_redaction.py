"""``bench redaction`` on a file of one's own."""

import json

from click.testing import CliRunner

from web.bench.redaction import command


def test_it_counts_what_is_found_missed_and_taken_wrongly(tmp_path):
    messages, figures = tmp_path / "marked.txt", tmp_path / "figures.json"
    messages.write_text(
        "# a comment\nHi ⟦NAME:Anna⟧, mail ⟦EMAIL:anna@web.example⟧\nthe secret is ⟦ID:xyzzy⟧\nDear "
        "Peter, no mark here\n",
        encoding="utf-8",
    )
    result = CliRunner().invoke(
        command, ["--messages", str(messages), "--faults", "--json", str(figures)], catch_exceptions=False
    )
    found = json.loads(figures.read_text())
    assert (found["messages"], found["values"], found["false"]) == (3, 3, 1)
    assert (found["recall"], found["recall id"]) == (66.7, "0 of 1")
    assert "xyzzy" in result.output and "Peter" in result.output
