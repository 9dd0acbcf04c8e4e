import json
import random
from types import SimpleNamespace

from click.testing import CliRunner

from web.bench.churn import Run, command


class Answers:
    def __init__(self, **hits):
        self.hits = hits

    def ask(self, *, do, queries):
        hits = [self.hits.get(query, []) for query in queries]
        return {"hits": hits, "wall": [1.0], "cpu": [1.0], "errors": []}


def searched(**hits):
    writer = SimpleNamespace(live={"zq1x": "About zq1x: here."}, retired=["zq0x"], counts={})
    run = Run(writer, "", None, random.Random(1))
    run._search(Answers(**hits), found=["zq1x"])
    return run


def test_what_should_not_be_there_counts_as_stale_and_what_is_missing_as_lost():
    sound = searched(zq1x=["About zq1x: here."])
    assert (sound.stale, sound.lost) == (0, 0)
    stale = searched(zq1x=["About zq1x: here."], zq0x=["About zq0x: gone."])
    assert stale.stale > 0 and stale.lost == 0
    lost = searched()
    assert lost.lost > 0 and lost.stale == 0


def test_changes_under_two_processes_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("web.bench.churn.KILL_EVERY", 30)
    monkeypatch.setattr("web.bench.churn.ASK_EVERY", 15)
    out = tmp_path / "churn.json"
    result = CliRunner().invoke(command, ["--changes", "60", "--passages", "30", "--json", str(out)])
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert (figures["stale"], figures["lost"], figures["differences"]) == (0, 0, 0)
    assert figures["problems"] == [] and figures["kills"] > 0 and figures["searches"] > 20
    assert sum(figures["changes"].values()) >= 60
