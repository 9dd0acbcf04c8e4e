from __future__ import annotations

import random

from chatbot.learning.classifier_data import Example, Split, coherent, labels_of
from chatbot.learning.label_quality import incoherent_intents

TOPICS = {
    "refund": ("money", "back", "refund", "paid", "return"),
    "tracking": ("parcel", "where", "courier", "shipped", "arrive"),
    "password": ("login", "password", "account", "reset", "email"),
    "hours": ("open", "shop", "sunday", "close", "today"),
    "warranty": ("broken", "repair", "years", "guarantee", "machine"),
}


def messages(counts: dict[str, int], *, junk: int) -> tuple[list[str], list[str]]:
    source = random.Random(0)
    fillers = [f"word{i}" for i in range(40)]
    texts, intents = [], []
    for intent, n in counts.items():
        for _ in range(n):
            texts.append(" ".join(source.sample(TOPICS[intent], 3) + source.sample(fillers, 3)))
            intents.append(intent)
    for _ in range(junk):
        topic = source.choice(list(TOPICS.values()))
        texts.append(" ".join(source.sample(topic, 3) + source.sample(fillers, 3)))
        intents.append("repeat_customer")
    return texts, intents


def test_a_tag_on_messages_of_every_kind_is_found():
    found = incoherent_intents(*messages(dict.fromkeys(TOPICS, 30), junk=120), seed=1)
    assert [tag.intent for tag in found] == ["repeat_customer"]
    assert found[0].n == 120


def test_an_intent_that_is_merely_frequent_is_kept():
    counts = dict.fromkeys(TOPICS, 30) | {"tracking": 200}
    assert incoherent_intents(*messages(counts, junk=0), seed=1) == []


def test_evenly_used_tags_are_not_suspected():
    assert incoherent_intents(*messages(dict.fromkeys(TOPICS, 30), junk=30), seed=1) == []


def test_what_means_nothing_is_neither_learnt_nor_validated_on():
    texts, intents = messages(dict.fromkeys(TOPICS, 30), junk=120)
    examples = tuple(Example(text, intent, "en") for text, intent in zip(texts, intents, strict=True))
    split, left_out = coherent(Split(examples, examples[-20:], (), ()), seed=1)
    assert labels_of(split) == tuple(sorted(TOPICS))
    assert split.valid == ()
    assert [tag.intent for tag in left_out] == ["repeat_customer"]
