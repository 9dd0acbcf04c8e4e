from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatbot.learning import label_sets
from chatbot.learning.classifier_data import Recipe
from web import cli

TINY = Recipe(steps=60, least_epochs=1, embedding=24, hidden=12, buckets=256, encoder_vectors=False)


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "data"))
    train = label_sets.train_classifier
    monkeypatch.setattr(
        label_sets, "train_classifier", lambda *a, **more: train(*a, **more | {"recipe": TINY})
    )
    lines = ["text,label"]
    for label, words in (("good", ("great", "lovely")), ("bad", ("awful", "broken"))):
        lines += [
            f"the {thing} {n} was {word},{label}" for word in words for n, thing in enumerate("abcdefgh")
        ]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_labels_are_trained_listed_asked_and_removed(rows: Path, tmp_path: Path):
    run = CliRunner()
    trained = run.invoke(cli.main, ["labels", "train", str(rows), "--name", "mood", "--json", "-"])
    assert trained.exit_code == 0, trained.output
    report = json.loads(trained.stdout)
    assert set(report["confusion"]) == {"good", "bad"} and report["tested"] == 4
    assert run.invoke(cli.main, ["labels", "list"]).output == "mood\n"
    asked = tmp_path / "asked.txt"
    asked.write_text("the lamp was lovely\n\n😀\n", encoding="utf-8")
    told = run.invoke(cli.main, ["labels", "predict", "--name", "mood", "--file", str(asked)])
    first, second = (json.loads(line) for line in told.output.splitlines())
    assert first["label"] in ("good", "bad") and len(first["labels"]) == 2
    assert second["label"] is None
    sheet = tmp_path / "asked.csv"
    sheet.write_text("id,text\n7,the lamp was lovely\n", encoding="utf-8")
    from_sheet = run.invoke(cli.main, ["labels", "predict", "--name", "mood", "--file", str(sheet)])
    assert json.loads(from_sheet.output) == first
    one = run.invoke(cli.main, ["labels", "predict", "--name", "mood", "it was awful"])
    assert one.exit_code == 0 and "probability" in one.output
    assert run.invoke(cli.main, ["labels", "remove", "--name", "mood"]).exit_code == 0
    gone = run.invoke(cli.main, ["labels", "predict", "--name", "mood", "it was awful"])
    assert gone.exit_code == 2 and "No labels of this name" in gone.output


@pytest.mark.parametrize(
    "arguments", [["predict"], ["predict", "a", "--name", "A b"], ["train", "ROWS", "--name", "../x"]]
)
def test_what_is_wrong_is_one_line_with_the_remedy(rows: Path, arguments: list[str]):
    given = [str(rows) if one == "ROWS" else one for one in arguments]
    result = CliRunner().invoke(cli.main, ["labels", *given])
    assert result.exit_code == 2
    assert result.output.startswith("error: ") and result.output.count("\n") == 1


def test_the_report_says_what_the_inbox_will_mark(rows: Path):
    train = ["labels", "train", str(rows), "--minutes", "0.2"]
    told = CliRunner().invoke(cli.main, train)
    assert told.exit_code == 0, told.output
    assert "The inbox marks conversations that read bad." in told.output
    assert "precision" in told.output and "Label, and what was guessed" in told.output
    wrong = CliRunner().invoke(cli.main, [*train, "--unhappy", "awful"])
    assert wrong.exit_code == 2 and "bad, good" in wrong.output
