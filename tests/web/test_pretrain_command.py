from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatbot.learning.bundles import verify
from chatbot.learning.generator_training import train_generator
from web import cli

COLOURS = ("red", "blue", "green", "white", "black", "grey", "pink", "brown", "gold", "silver")
THINGS = ("lamp", "chair", "table")


def conversations() -> list[dict]:
    return [
        {
            "id": f"{colour} {thing}",
            "turns": [
                {"role": "customer", "text": f"Is the {colour} {thing} still in stock at the moment?"},
                {"role": "agent", "text": f"The {colour} {thing} is in stock and leaves our house tomorrow."},
                {"role": "customer", "text": f"And what does the {colour} {thing} cost with delivery?"},
                {
                    "role": "agent",
                    "text": f"The {colour} {thing} costs {20 + len(colour)} euros with delivery.",
                },
            ],
        }
        for colour in COLOURS
        for thing in THINGS
    ]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "own"))
    file = tmp_path / "logs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in conversations()), encoding="utf-8")
    return file


def pretrain(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["pretrain", *map(str, arguments)])


def test_a_generator_of_other_conversations_is_begun_with(logs: Path, tmp_path: Path):
    bundle = tmp_path / "bundle"
    result = pretrain(logs, "--out", bundle, "--minutes", "0.1", "--json", "-")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["conversations"] == 30
    assert figures["replies"] >= 50
    assert verify(bundle).metrics["generator"]["steps"] > 0
    assert not (tmp_path / "own").exists()  # nothing of them in the company's own data
    assert {path.name for path in tmp_path.iterdir()} == {"logs.jsonl", "bundle"}
    own = [{**row, "lang": "en", "split": "train"} for row in conversations()[:12]]
    report = train_generator(own, [], tmp_path / "company", device="cpu", budget_seconds=6, start=bundle)
    assert not report.afresh


def test_what_cannot_be_learnt_from_is_said_and_nothing_is_left(logs: Path, tmp_path: Path):
    few = tmp_path / "few.jsonl"
    few.write_text(json.dumps(conversations()[0]) + "\n", encoding="utf-8")
    articles = tmp_path / "articles.md"
    articles.write_text("# Delivery\n\nWe deliver within two days.\n", encoding="utf-8")
    out = tmp_path / "bundle"
    for files, said in (
        ((tmp_path / "none.jsonl",), "no such file"),
        ((articles, "--format", "nonsense"), "nonsense"),
        ((few,), "50 turns at least"),
    ):
        result = pretrain(*files, "--out", out)
        assert result.exit_code in (1, 2)
        assert said in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"logs.jsonl", "few.jsonl", "articles.md"}


def test_what_is_there_is_not_written_over(logs: Path, tmp_path: Path):
    out = tmp_path / "bundle"
    out.mkdir()
    result = pretrain(logs, "--out", out)
    assert result.exit_code == 2
    assert "does not exist" in result.output
