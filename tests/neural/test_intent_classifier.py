from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from chatbot.errors import TrainingError
from chatbot.language.tokens import Vocabulary, tokenise
from chatbot.neural.batches import Collator, TextBatch
from chatbot.neural.intent_classifier import IntentConfig, IntentNetwork
from chatbot.neural.objectives import classification_loss

VOCABULARY = Vocabulary(["where", "is", "my", "card", "order"], buckets=64)


def network(**changes) -> IntentNetwork:
    torch.manual_seed(3)
    sizes = {
        "words": len(VOCABULARY),
        "classes": 3,
        "buckets": 64,
        "embedding": 12,
        "hidden": 5,
        "attention": 4,
    }
    return IntentNetwork(IntentConfig(**{**sizes, **changes})).eval()


def batch(
    *texts: str, starts: list[int] | None = None, targets: list[int] | None = None, **options
) -> TextBatch:
    collator = Collator(VOCABULARY)
    rows = [collator.ids(tokenise(text)) for text in texts]
    return collator.batch(rows, starts or [0] * len(texts), targets or [0] * len(texts), **options)


def written_out_lstm(lstm: torch.nn.LSTM, x: torch.Tensor) -> torch.Tensor:
    """The cell after Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000, gate by gate.

    x [t, e] → states [t, h].
    """
    size = lstm.hidden_size
    w = lstm.weight_ih_l0.split(size)
    r = lstm.weight_hh_l0.split(size)
    b = (lstm.bias_ih_l0 + lstm.bias_hh_l0).split(size)
    h = torch.zeros(size, dtype=x.dtype)
    c = torch.zeros(size, dtype=x.dtype)
    states = []
    for step in x:
        input_gate = torch.sigmoid(w[0] @ step + r[0] @ h + b[0])
        forget_gate = torch.sigmoid(w[1] @ step + r[1] @ h + b[1])
        candidate = torch.tanh(w[2] @ step + r[2] @ h + b[2])
        output_gate = torch.sigmoid(w[3] @ step + r[3] @ h + b[3])
        c = forget_gate * c + input_gate * candidate
        h = output_gate * torch.tanh(c)
        states.append(h)
    return torch.stack(states)


