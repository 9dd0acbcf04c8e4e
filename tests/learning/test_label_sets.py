"""A label set of a company's own: learned, measured on what was kept apart, replaced whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.errors import InputError
from chatbot.inference.label_sets import FOLDER, load_label_set, remove_label_set, unhappy_of
from chatbot.learning import label_sets
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.label_sets import LabelledText, train_label_set

TINY = Recipe(steps=60, least_epochs=1, embedding=24, hidden=12, buckets=256, encoder_vectors=False)
WORDS = {"good": ["great", "lovely", "perfect"], "bad": ["awful", "broken", "rude"]}
THINGS = "parcel driver shop box lamp chair table bike food soup".split()  # noqa: SIM905
ROWS = [
    LabelledText(f"the {thing} was {word}", label, "en")
    for label, words in WORDS.items()
    for word in words
    for thing in THINGS
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("labels")
    train_label_set(data, "sentiment", ROWS, device="cpu", recipe=TINY)
    return data


def test_what_was_learned_is_measured_on_texts_that_no_step_has_seen(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[str] = []
    train = label_sets.train_classifier

    def spy(rows, *args, **more):
        rows = list(rows)
        seen.extend(row["text"] for row in rows)
        return train(rows, *args, **more)

    monkeypatch.setattr(label_sets, "train_classifier", spy)
    report = train_label_set(data, "again", ROWS, device="cpu", recipe=TINY)
    assert (report.trained, report.tested, len(seen)) == (48, 6, 54)
    assert sum(n for row in report.confusion.values() for n in row.values()) == 6
    assert {score.label: score.texts for score in report.scores} == {"good": 3, "bad": 3}
    assert report.accuracy >= 0.8
    for score in report.scores:
        assert score.recall == pytest.approx(report.confusion[score.label].get(score.label, 0) / 3, abs=1e-3)


def test_it_is_loaded_by_its_name_and_tells_labels_apart(data: Path):
    classifier = load_label_set(data, "sentiment")
    assert set(classifier.labels) == {"good", "bad"}
    assert classifier.classify("the sofa was lovely", lang="en").top.name == "good"
    assert classifier.classify("the sofa was broken", lang="en").top.name == "bad"


def test_a_training_that_fails_leaves_the_one_before_and_no_scraps(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*args, **more):
        raise RuntimeError("no memory")

    monkeypatch.setattr(label_sets, "train_classifier", fail)
    with pytest.raises(RuntimeError):
        train_label_set(data, "sentiment", ROWS, recipe=TINY)
    assert load_label_set(data, "sentiment").classify("lovely", lang="en").top.name == "good"
    assert not list((data / FOLDER).glob(".*"))


@pytest.mark.parametrize(
    ("rows", "name", "value"),
    [
        (ROWS[:30], "sentiment", "good"),
        ([*ROWS, LabelledText("hm", "odd", "en")], "sentiment", "odd"),
        (ROWS, "../releases", "../releases"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_its_value(tmp_path: Path, rows, name: str, value: str):
    with pytest.raises(InputError) as caught:
        train_label_set(tmp_path, name, rows, recipe=TINY)
    assert caught.value.value == value and caught.value.remedy
    assert not list(tmp_path.rglob("*.json"))


def test_labels_that_are_not_there_are_named_with_those_that_are(data: Path):
    with pytest.raises(InputError) as caught:
        load_label_set(data, "urgency")
    assert "sentiment" in (caught.value.remedy or "")
    with pytest.raises(InputError):
        remove_label_set(data, "urgency")


def test_a_training_ends_within_its_time_and_says_what_was_cut(tmp_path: Path):
    long = Recipe(
        steps=100_000, most_epochs=100_000, embedding=24, hidden=12, buckets=256, encoder_vectors=False
    )
    stages: list[str] = []
    report = train_label_set(
        tmp_path,
        "sentiment",
        ROWS,
        device="cpu",
        recipe=long,
        budget_seconds=6,
        progress=lambda stage, share: stages.append(stage),
    )
    assert report.seconds < 30 and report.cut is not None and "time ran out" in report.cut
    assert list(dict.fromkeys(stages)) == ["preparing", "learning", "measuring"]
    assert report.accuracy >= 0.8
    whole = train_label_set(tmp_path, "sentiment", ROWS, device="cpu", recipe=TINY)
    assert whole.cut is None


def test_the_labels_of_displeased_customers_are_named_or_known_by_their_names(data: Path, tmp_path: Path):
    assert unhappy_of(data / FOLDER / "sentiment") == ("bad",)
    swapped = train_label_set(tmp_path, "sentiment", ROWS, device="cpu", recipe=TINY, unhappy=["good"])
    assert swapped.unhappy == ("good",) == unhappy_of(tmp_path / FOLDER / "sentiment")
    with pytest.raises(InputError) as caught:
        train_label_set(tmp_path, "sentiment", ROWS, recipe=TINY, unhappy=["angry"])
    assert caught.value.value == "angry" and "bad" in (caught.value.remedy or "")
