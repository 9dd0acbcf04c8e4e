from __future__ import annotations

import numpy as np
import pytest
import torch

from chatbot.language.tokens import Vocabulary
from chatbot.neural.batches import Collator, length_buckets, mask_of, pad


def test_every_row_is_in_exactly_one_bucket_and_buckets_hold_like_lengths():
    lengths = np.random.default_rng(0).integers(1, 60, 500).tolist()
    buckets = length_buckets(lengths, 32, seed=1, epoch=0)
    assert sorted(np.concatenate(buckets).tolist()) == list(range(500))
    spread = np.mean([np.ptp(np.asarray(lengths)[b]) for b in buckets])
    assert spread < 12  # 55 for random batches


@pytest.mark.parametrize("count", [1, 32, 33, 36, 64, 65, 67, 69, 97, 500])
def test_no_row_is_lost_where_a_tiny_last_batch_joins_the_one_before(count: int) -> None:
    lengths = np.random.default_rng(count).integers(1, 60, count).tolist()
    for epoch in range(3):
        buckets = length_buckets(lengths, 32, seed=1, epoch=epoch)
        assert sorted(np.concatenate(buckets).tolist()) == list(range(count))


def test_buckets_depend_on_seed_and_epoch_alone():
    lengths = list(range(1, 101))
    first = length_buckets(lengths, 10, seed=1, epoch=3)
    again = length_buckets(lengths, 10, seed=1, epoch=3)
    other = length_buckets(lengths, 10, seed=1, epoch=4)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_padding_and_mask_agree():
    ids, lengths = pad([[5, 6, 7], [8], []])
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0], [0, 0, 0]]
    assert mask_of(lengths, 3).tolist() == [[True] * 3, [True, False, False], [True, False, False]]


def test_a_batch_names_each_distinct_token_once():
    collator = Collator(Vocabulary(["card", "my"], buckets=50))
    rows = [collator.ids(["my", "card"]), collator.ids(["card", "card", "crd"])]
    batch = collator.batch(rows, [0, 0], [1, 0])
    assert batch.words.tolist() == [2, 1, 0]  # my, card, unknown
    assert batch.tokens.tolist() == [[0, 1, 0], [1, 1, 2]]
    assert batch.lengths.tolist() == [2, 3]
    assert batch.n_tokens == 5
    assert len(batch.offsets) == 3
    assert batch.to(torch.device("cpu")) is batch


def test_an_empty_text_becomes_one_unknown_token():
    batch = Collator(Vocabulary(["card"], buckets=50)).batch([np.zeros(0, np.int64)], [0], [0])
    assert batch.tokens.tolist() == [[0]]
    assert batch.words.tolist() == [0]
