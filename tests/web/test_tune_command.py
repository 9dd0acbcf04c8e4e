from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatbot.learning import recipe_search
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.recipe_search import Found, Trial, load_recipe
from web import cli


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    for name in ("train", "valid"):
        row = {"text": f"where is my parcel {name}", "intent": "tracking"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return ["--train", str(tmp_path / "train.jsonl"), "--valid", str(tmp_path / "valid.jsonl")]


@pytest.mark.parametrize("better", [True, False])
def test_a_recipe_is_kept_for_the_next_training_only_where_it_is_clearly_better(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool
):
    seen: list[dict] = []

    def search(rows, **options):
        seen.extend(rows)
        trials = (Trial({}, 0.9, 0.02, 0.9, 1.0), Trial({"hidden": 64}, 0.95, 0.02, 0.9, 1.0))
        return Found(Recipe(hidden=64) if better else Recipe(), better, 5.0, 1.0, trials)

    monkeypatch.setattr(recipe_search, "search_recipe", search)
    result = CliRunner().invoke(cli.main, ["tune", *files, "--json", "-"])
    assert result.exit_code == 0, result.output
    assert [row["split"] for row in seen] == ["train", "valid"]
    assert json.loads(result.stdout)["better"] is better
    kept = tmp_path / "data" / recipe_search.RECIPE_FILE
    assert kept.is_file() is better
    if better:
        assert load_recipe(kept).hidden == 64


def test_one_file_without_the_other_is_refused(files: list[str]):
    result = CliRunner().invoke(cli.main, ["tune", *files[:2]])
    assert result.exit_code == 2
    assert "Give both" in result.output
