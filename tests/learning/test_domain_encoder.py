import numpy as np
import pytest

from chatbot.errors import TrainingError
from chatbot.inference.encode import SentenceEncoder
from chatbot.learning.domain_encoder import (
    DomainEncoderSettings,
    Positive,
    character_tokenizer,
    fit_characters,
    positives_of,
    train_domain_encoder,
)

PASSAGES = [
    {"article": "refund", "title_path": "退款多久到账", "text": "仓库签收后三个工作日内原路退回。"},
    {"article": "invoice", "title_path": "如何开具发票", "text": "在订单页面申请电子发票。"},
    {"article": "delivery", "title_path": "配送时间", "text": "包裹两天内送达。"},
    {"article": "coupon", "title_path": "优惠券无法使用", "text": "优惠券有使用门槛和有效期。"},
]
SLANG = {
    "refund": "钱咋还没回来",
    "invoice": "报销凭据在哪弄",
    "delivery": "东西啥时候能收着",
    "coupon": "打折码不管用",
}
PAIRS = [
    {"query": text + tail, "article": article} for article, text in SLANG.items() for tail in ("", "呢", "啊")
]
FAST = DomainEncoderSettings(dimension=64, min_steps=120)


def test_training_brings_customers_words_to_the_articles_they_ask_for(tmp_path):
    figures = train_domain_encoder(
        PASSAGES, PAIRS, tmp_path / "encoder", languages=("zh",), settings=FAST, seed=1
    )
    encoder = SentenceEncoder.load(tmp_path / "encoder")
    titles = encoder.encode([row["title_path"] for row in PASSAGES])
    asked = encoder.encode(["喂钱咋还没回来呀", "报销凭据", "啥时候收着东西", "打折码用不了"])
    assert (asked @ titles.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert figures["pairs"] == 12 and encoder.languages == ("zh",)
    none = train_domain_encoder(PASSAGES, [], tmp_path / "untaught", languages=("zh",), settings=FAST, seed=1)
    untaught = SentenceEncoder.load(tmp_path / "untaught")
    titles = untaught.encode([row["title_path"] for row in PASSAGES])
    asked = untaught.encode(["报销凭据", "打折码用不了"])
    assert none["pairs"] == 0 and (asked @ titles.T).argmax(axis=1).tolist() != [1, 3]


def test_an_untrained_encoder_already_compares_by_rare_characters():
    texts = [row["title_path"] for row in PASSAGES]
    tokenizer, table = fit_characters([], seed=0, settings=FAST, extra_texts=texts)
    sums = np.stack([table[row.ids].sum(axis=0) for row in tokenizer.encode_batch_fast([*texts, "发票呢"])])
    sums /= np.linalg.norm(sums, axis=1, keepdims=True)
    assert (sums[:4] @ sums[4]).argmax() == 1


def test_the_served_graph_is_the_trained_bag(tmp_path):
    train_domain_encoder(PASSAGES, PAIRS, tmp_path / "encoder", languages=("zh",), settings=FAST, seed=3)
    encoder = SentenceEncoder.load(tmp_path / "encoder")
    (states, vector), (unknown_states, unknown) = encoder.encode_tokens(["退款ＡＢＣ", "꧁꧂"])
    assert states.shape == (3, 64)
    assert np.allclose(vector, states.sum(axis=0) / np.linalg.norm(states.sum(axis=0)), atol=1e-5)
    assert not unknown.any() and not unknown_states.any()


def test_the_same_seed_gives_the_same_encoder(tmp_path):
    fingerprints = set()
    for name in ("a", "b"):
        train_domain_encoder(PASSAGES, PAIRS, tmp_path / name, languages=("zh",), settings=FAST, seed=5)
        fingerprints.add(SentenceEncoder.load(tmp_path / name).fingerprint)
    assert len(fingerprints) == 1


def test_a_text_twice_as_long_has_the_same_vector(tmp_path):
    train_domain_encoder(PASSAGES, PAIRS, tmp_path / "encoder", languages=("zh",), settings=FAST)
    encoder = SentenceEncoder.load(tmp_path / "encoder")
    once, twice = encoder.encode(["退款多久到账", "退款多久到账" * 2])
    assert np.allclose(once, twice, atol=1e-6)


def test_texts_are_split_into_characters_and_words():
    tokenizer = character_tokenizer(["我的 iPhone15 订单"])
    assert tokenizer.encode("我的ＩＰＨＯＮＥ15，订单？").tokens == ["我", "的", "iphone15", "订", "单"]
    assert tokenizer.encode("猫").ids == [0]


def test_questions_for_one_article_are_positives_and_never_negatives():
    positives = positives_of(PASSAGES, [("甲", "refund"), ("乙", "refund"), ("丙", "invoice")])
    assert Positive("乙", "甲", "refund") in positives
    assert {item.group for item in positives if "丙" in (item.first, item.second)} == {"invoice"}


def test_nothing_to_train_on_is_said(tmp_path):
    with pytest.raises(TrainingError, match="no texts"):
        train_domain_encoder([], [], tmp_path / "encoder", languages=("zh",))
