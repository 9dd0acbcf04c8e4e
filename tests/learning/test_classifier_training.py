from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chatbot.dialogue.trace import Message
from chatbot.errors import BundleError, TrainingError
from chatbot.inference.classifier_config import PAIRS_FILE, ClassifierConfig
from chatbot.inference.classify import IntentClassifier
from chatbot.language.tokens import tokenise
from chatbot.learning.classifier_data import (
    OUT_OF_SCOPE,
    Dataset,
    Lesson,
    Recipe,
    read_examples,
    split_examples,
)
from chatbot.learning.classifier_training import train_classifier

TINY = Recipe(steps=150, least_epochs=2, embedding=48, hidden=24, buckets=1024, encoder_vectors=False)

OPENERS = ["", "hello, ", "hi there ", "please ", "excuse me, "]
MESSAGES = {
    ("refund", "en"): [
        "i want my money back",
        "refund my payment",
        "give me a refund",
        "return the money to me",
    ],
    ("tracking", "en"): [
        "where is my parcel",
        "track my package",
        "when will the parcel arrive",
        "parcel status",
    ],
    ("refund", "zh"): ["我要退款", "把钱退给我", "请给我退钱", "怎么申请退款"],
    ("tracking", "zh"): ["我的包裹到哪了", "查一下快递", "快递什么时候到", "包裹状态"],
}


def rows(repeat: int = 6) -> list[dict]:
    source = random.Random(0)
    made = []
    for (intent, lang), texts in MESSAGES.items():
        for i in range(repeat):
            for text in texts:
                opener = source.choice(OPENERS) if lang == "en" else source.choice(["", "你好,", "请问"])
                made.append(
                    {
                        "text": opener + text,
                        "intent": intent,
                        "lang": lang,
                        "context": [],
                        "split": "valid" if i == 0 else "train",
                        "group": f"{intent}{lang}{i}{text}",
                    }
                )
    return made


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    report = train_classifier(rows(), folder, languages=["en", "zh"], device="cpu", recipe=TINY)
    assert report.metrics["accuracy"] > 0.9
    assert set(report.metrics["languages"]) == {"en", "zh"}
    assert report.parity["same_top"] >= 0.995
    return folder


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hi, refund my money please", "refund"),
        ("track the parcel", "tracking"),
        ("我要退款啊", "refund"),
        ("快递到哪了", "tracking"),
    ],
)
def test_both_languages_are_understood(bundle: Path, text: str, intent: str):
    result = IntentClassifier.load(bundle).classify(text)
    assert result.top is not None
    assert result.top.name == intent
    assert result.in_scope > 0.35  # a few dozen rows a language: other seeds have 0.3 to 0.5 for the third
    assert sum(guess.confidence for guess in result.ranked) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "😡😡😡",
        "!!!???",
        "qwkjh zxcv 98723",
        "где мой заказ",
        "주문한 상품이 어디에",
        "refund parcel " * 400,
    ],
)
def test_what_cannot_be_understood_is_out_of_scope(bundle: Path, text: str):
    assert IntentClassifier.load(bundle).classify(text).in_scope < 0.5


def test_known_characters_in_random_company_are_known_by_no_pair(bundle: Path, tmp_path: Path):
    classifier = IntentClassifier.load(bundle)
    request, noise = classifier.raw(["我要退款", "款到我态退"]).known
    assert request == 1.0
    assert noise < 0.5
    older = tmp_path / "older"  # a release from before counts single characters, as it was calibrated
    shutil.copytree(bundle, older)
    (older / PAIRS_FILE).unlink()
    assert IntentClassifier.load(older).raw(["款到我态退"]).known[0] == 1.0


def test_a_batch_is_answered_as_its_messages_one_by_one(bundle: Path):
    classifier = IntentClassifier.load(bundle)
    texts = ["where is my parcel", "", "我要退款", "hello, give me a refund right now please"]
    batched = classifier.classify_batch(texts)
    for text, together in zip(texts, batched, strict=True):
        alone = classifier.classify(text)
        assert together.in_scope == pytest.approx(alone.in_scope, abs=0.02)
        assert [g.name for g in together.ranked] == [g.name for g in alone.ranked]


