from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatbot.errors import FileError
from chatbot.learning import classifier_training
from chatbot.neural import throughput
from web.bench.intents import command, few_shots, gibberish_strings, print_figures
from web.bench.rows import labelled_rows, read_rows


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(n: int, *, label: str = "intent") -> list[dict]:
    made = []
    for i in range(n):
        made.append({"text": f"where is my parcel number {i}", label: "tracking"})
        made.append({"text": f"give me a refund for item {i}", label: "refund"})
    return made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = classifier_training.Recipe(
        steps=40, least_epochs=1, embedding=16, hidden=8, buckets=256, encoder_vectors=False
    )
    monkeypatch.setattr(classifier_training, "Recipe", lambda: recipe)
    measure = throughput.measure_throughput
    monkeypatch.setattr(
        throughput, "measure_throughput", lambda *a, **options: measure(*a, **{**options, "seconds": 0.1})
    )


@pytest.mark.parametrize("label", ["intent", "sentiment"])
def test_every_figure_of_the_contract_is_in_the_json(
    tmp_path: Path, quick: None, label: str, capsys: pytest.CaptureFixture[str]
):
    oos = [{"text": f"tell me a joke about penguin {i}", label: "oos"} for i in range(6)]
    files = {
        "train": write(tmp_path / "train.jsonl", rows(30, label=label)),
        "valid": write(tmp_path / "valid.jsonl", rows(6, label=label) + oos),
        "test": write(
            tmp_path / "test.jsonl", [*rows(8, label=label), {"text": "open today", label: "hours"}, *oos]
        ),
    }
    out = tmp_path / "out.json"
    arguments = [f"--{name}={path}" for name, path in files.items()]
    done = CliRunner().invoke(
        command, [*arguments, "--threads=1", "--no-teacher", f"--json={out}"], catch_exceptions=False
    )
    assert done.exit_code == 0
    figures = json.loads(out.read_text())
    assert {
        "tier", "n_train", "n_test", "accuracy", "macro_f1", "ece", "oos", "gibberish_answered",
        "train_seconds", "tokens_per_second", "tutorial_tokens_per_second", "bound_tokens_per_second",
        "latency", "messages_per_second", "model_bytes", "peak_rss_bytes", "device",
    } <= set(figures)  # fmt: skip
    assert set(figures["oos"]) == {"auroc", "recall_at_5pct_rejection", "in_scope_accuracy"}
    assert set(figures["latency"]) == {"p50", "p99", "cpu_p50"}
    assert figures["accuracy"] > 90
    assert (figures["n_train"], figures["n_test"]) == (60, 23)
    assert figures["intents_not_trained"] == ["hours"]
    assert 20e6 < figures["peak_rss_bytes"] < 200e6
    print_figures(
        figures | {"tutorial_tokens_per_second": None, "bound_tokens_per_second": None}
    )  # no fast tier
    assert (
        "Intents of the test that do not occur in training, all wrong: 1 (hours)" in capsys.readouterr().out
    )


def test_shots_are_drawn_by_seed_and_leave_outliers_alone():
    many = rows(20) + [{"text": "x", "intent": "oos"}] * 7
    five = few_shots(many, 5, seed=1)
    assert sum(row["intent"] == "refund" for row in five) == 5
    assert sum(row["intent"] == "oos" for row in five) == 7
    assert few_shots(many, 5, seed=1) == five
    assert few_shots(many, 5, seed=2) != five


def test_gibberish_is_seeded_and_fits_the_language():
    assert gibberish_strings(1, chinese=False) == gibberish_strings(1, chinese=False)
    assert len(set(gibberish_strings(1, chinese=True))) == 100
    assert sum(not text.isascii() for text in gibberish_strings(1, chinese=True)) == 50


def test_a_bad_row_file_is_refused_with_its_line(tmp_path: Path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "a"}\nno json\n', encoding="utf-8")
    with pytest.raises(FileError, match="line 2"):
        read_rows(broken)
    broken.write_bytes("退款".encode("gbk"))
    with pytest.raises(FileError, match="not UTF-8"):
        read_rows(broken)
    broken.write_text("", encoding="utf-8")
    with pytest.raises(FileError, match="no rows"):
        read_rows(broken)


def test_a_row_without_an_intent_is_refused(tmp_path: Path):
    good = write(tmp_path / "good.jsonl", rows(3))
    bad = write(tmp_path / "bad.jsonl", [{"text": "no label"}])
    with pytest.raises(FileError, match="line 1"):
        CliRunner().invoke(
            command, [f"--train={bad}", f"--valid={good}", f"--test={good}"], catch_exceptions=False
        )


@pytest.mark.parametrize(
    "context", ["foo", ["foo"], [{"role": "nobody", "text": "foo"}], [{"role": "agent"}], {"role": "agent"}]
)
def test_what_was_said_before_must_be_turns(tmp_path: Path, context):
    good = rows(2)
    bad = write(tmp_path / "bad.jsonl", [*good, good[0] | {"context": context}])
    with pytest.raises(FileError, match=r"bad\.jsonl, line 5: the context is no list of turns"):
        labelled_rows(bad)
    turns = [{"role": "agent", "text": "Which one?"}]
    kept = labelled_rows(write(tmp_path / "good.jsonl", [good[0] | {"context": turns}]))
    assert kept[0]["context"] == turns
