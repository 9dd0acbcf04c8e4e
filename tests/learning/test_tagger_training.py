"""The tagger of entities: what it learns from marks, and that it serves what it has learned."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

from chatbot.errors import BundleError, TrainingError
from chatbot.inference.tagger import EntityTagger, decode
from chatbot.language.entity_marks import read_marks
from chatbot.learning.tagger_training import TaggerReport, TaggerSettings, train_tagger
from chatbot.neural.entity_tagger import EntityNetwork, TaggerConfig, tagged_batch

CITIES = (
    "Utrecht",
    "Delft",
    "Gouda",
    "Breda",
    "Zwolle",
    "Assen",
    "Venlo",
    "Ede",
    "Tiel",
    "Lyon",
    "Porto",
    "Turku",
)
ITEMS = ("desk lamp", "kettle", "bookshelf", "office chair", "toaster")
PLACES = ("杭州", "苏州", "广州", "成都", "西安", "长沙", "大连", "厦门")


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    draw = Random(seed)
    forms = (
        "can you deliver the [{item}](item) to [{city}](city)?",
        "I want a [{item}](item) sent to [{city}](city) please",
        "do you have a shop in [{city}](city)",
        "is the [{item}](item) in stock",
        "请把它寄到[{place}](city)好吗",
        "你们在[{place}](city)有店吗",
        "what are your opening hours",
        "谢谢你的帮助",
    )
    found = []
    for at in range(count):
        form = draw.choice(forms)
        text, marks = read_marks(
            form.format(city=draw.choice(CITIES), item=draw.choice(ITEMS), place=draw.choice(PLACES))
        )
        found.append(
            {
                "text": text,
                "entities": [mark._asdict() for mark in marks],
                "split": "valid" if at % 8 == 0 else "train",
            }
        )
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TaggerReport]:
    out = tmp_path_factory.mktemp("bundle")
    return out, train_tagger(rows(240, 1), out, settings=TaggerSettings(steps=300), device="cpu")


def test_it_finds_what_was_marked_and_serves_as_it_was_trained(trained: tuple[Path, TaggerReport]) -> None:
    out, report = trained
    assert report.f1 > 90 and set(report.kinds) == {"city", "item"}
    assert report.same_path == 1.0
    assert (report.n_train, report.n_valid) == (210, 30)
    text = "can you send the office chair to Utrecht tomorrow?"
    found = EntityTagger.load(out).find(text, least=0.5)
    assert [(one.kind, one.text, text[one.start : one.end]) for one in found] == [
        ("item", "office chair", "office chair"),
        ("city", "Utrecht", "Utrecht"),
    ]


def test_a_name_never_seen_is_told_by_the_words_around_it(trained: tuple[Path, TaggerReport]) -> None:
    tagger = EntityTagger.load(trained[0])
    found = tagger.find("do you have a shop in Haarlem")
    assert [(one.kind, one.text) for one in found] == [("city", "Haarlem")]
    assert [(one.kind, one.text) for one in tagger.find("你们在武汉有店吗")] == [("city", "武汉")]


@pytest.mark.parametrize("text", ["", "   ", "what are your opening hours", "谢谢", "?!", "x" * 5000])
def test_nothing_is_found_where_nothing_is_named(trained: tuple[Path, TaggerReport], text: str) -> None:
    assert EntityTagger.load(trained[0]).find(text, least=0.5) == []


def test_a_kind_with_too_few_marks_is_not_learned_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    some = rows(160, 2)
    text, marks = read_marks("a [blue](colour) one")
    some += [{"text": text, "entities": [mark._asdict() for mark in marks]}] * 3
    report = train_tagger(some, tmp_path, settings=TaggerSettings(steps=8), device="cpu")
    assert report.rare == {"colour": 3} and "colour" not in report.kinds
    with pytest.raises(TrainingError) as raised:
        train_tagger(some[-3:], tmp_path / "none", device="cpu")
    assert raised.value.field == "entities" and "colour: 2" in str(raised.value.value)


def test_a_message_that_nobody_looked_at_teaches_nothing(tmp_path: Path) -> None:
    unseen = [{"text": row["text"]} for row in rows(40, 3)]
    with pytest.raises(TrainingError):
        train_tagger(unseen, tmp_path, device="cpu")


def test_a_damaged_tagger_is_refused(trained: tuple[Path, TaggerReport], tmp_path: Path) -> None:
    (tmp_path / "entities").mkdir()
    (tmp_path / "entities" / "config.json").write_text('{"format": 1, "kinds": ["city"]}')
    with pytest.raises(BundleError):
        EntityTagger.load(tmp_path)


def test_the_best_path_and_its_certainty_are_those_of_all_paths() -> None:
    draw = np.random.default_rng(5)
    scores, follow, begin = draw.normal(size=(4, 3)), draw.normal(size=(3, 3)), draw.normal(size=3)

    def weight(path: tuple[int, ...]) -> float:
        steps = sum(follow[one, other] for one, other in pairwise(path))
        return float(begin[path[0]] + steps + sum(scores[at, tag] for at, tag in enumerate(path)))

    paths = list(product(range(3), repeat=4))
    weights = np.exp([weight(path) for path in paths])
    best = paths[int(weights.argmax())]
    path, certainty = decode(scores, follow, begin)
    assert tuple(path) == best
    for at in range(4):
        share = sum(w for w, one in zip(weights, paths, strict=True) if one[at] == best[at]) / weights.sum()
        assert certainty[at] == pytest.approx(share)


def test_the_loss_is_the_likelihood_of_the_tags_among_all_paths() -> None:
    torch.manual_seed(3)
    network = EntityNetwork(TaggerConfig(("O", "B-x", "I-x"), buckets=50, dropout=0.0)).eval()
    torch.nn.init.normal_(network.follow)
    batch = tagged_batch([([[1, 2], [3], [4]], [0, 1, 2]), ([[5]], [1])])
    scores = network(batch.features, batch.lengths)
    follow, begin = network.transitions()

    def weight(place: int, path: tuple[int, ...]) -> torch.Tensor:
        total = begin[path[0]] + sum(scores[place, at, tag] for at, tag in enumerate(path))
        return total + sum(follow[one, other] for one, other in pairwise(path))

    expected = torch.zeros(())
    for place, gold in enumerate([(0, 1, 2), (1,)]):
        every = torch.stack([weight(place, path) for path in product(range(3), repeat=len(gold))])
        expected = expected + torch.logsumexp(every, 0) - weight(place, gold)
    assert network.loss(batch).item() == pytest.approx(expected.item() / 4, rel=1e-4)
