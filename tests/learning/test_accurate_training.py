from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import torch

from chatbot.errors import BundleError, TrainingError
from chatbot.inference.classifier_config import CONFIG_FILE, GRAPH_FILE, ClassifierConfig
from chatbot.inference.classify_states import AccurateClassifier, CascadeClassifier, load_classifier
from chatbot.inference.encode import EncoderConfig, SentenceEncoder
from chatbot.inference.sessions import open_session
from chatbot.learning.accurate_training import (
    AccurateRecipe,
    _evenly,
    teacher_of,
    train_accurate,
)
from chatbot.learning.classifier_data import Example, Recipe, Split
from chatbot.learning.few_examples import Rows, class_batches, named_examples
from chatbot.learning.tiers import Encoder, train_tiers
from chatbot.learning.training_stages import _to_tune
from chatbot.neural.export import export_states
from chatbot.neural.state_classifier import StateBatch, StateConfig, StateNetwork, load_encoder, vector_scale

WIDTH = 24
QUICK = AccurateRecipe(tune=False, head_epochs=4, least_steps=200, hidden=16)
TINY = Recipe(steps=60, least_epochs=1, embedding=24, hidden=12, buckets=256, augmented=60)


class WordStates:
    """A sentence encoder in small: each word has its fixed random state, their mean is the text's vector."""

    config = EncoderConfig("words", "f1", WIDTH, WIDTH, 64, ("en",))
    fingerprint = "f1"
    languages = ("en",)

    def encode_tokens(self, texts):
        results = []
        for text in texts:
            words = text.lower().split() or ["?"]
            states = np.stack(
                [np.random.default_rng(crc32(w.encode())).normal(size=WIDTH) for w in words]
            ).astype(np.float32)
            mean = states.mean(axis=0)
            results.append((states, mean / np.linalg.norm(mean)))
        return results

    def encode(self, texts):
        return np.stack([vector for _, vector in self.encode_tokens(texts)])

    def encode_alike(self, texts):
        read = self.encode_tokens(texts)
        lengths = np.asarray([len(states) for states, _ in read], np.int32)
        padded = np.zeros((len(read), lengths.max(), WIDTH), np.float32)
        for row, (states, _) in zip(padded, read, strict=True):
            row[: len(states)] = states
        return padded, np.stack([vector for _, vector in read]), lengths


def rows() -> list[dict]:
    texts = {
        "refund": ["i want my money back", "refund my payment", "give me a refund", "money back please"],
        "tracking": ["where is my parcel", "track my package", "parcel status please", "when does it arrive"],
    }
    return [
        {"text": f"{opener} {text}", "intent": intent, "lang": "en", "split": "valid" if i == 0 else "train"}
        for intent, own in texts.items()
        for i, opener in enumerate(["hello", "hi", "well", "so", "excuse me", "now"])
        for text in own
    ]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiers")
    encoder = Encoder(WordStates())
    report = train_tiers(
        rows(),
        folder,
        tier="auto",
        languages=["en"],
        encoder=encoder,
        device="cpu",
        recipe=TINY,
        accurate_recipe=QUICK,
    )
    assert report.accurate is not None
    assert report.accurate.metrics["accuracy"] > 0.9
    assert report.accurate.parity["same_top"] >= 0.995
    assert report.cascade is not None
    shares = [point.fast_share for point in report.cascade.curve]
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)
    return folder


def test_each_tier_can_be_served_from_one_folder(bundle: Path):
    for tier in ("fast", "accurate", "auto"):
        classifier = load_classifier(bundle, tier=tier, encoder=WordStates())
        result = classifier.classify("so refund my money")
        assert result.top is not None
        assert result.top.name == "refund"
        assert classifier.classify("😡").ranked == ()


def test_the_cascade_asks_the_accurate_tier_only_where_the_fast_one_is_not_sure(bundle: Path):
    cascade = load_classifier(bundle, tier="auto", encoder=WordStates())
    assert isinstance(cascade, CascadeClassifier)
    cascade.sure = 0.0
    assert cascade.classify("hi where is my parcel").tier == "fast"
    cascade.sure = 1.1
    assert cascade.classify("hi where is my parcel").tier == "accurate"
    assert cascade.classify("我的包裹在哪里").tier == "fast"


