"""The answer ranker, trained here in seconds, read back from its bundle."""

from pathlib import Path

import numpy as np
import pytest

from chatbot.dialogue.trace import Message
from chatbot.errors import BundleError, TrainingError
from chatbot.inference.rank import AnswerRanker
from chatbot.learning.generator_data import Sample
from chatbot.learning.generator_training import GeneratorSettings, new_network
from chatbot.learning.ranker_training import RankerSettings, train_ranker
from chatbot.neural.source_layout import SourceLayout
from chatbot.neural.tokenizer import train_tokenizer

ANSWERS = {
    "refund": "It takes five working days.",
    "parcel": "You can follow it with the tracking link.",
    "repair": "Please bring the machine to our workshop.",
    "invoice": "The invoice is in your account.",
    "退款": "三个工作日内原路退回。",
    "维修": "请把机器送到门店。",
}
WAYS = (
    "where is my {}",
    "a question about the {}",
    "{} please",
    "hello, {}?",
    "and the {} then",
    "my {} now",
)


def samples() -> list[Sample]:
    return [
        Sample((Message("customer", way.format(thing)),), (), answer, "en")
        for thing, answer in ANSWERS.items()
        for way in WAYS
    ]


def settings() -> GeneratorSettings:
    return GeneratorSettings(embedding=24, encoder_units=16, decoder_units=16)


@pytest.fixture(scope="module")
def ranker(tmp_path_factory: pytest.TempPathFactory) -> AnswerRanker:
    out = tmp_path_factory.mktemp("bundle")
    tokenizer = train_tokenizer(
        [text for s in samples() for text in (s.turns[0].text, s.reply)], vocabulary=500
    )
    tokenizer.save(out / "tokenizer.json")
    train_ranker(
        samples(), [], tokenizer, new_network(tokenizer, (), settings(), device="cpu"), SourceLayout(), out,
        settings=RankerSettings(batch=12, epochs=30, learning_rate=1e-2, dimension=16, patience=0), device="cpu",
    )  # fmt: skip
    return AnswerRanker.load(out)


def test_the_fitting_answer_is_found(ranker: AnswerRanker) -> None:
    for thing, answer in ANSWERS.items():
        found = ranker.search([Message("customer", f"what about the {thing}")], k=2)
        assert found[0].text == answer
        assert found[0].times == len(WAYS)
        assert found[0].score >= found[1].score


def test_scores_of_given_texts_agree_with_the_search(ranker: AnswerRanker) -> None:
    turns = [Message("customer", "my repair now")]
    found = ranker.search(turns, k=6)
    scores = ranker.scores(turns, [one.text for one in found])
    assert np.allclose(scores, [one.score for one in found], atol=1e-3)
    assert ranker.scores(turns, ["never said before"]).shape == (1,)


def test_vectors_have_unit_length(ranker: AnswerRanker) -> None:
    vectors = ranker.vectors(["The invoice is in your account.", "a new answer"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-2)


def test_with_the_words_beside_the_states_the_served_form_is_the_trained_one(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(
        [text for s in samples() for text in (s.turns[0].text, s.reply)], vocabulary=500
    )
    tokenizer.save(tmp_path / "tokenizer.json")
    report = train_ranker(
        samples(), [], tokenizer, new_network(tokenizer, (), settings(), device="cpu"), SourceLayout(), tmp_path,
        settings=RankerSettings(batch=12, epochs=20, learning_rate=1e-2, dimension=16, patience=0, words=True,
                                words_batch=12, words_epochs=20),
        device="cpu", answers=dict.fromkeys(ANSWERS.values(), 7),
    )  # fmt: skip
    assert report.accuracy > 0.5
    ranker = AnswerRanker.load(tmp_path)
    assert ranker.given.tolist() == [7.0] * len(ANSWERS)
    stored = ranker.vectors(list(ANSWERS.values()))  # as the network made them
    ranker._known = {}
    assert np.allclose(stored, ranker.vectors(list(ANSWERS.values())), atol=0.05)  # as the graph makes them
    first = [ranker.search(sample.turns, k=1)[0].text == sample.reply for sample in samples()]
    assert sum(first) > len(first) / 2  # by chance it would be a sixth


def test_one_answer_is_nothing_to_rank(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["one answer"], vocabulary=500)
    network = new_network(tokenizer, (), settings(), device="cpu")
    with pytest.raises(TrainingError, match="two different answers"):
        train_ranker(samples()[:1], [], tokenizer, network, SourceLayout(), tmp_path, device="cpu")


def test_a_missing_ranker_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="ranker"):
        AnswerRanker.load(tmp_path)
