"""What a candidate reply is worth, and the weights of a release: today's, an older one's, none."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import BundleError
from chatbot.inference.reply_choice import FOLDER, SIGNALS, WEIGHTS, ChoiceWeights, signals_of

ASKED = [Message("customer", "how long is a refund?")]


class Generator:
    """Half as likely a piece as the one before; a piece a word."""

    def score(
        self, history: Sequence[Message], sources: Sequence[str], replies: Sequence[str], **_: object
    ) -> list[float]:
        return [-0.5 * (place + 1) for place in range(len(replies))]

    def lengths(self, replies: Sequence[str]) -> list[int]:
        return [len(reply.split()) + 1 for reply in replies]


class Ranker:
    bias = 0.5

    def scores(self, turns: Sequence[Message], texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([5.0] * len(texts), np.float32) + self.bias * np.log1p(self.times(texts))

    def times(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([3.0 if "days" in text else 0.0 for text in texts], np.float32)


def told(*texts: str, written: Sequence[str] = ()) -> dict[str, list[float]]:
    signals = signals_of(
        ASKED, (), texts, nearest="five days", generator=Generator(), ranker=Ranker(), written=written
    )
    assert signals.shape == (len(texts), len(SIGNALS))
    return {name: signals[:, place].tolist() for place, name in enumerate(SIGNALS)}


def test_each_candidate_has_its_seven_signals() -> None:
    found = told("five days", "it takes a week", written=["it takes a week"])
    assert found["likelihood"] == [-0.5, -1.0]
    assert found["total"] == pytest.approx([-0.15, -0.5])
    assert found["length"] == pytest.approx([math.log(3), math.log(5)])
    assert found["rank"] == pytest.approx([1.0, 1.0])  # without what frequency gains
    assert found["times"] == pytest.approx([math.log(4), 0.0])
    assert found["near"] == pytest.approx([1.0, 0.0])
    assert found["written"] == [0.0, 1.0]
    assert told()["likelihood"] == []


def test_weights_come_back_as_they_were_saved(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    assert ChoiceWeights.load(tmp_path) == ChoiceWeights()
    weights = ChoiceWeights.of([1, 2, 3, 4, 5, 6, 7], least=-2.5)
    assert weights.values(np.eye(len(SIGNALS), dtype=np.float32)).tolist() == [1, 2, 3, 4, 5, 6, 7]
    weights.save(tmp_path)
    assert ChoiceWeights.load(tmp_path) == weights


def test_the_three_weights_of_an_older_release_choose_as_they_did(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    old = {"rank": 0.06, "written": 0.4, "length": 0.2, "least": 1.25}
    (tmp_path / FOLDER / WEIGHTS).write_text(json.dumps(old))
    weights = ChoiceWeights.load(tmp_path)
    assert weights.least == 1.25
    texts = ["five days", "it takes a week"]
    signals = signals_of(
        ASKED, (), texts, nearest="", generator=Generator(), ranker=Ranker(), written=texts[1:]
    )
    likelihood, score = Generator().score(ASKED, (), texts), Ranker().scores(ASKED, texts)
    before = [
        likelihood[place] + 0.06 * score[place] + 0.2 * math.log(length) + 0.4 * place
        for place, length in enumerate(Generator().lengths(texts))
    ]
    assert weights.values(signals) == pytest.approx(before, abs=1e-5)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"rank": 0.1}', '{"likelihood": 1.0}', '{"likelihood": "much"}']
)
def test_a_damaged_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / WEIGHTS).write_text(text)
    with pytest.raises(BundleError, match="past answers"):
        ChoiceWeights.load(tmp_path)


def test_the_file_names_every_weight(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    ChoiceWeights().save(tmp_path)
    assert set(json.loads((tmp_path / FOLDER / WEIGHTS).read_text())) == {*SIGNALS, "least"}
    assert set(asdict(ChoiceWeights())) == {*SIGNALS, "least"}
