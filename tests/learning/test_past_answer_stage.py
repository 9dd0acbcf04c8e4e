"""Past answers of a release, trained here in seconds from a generator that has learnt nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatbot.dialogue.trace import Message
from chatbot.errors import TrainingError
from chatbot.inference.rank import AnswerRanker
from chatbot.inference.reply_choice import ChoiceWeights
from chatbot.learning.generator_training import GeneratorSettings, load_network, new_network, write_generator
from chatbot.learning.past_answer_stage import train_past_answers
from chatbot.learning.snapshot import Snapshot, SnapshotManifest
from chatbot.learning.training_stages import STAGE_FUNCTIONS, TrainingReport, TrainingSettings
from chatbot.neural.source_layout import SourceLayout
from chatbot.neural.tokenizer import train_tokenizer
from chatbot.retrieval.past_answers import LazyPastAnswers, PastAnswerIndex

THINGS = [f"{size} {thing}" for size in ("small", "large", "old", "new", "blue")
          for thing in ("kettle", "grinder", "filter", "label", "invoice")]  # fmt: skip
PASSAGES = [{"id": 1, "title": "Shelves", "text": "Every thing has a shelf.", "lang": "en"}]


def dialogues() -> list[dict[str, Any]]:
    rows = []
    for number, thing in enumerate(THINGS):
        for way, split in (("where is the {}", "train"), ("{} please", "train"), ("about the {}", "valid")):
            rows.append(
                {
                    "id": f"{thing} {way}",
                    "lang": "en",
                    "split": split,
                    "turns": [
                        {"role": "customer", "text": way.format(thing)},
                        {"role": "agent", "text": f"The {thing} lies in shelf {number}.", "sources": [1]},
                    ],
                }
            )
    return rows


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle")
    tokenizer = train_tokenizer(
        [turn["text"] for row in dialogues() for turn in row["turns"]], vocabulary=500
    )
    settings = GeneratorSettings(embedding=24, encoder_units=16, decoder_units=16)
    write_generator(new_network(tokenizer, ("a",), settings, device="cpu"), tokenizer, SourceLayout(), out)
    return out


@pytest.fixture(scope="module")
def metrics(bundle: Path) -> dict[str, Any]:
    return train_past_answers(dialogues(), PASSAGES, bundle, device="cpu").metrics


def test_the_stage_tells_what_it_learnt_from_and_how_well_it_ranks(
    bundle: Path, metrics: dict[str, Any]
) -> None:
    assert (metrics["answers"], metrics["said_more_than_once"], metrics["situations"]) == (25, 25, 50)
    assert 0 <= metrics["first_of_batch"] <= 100
    assert metrics["first_of_100"] is None  # there are no hundred answers
    assert metrics["weights"] == json.loads((bundle / "ranker" / "choice.json").read_text("utf-8"))
    weights = ChoiceWeights.load(bundle)
    assert weights == ChoiceWeights(**metrics["weights"])
    assert weights != ChoiceWeights(least=weights.least)  # 25 held-back situations are enough to fit on


def test_the_index_finds_what_comparing_every_vector_finds(bundle: Path, metrics: dict[str, Any]) -> None:
    index, ranker = PastAnswerIndex.load(bundle), AnswerRanker.load(bundle)
    index.weights = ChoiceWeights(least=-1e9)
    turns = [Message("customer", "where is the old kettle")]
    found, expected = index.search(turns, lang="en", k=5), ranker.search(turns, k=5)
    assert len(index) == len(ranker.answers) == 25
    assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=0.05)
    assert {one.times for one in found} == {2}
    assert index.times([found[0].text, "Nobody said so."]).tolist() == [2.0, 0.0]
    assert index.bias == ranker.bias
    assert index.search(turns, lang="zh", k=5) == []
    index.weights = ChoiceWeights(least=1e9)
    assert index.search(turns, lang="en", k=5) == []


def test_the_index_is_read_once_and_when_it_is_asked_for(bundle: Path, metrics: dict[str, Any]) -> None:
    read = []
    lazy = LazyPastAnswers(lambda: read.append(1) or PastAnswerIndex.load(bundle))  # type: ignore[func-returns-value]
    assert not read
    assert lazy() is lazy()
    assert read == [1]


def test_the_network_comes_back_as_it_was_written(bundle: Path, tmp_path: Path) -> None:
    network = load_network(bundle)
    assert network.config.intents == ("a",)
    assert network.config.encoder_units == 16
    with pytest.raises(TrainingError, match="no generator"):
        load_network(tmp_path)


def test_the_stage_is_left_out_without_a_generator_or_with_few_answers(bundle: Path, tmp_path: Path) -> None:
    manifest = SnapshotManifest("f", "", 13, {}, ("en",))
    few = Snapshot(manifest, dialogues=dialogues()[:9], passages=PASSAGES)
    report = TrainingReport()
    STAGE_FUNCTIONS["ranker"](few, tmp_path, TrainingSettings(), report, lambda stage, share: None)
    assert "there is none" in report.skipped["ranker"]
    STAGE_FUNCTIONS["ranker"](few, bundle, TrainingSettings(), report, lambda stage, share: None)
    assert report.skipped["ranker"].startswith("3 different past answers are too few")
    assert "ranker" not in report.metrics