@torch.no_grad()
def test_both_directions_follow_the_gate_equations():
    model = network().double()
    x = torch.randn(2, 6, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([6, 4])
    states = model.pooling.states(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        forwards = written_out_lstm(model.pooling.forwards, x[row, :length])
        backwards = written_out_lstm(model.pooling.backwards, x[row, :length].flip(0)).flip(0)
        expected = torch.cat([forwards, backwards], dim=-1)
        assert torch.allclose(states[row, :length], expected, atol=1e-6, rtol=0)


@torch.no_grad()
def test_padding_changes_nothing():
    model = network()
    together = model(batch("card", "where is my order please tell me now"))
    alone = model(batch("card"))
    assert torch.allclose(together[0], alone[0], atol=1e-6)


@torch.no_grad()
def test_context_is_read_but_not_pooled():
    model = network()
    bare = model(batch("my card"))
    framed = model(batch("where is my card", starts=[2]))
    whole = model(batch("where is my card"))
    assert not torch.allclose(bare, framed, atol=1e-4)
    assert not torch.allclose(whole, framed, atol=1e-4)


def test_the_loss_ignores_unlabelled_rows_without_a_teacher():
    model = network()
    one = model.loss(batch("my card", targets=[1]))
    both = model.loss(batch("my card", "where is", targets=[1, -1]))
    assert both.item() == pytest.approx(one.item(), rel=1e-5)


def test_a_student_that_agrees_with_its_teacher_has_no_distillation_loss():
    model = network(label_smoothing=0.0, teacher_weight=1.0, wide=False)
    texts = batch("my card", "where is my order")
    with torch.no_grad():
        logits = model(texts)
    agreeing = batch("my card", "where is my order", teacher=logits)
    opposed = batch("my card", "where is my order", teacher=-50 * logits)
    assert model.loss(agreeing).item() == pytest.approx(0, abs=1e-6)
    assert model.loss(opposed).item() > 0.1


@torch.no_grad()
def test_the_linear_model_weighs_features_by_rarity_whatever_their_order_and_the_context():
    model = network()
    model.wide_word.weight.normal_(generator=torch.Generator().manual_seed(0))
    model.wide_gram.weight.normal_(generator=torch.Generator().manual_seed(1))
    forwards, backwards = batch("where is my card"), batch("card my is where")
    assert torch.allclose(model.linear(forwards), model.linear(backwards), atol=1e-5)
    with_context = batch("where is my card", starts=[2])
    assert torch.allclose(model.linear(with_context), model.linear(batch("my card")), atol=1e-5)
    before = model.linear(forwards)
    model.word_rarity[1:] = 7.0
    assert not torch.allclose(before, model.linear(forwards), atol=1e-2)


def test_the_forget_gate_starts_open():
    model = network()
    assert model.pooling.forwards.bias_ih_l0[5:10].tolist() == [1.0] * 5
    assert model.pooling.forwards.bias_hh_l0.abs().sum() == 0


def test_one_intent_is_refused():
    with pytest.raises(TrainingError, match="at least two intents"):
        network(classes=1)


def test_a_text_of_which_the_teacher_says_nothing_counts_by_its_label():
    logits = torch.tensor([[2.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0], [1.0, 0.0, 3.0, 0.0]])
    targets = torch.tensor([0, 1, -1])
    silent = torch.full((3, 4), torch.nan)
    by_label = functional.cross_entropy(logits[:2], targets[:2], reduction="sum") / 3
    assert classification_loss(logits, targets, teacher=silent) == pytest.approx(by_label.item())
    said = silent.clone()
    said[0] = torch.tensor([5.0, 0.0, 0.0, 0.0])
    alone = classification_loss(logits[:1], targets[:1], teacher=said[:1])
    own = functional.cross_entropy(logits[1:2], targets[1:2])
    assert classification_loss(logits, targets, teacher=said).item() == pytest.approx(
        (alone + own).item() / 3, rel=1e-5
    )


def test_a_teacher_without_vectors_of_a_text_pulls_it_nowhere():
    net = network(teacher_width=6)
    made = batch("where is my card", "order", targets=[0, 1])
    silent = replace(made, teacher_vectors=torch.zeros(2, 6))
    assert net.loss(silent).item() == pytest.approx(net._against(made, net.head(net.features(made))).item())
    told = replace(made, teacher_vectors=torch.eye(6)[:2])
    assert net.loss(told).item() > net.loss(silent).item()


def test_texts_that_a_teacher_cannot_read_are_regularised_as_without_one():
    network = IntentNetwork(
        IntentConfig(words=5, classes=3, buckets=8, embedding=4, hidden=2, dropout=0.1, untaught_dropout=0.8)
    )
    teacher = torch.zeros(2, 4)
    teacher[1] = torch.nan
    batch = TextBatch(
        *(torch.zeros(2, dtype=torch.long) for _ in range(3)),
        tokens=torch.zeros(2, 1, dtype=torch.long),
        lengths=torch.ones(2, dtype=torch.long),
        starts=torch.zeros(2, dtype=torch.long),
        targets=torch.zeros(2, dtype=torch.long),
        teacher=teacher,
    )
    torch.manual_seed(1)
    ones = torch.ones(2, 20_000)
    taught, alone = network.train()._dropped(ones, batch, 0.1, 0.8)
    assert (taught == 0).float().mean() == pytest.approx(0.1, abs=0.01)
    assert (alone == 0).float().mean() == pytest.approx(0.8, abs=0.01)
    assert taught.mean() == pytest.approx(1, abs=0.02) and alone.mean() == pytest.approx(1, abs=0.05)
    assert torch.equal(network.eval()._dropped(ones, batch, 0.1, 0.8), ones)
