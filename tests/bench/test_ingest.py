"""The made-up export is the same for a seed, and an import that was killed ends with the same rows."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from web.bench.ingest import digest, rows, take_in


def test_the_export_follows_from_its_seed_and_has_repeats() -> None:
    made = list(rows(400, turns=4, seed=1))
    assert made == list(rows(400, turns=4, seed=1))
    assert made != list(rows(400, turns=4, seed=2))
    assert len(made) > 400
    assert {row["lang"] for row in made} == {"en", "zh"}


def test_a_killed_import_resumed_has_the_rows_of_an_undisturbed_one(tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text("".join(json.dumps(row) + "\n" for row in rows(500, turns=4, seed=1)), "utf-8")
    assert take_in(export, tmp_path / "whole").status == 0
    assert take_in(export, tmp_path / "broken", kill_after=1.2).status in (0, -signal.SIGKILL)
    run = take_in(export, tmp_path / "broken")
    assert run.status == 0
    assert run.peak_rss_bytes > 10**7
    assert digest(tmp_path / "whole") == digest(tmp_path / "broken")