def test_a_full_memory_is_begun_anew_while_others_read_it(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    texts = [text for _, texts in sorted(MESSAGES.items()) for text in texts] * 20
    wanted = [IntentClassifier.load(bundle).classify(text) for text in texts]
    longest = max(len(tokenise(text)) for text in texts)
    monkeypatch.setattr("chatbot.inference.classify._REMEMBERED", longest + 2)
    classifier = IntentClassifier.load(bundle)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(classifier.classify, texts))
    for one, other in zip(found, wanted, strict=True):
        assert [guess.name for guess in one.ranked] == [guess.name for guess in other.ranked]
        # which tokens are looked up together shows in the last digits
        assert one.in_scope == pytest.approx(other.in_scope, abs=1e-5)


def test_two_intents_with_five_examples_each_and_no_split_are_enough(tmp_path: Path):
    few = [
        {"text": text, "intent": intent, "lang": "en"}
        for (intent, lang), texts in MESSAGES.items()
        if lang == "en"
        for text in [*texts, f"{texts[0]} now"]
    ]
    train_classifier(few, tmp_path, languages=["en"], device="cpu", recipe=TINY)
    result = IntentClassifier.load(tmp_path).classify("give me my money back")
    assert result.top is not None
    assert result.top.name == "refund"


def test_training_twice_gives_the_same_files(tmp_path: Path):
    quick = Recipe(steps=20, least_epochs=1, embedding=16, hidden=8, buckets=128, encoder_vectors=False)
    for name in ("one", "two"):
        train_classifier(rows(2), tmp_path / name, languages=["en", "zh"], device="cpu", recipe=quick)
    for file in ("config.json", "model.onnx", "embeddings.safetensors", "vocabulary.txt"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_one_intent_is_refused(tmp_path: Path):
    only = [row for row in rows(1) if row["intent"] == "refund"] + [
        {"text": "tell me a joke", "intent": OUT_OF_SCOPE, "lang": "en"},
        {"text": "no label", "intent": None, "lang": "en"},
    ]
    with pytest.raises(TrainingError, match="at least two intents"):
        train_classifier(only, tmp_path, languages=["en"], device="cpu", recipe=TINY)


def test_without_a_valid_part_whole_groups_are_held_out():
    examples = read_examples(
        {"text": f"{intent} {i}", "intent": intent, "lang": "en", "group": f"{intent}{i // 2}"}
        for intent in ("a", "b", "c")
        for i in range(20 if intent != "c" else 2)
    )
    split = split_examples(examples, seed=1)
    assert {e.intent for e in split.valid} == {"a", "b"}
    assert {e.intent for e in split.train} == {"a", "b", "c"}
    assert not {e.group for e in split.valid} & {e.group for e in split.train}


def test_the_test_part_is_never_read():
    examples = read_examples(
        {"text": f"x {i}", "intent": "a", "lang": "en", "split": part}
        for i, part in enumerate(["test", "train", "valid"])
    )
    split = split_examples(examples, seed=1)
    assert [e.text for e in split.train + split.valid] == ["x 1", "x 2"]


def test_a_follow_up_is_understood_with_the_turn_before(tmp_path: Path):
    asked = {"refund": "do you want your money back", "tracking": "shall i look up your parcel"}
    source = random.Random(1)
    with_history = rows(3)
    for i in range(40):
        for intent, question in asked.items():
            with_history.append(
                {
                    "text": source.choice(["yes please", "yes", "ok do that", "sure, thanks"]),
                    "intent": intent,
                    "lang": "en",
                    "context": [{"role": "agent", "text": question}],
                    "split": "valid" if i % 5 == 0 else "train",
                    "group": f"{intent}{i}",
                }
            )
    recipe = Recipe(
        steps=250,
        least_epochs=2,
        embedding=48,
        hidden=24,
        buckets=1024,
        encoder_vectors=False,
        context_dropout=0.2,
    )
    train_classifier(with_history, tmp_path, languages=["en"], device="cpu", recipe=recipe)
    classifier = IntentClassifier.load(tmp_path)
    for intent, question in asked.items():
        result = classifier.classify("yes please", history=[Message("agent", question)])
        assert result.top is not None
        assert result.top.name == intent


def test_words_count_less_where_what_was_said_before_tells_more(tmp_path: Path):
    asked = {"refund": "do you want your money back", "tracking": "shall i look up your parcel"}
    misleading = {"refund": "and for the parcel", "tracking": "and with my money"}
    made = rows(6)
    for i in range(200):
        for intent, question in asked.items():
            made.append(
                {
                    "text": misleading[intent],
                    "intent": intent,
                    "lang": "en",
                    "context": [{"role": "agent", "text": question}],
                    "split": "valid" if i % 5 == 0 else "train",
                    "group": f"{intent}{i}",
                }
            )
    # the same words before anything was said mean what they say
    for intent, text in (("tracking", "and for the parcel"), ("refund", "and with my money")):
        plain = {"text": text, "intent": intent, "lang": "en", "context": [], "split": "train"}
        made += [plain | {"group": f"plain {intent}"}] * 250
    recipe = replace(TINY, steps=250, context_dropout=0.0)
    report = train_classifier(made, tmp_path, languages=["en"], device="cpu", recipe=recipe)
    classifier = IntentClassifier.load(tmp_path)
    assert classifier.config.words_after_history < 1
    # held against the network with these histories, and with the linear model counting as little behind them
    assert report.parity["same_top"] >= 0.995
    assert report.parity["largest_confidence_gap"] <= 0.02
    for intent, question in asked.items():
        history = [Message("agent", question)]
        result = classifier.classify(misleading[intent], history=history)
        assert result.top is not None
        assert result.top.name == intent
        (in_a_batch,) = classifier.classify_batch([misleading[intent]], histories=[history])
        assert in_a_batch.top is not None
        assert in_a_batch.top.name == intent
        assert in_a_batch.top.confidence == pytest.approx(result.top.confidence, abs=1e-3)
        alone = classifier.classify(misleading[intent])
        assert alone.top is not None
        assert alone.top.name != intent
        replace(classifier.config, words_after_history=1.0).save(tmp_path)
        again = IntentClassifier.load(tmp_path).classify(misleading[intent])
        # which tokens are looked up together shows in the last digits
        assert again.in_scope == pytest.approx(alone.in_scope, abs=1e-5)
        assert [(guess.name, pytest.approx(guess.confidence, abs=1e-5)) for guess in again.ranked] == [
            (guess.name, guess.confidence) for guess in alone.ranked
        ]


def asked_on() -> list[dict]:
    """A follow-up, and the messages of both intents, none of which has a history."""
    asked = [{"role": "agent", "text": "shall i look up your parcel"}]
    follow_up = {"text": "yes please", "intent": "tracking", "lang": "en", "context": asked, "split": "train"}
    return rows(2) + [follow_up] * 10


def dataset(recipe: Recipe) -> Dataset:
    labels = ("refund", "tracking")
    split = split_examples(read_examples(asked_on()), seed=1)
    config = ClassifierConfig(labels, ("en", "zh"), 32, 16, 400, buckets=recipe.buckets)
    return Dataset.prepare(split, labels, config, recipe, 1)


def test_a_teacher_is_told_what_was_said_before_a_message():
    told: dict[str, set[tuple[str, ...]]] = {}

    def teacher(texts: Sequence[str], histories: Sequence[Sequence[Message]]) -> Lesson:
        for text, before in zip(texts, histories, strict=True):
            told.setdefault(text, set()).add(tuple(turn.text for turn in before))
        return Lesson(np.zeros((len(texts), 3), np.float32), np.zeros((len(texts), 0), np.float32))

    dataset(replace(TINY, augmented=20)).learn_from(teacher, ["is it open"])
    assert told.pop("yes please") == {("shall i look up your parcel",)}
    assert told["is it open"] == {()}
    assert set().union(*told.values()) == {()}


def test_what_means_nothing_is_outside_whatever_the_teacher_takes_it_for():
    def teacher(texts: Sequence[str], histories: Sequence[Sequence[Message]]) -> Lesson:
        return Lesson(np.tile(np.float32([5, 1, -5]), (len(texts), 1)), np.zeros((len(texts), 0), np.float32))

    data = dataset(replace(TINY, augmented=20))
    own = [e.text for e in data.split.train] + list(data.pools.train)
    data.learn_from(teacher, [])
    assert data.lesson is not None
    outside = data.lesson.logits[: len(own)].argmax(axis=1) == 2
    assert outside.tolist() == [text in data.pools.trained_noise for text in own]
    assert outside.any()


def test_a_folder_without_a_classifier_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match="no intent classifier"):
        IntentClassifier.load(tmp_path)


def test_a_damaged_model_file_is_refused(bundle: Path, tmp_path: Path):
    for file in bundle.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(BundleError, match="cannot be loaded"):
        IntentClassifier.load(tmp_path)