def test_words_are_left_out_as_the_tier_that_decides_reads_them(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    text = "excuse me give me a refund"
    without = ["me give me a refund", "excuse me give me a", "refund"]
    accurate = load_classifier(bundle, tier="accurate", encoder=WordStates())
    whole, found = accurate.classify_without(text, without)
    assert whole == accurate.classify(text)
    for one, alone in zip(found, [accurate.classify(other) for other in without], strict=True):
        assert one.in_scope == pytest.approx(alone.in_scope, abs=0.02)
        assert one.probability_of("refund") == pytest.approx(alone.probability_of("refund"), abs=0.02)
    cascade = load_classifier(bundle, tier="auto", encoder=WordStates())
    cascade.sure = 0.0
    assert cascade.classify_without(text, without) == cascade.fast.classify_without(text, without)
    cascade.sure = 1.1
    read: list[str] = []
    alike = cascade.accurate.classify_alike
    monkeypatch.setattr(
        cascade.accurate, "classify_alike", lambda texts, **rest: read.extend(texts) or alike(texts, **rest)
    )
    whole, found = cascade.classify_without(text, [*without, "me", "a refund please"])
    assert whole == cascade.classify(text)
    assert [one.tier for one in found] == ["accurate"] * 5
    # the slow tier is asked about the three without which the fast one finds the intent least likely
    drops = {
        one: cascade.fast.classify(one).probability_of("refund")
        for one in [*without, "me", "a refund please"]
    }
    assert sorted(read, key=lambda one: drops[one]) == sorted(drops, key=lambda one: drops[one])[:3]


def test_another_encoder_is_refused(bundle: Path):
    other = WordStates()
    other.fingerprint = "f2"
    with pytest.raises(BundleError, match="another sentence encoder"):
        load_classifier(bundle, tier="accurate", encoder=other)
    with pytest.raises(BundleError, match="another sentence encoder"):
        load_classifier(bundle, tier="accurate")


def test_a_linear_model_over_the_untuned_encoders_vector_is_averaged_in(tmp_path: Path):
    torch.manual_seed(1)
    tuned = StateNetwork(StateConfig(classes=2, width=WIDTH, hidden=4, attention=4))
    both = StateNetwork(StateConfig(classes=2, width=WIDTH, hidden=4, attention=4, steady=True))
    both.load_state_dict(tuned.state_dict(), strict=False)
    assert both.steady is not None
    encoded = WordStates().encode_tokens(["hi refund my money", "track it"])
    untuned = [vector[::-1] for _, vector in encoded]
    with_both = [
        (states, np.hstack([vector, b])) for (states, vector), b in zip(encoded, untuned, strict=True)
    ]
    with torch.no_grad():
        alone = tuned.eval()(StateBatch.of(encoded, [0, 0]))
        steady = both.steady(torch.from_numpy(np.stack(untuned)) * vector_scale(WIDTH))
        found = both.eval()(StateBatch.of(with_both, [0, 0]))
        without = both(StateBatch.of(encoded, [0, 0]))
    assert found.numpy() == pytest.approx(((alone + steady) / 2).numpy(), abs=1e-5)
    assert without.numpy() == pytest.approx(alone.numpy(), abs=1e-6)  # as the training sees it
    export_states(both, tmp_path, int8=False)
    session = open_session(tmp_path / GRAPH_FILE)
    for (states, vector), logits in zip(with_both, found, strict=True):
        feeds = {
            "x": states[None],
            "lengths": np.asarray([len(states)], np.int32),
            "mask": np.zeros((1, len(states)), np.float32),
            "vector": vector[None],
        }
        assert session.run(["logits"], feeds)[0][0] == pytest.approx(logits.numpy(), abs=1e-4)


def test_what_another_version_has_written_into_the_settings_is_passed_over(bundle: Path, tmp_path: Path):
    folder = tmp_path / "accurate"
    shutil.copytree(bundle / "accurate", folder)
    body = json.loads((folder / CONFIG_FILE).read_text())
    (folder / CONFIG_FILE).write_text(json.dumps(body | {"steady": ""}))
    assert ClassifierConfig.load(folder) == ClassifierConfig.load(bundle / "accurate")


def test_few_examples_are_met_in_pairs_of_their_class_and_beside_outliers():
    rows = Rows(tuple("abcdefghij"), np.asarray([0, 0, 0, 1, 1, 2, 2, 2, 3, 3]), 8)
    for batch in class_batches(rows, 0.25, 5, seed=1, epoch=0):
        targets = rows.targets[batch].tolist()
        assert {targets.count(c) for c in (0, 1, 2)} == {4}
        assert targets.count(3) == 2
    first, second = (
        np.concatenate(list(class_batches(rows, 0.25, 5, seed=1, epoch=e))).tolist() for e in (0, 1)
    )
    assert first != second


def test_where_examples_are_few_the_intents_names_are_examples_too():
    few = [Example(f"text {i}", "card_arrival" if i % 2 else "T12", "en") for i in range(8)]
    assert [e.text for e in named_examples(("T12", "card_arrival"), few, ("en",))] == ["card arrival"]
    assert named_examples(("T12", "card_arrival"), few * 10, ("en",)) == []
    assert named_examples(("退款时间",), few[:1], ("en",)) == []


def test_the_teacher_says_what_the_served_tier_says(bundle: Path):
    lesson = teacher_of(bundle, encoder=WordStates())(["refund my money", "track it"], [(), ()])
    assert lesson.logits.shape == (2, 3)
    assert lesson.vectors.shape == (2, WIDTH)
    assert lesson.logits[0, :2].argmax() == 0


def test_a_language_the_encoder_does_not_know_gets_the_fast_tier_with_an_ensemble_for_teacher(tmp_path: Path):
    chinese = [
        {**row, "lang": "zh", "text": "退款" if row["intent"] == "refund" else "快递"} for row in rows()
    ]
    quick = Recipe(steps=8, least_epochs=1, embedding=8, hidden=4, buckets=64, augmented=5)
    encoder = Encoder(WordStates())
    report = train_tiers(
        chinese, tmp_path, tier="auto", languages=["zh"], encoder=encoder, device="cpu", recipe=quick
    )
    assert report.accurate is None
    assert report.main is report.fast


def test_tuning_without_weights_is_refused(tmp_path: Path):
    with pytest.raises(TrainingError, match="trained weights"):
        train_accurate(rows(), tmp_path, encoder=WordStates(), recipe=AccurateRecipe(tune=True))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT in small, with random weights and a vocabulary of the rows' words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("weights")
    words = sorted({word for row in rows() for word in row["text"].split()})
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(["?", *words])}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words) + 1,
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_an_encoder_tuned_on_few_examples_is_served_in_one_graph_with_what_it_said_before(
    weights: Path, tmp_path: Path
):
    few = [row for i, row in enumerate(rows()) if row["split"] == "valid" or i % 2]
    recipe = AccurateRecipe(epochs=4, least_steps=320, hidden=16)
    report = train_accurate(few, tmp_path, encoder=WordStates(), weights=weights, device="cpu", recipe=recipe)
    assert report.metrics["tuned"]
    assert report.metrics["accuracy"] > 0.8
    assert report.parity["same_top"] >= 0.99
    folder = tmp_path / "accurate"
    assert ClassifierConfig.load(folder).encoder == ""
    served = AccurateClassifier.load(folder)
    assert served.classify("so refund my money").top.name == "refund"
    own = SentenceEncoder.load(folder / "encoder")
    text = "well track my package"
    ((states, vector),) = own.encode_tokens([text])
    assert states.shape[1] == WIDTH
    tuned, before = np.split(vector, 2)
    untuned = load_encoder(weights)
    ids = torch.tensor([own._tokenizer.encode(text).ids])
    with torch.no_grad():
        read = untuned(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0].mean(0)
    read = (read / read.norm()).numpy()
    assert float(before @ read) > 0.998  # eight bits are nearly the same
    assert float(tuned @ read) < 0.995
    logits, lesson = served.study(text, ())
    assert lesson == pytest.approx(tuned)
    alike = served.raw([text, "hi track my package"]).logits
    assert logits == pytest.approx(alike[0], abs=1e-5)
    assert served._logits_alike([text, "hi track my package"], ()) == pytest.approx(alike, abs=0.35)


def test_on_a_gpu_a_packaged_encoder_learns_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("chatbot.neural.devices.resolve_device", torch.device)
    found = _to_tune("packaged", tmp_path, "cuda")
    assert found is not None
    assert (found / "model.safetensors").is_file()
    assert _to_tune("packaged", tmp_path, "cpu") is None
    assert _to_tune("somebody/model", tmp_path, "cuda") is None


def test_of_too_many_messages_each_intent_keeps_as_many_as_any_other_as_far_as_it_has_them():
    examples = tuple(
        Example(f"{intent} {n}", intent, "en")
        for intent, size in (("a", 5), ("b", 40), ("c", 90))
        for n in range(size)
    )
    split = _evenly(Split(examples, (), (), ()), 61, seed=1)
    assert Counter(e.intent for e in split.train) == {"a": 5, "b": 28, "c": 28}
    assert _evenly(Split(examples, (), (), ()), 135, seed=1).train == examples
