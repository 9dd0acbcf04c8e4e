"""The pointer network: what is computed for whole replies equals what is computed step by step."""

import pytest
import torch

from chatbot.errors import TrainingError
from chatbot.neural.pointer import LONGEST_RUN, copy_runs, sentence_starts
from chatbot.neural.response_generator import (
    DecoderStep,
    GeneratorConfig,
    ReplyBatch,
    ResponseGeneratorNetwork,
)

VOCABULARY = 24


def network(**changes: object) -> ResponseGeneratorNetwork:
    torch.manual_seed(3)
    shape = {
        "vocabulary": VOCABULARY,
        "embedding": 12,
        "encoder_units": 8,
        "decoder_units": 16,
        "dropout": 0.0,
    }
    pieces = torch.arange(VOCABULARY)
    return ResponseGeneratorNetwork(
        GeneratorConfig(**{**shape, **changes}),  # type: ignore[arg-type]
        ends=(pieces % 4 == 0).float() * (1 + (pieces < 3)),
        opens=(pieces % 3 == 0).float(),
    ).eval()


def batch(*rows: tuple[list[int], list[int]], intents: list[int] | None = None) -> ReplyBatch:
    def pad(sequences: list[list[int]]) -> torch.Tensor:
        width = max(map(len, sequences))
        return torch.tensor([row + [0] * (width - len(row)) for row in sequences])

    return ReplyBatch(
        source=pad([source for source, _ in rows]),
        fed=pad([[2, *reply] for _, reply in rows]),
        wanted=pad([[*reply, 1] for _, reply in rows]),
        intent=torch.tensor(intents or [0] * len(rows)),
        n_tokens=sum(len(source) + len(reply) for source, reply in rows),
    )


def test_runs_count_the_pieces_before_a_position_that_were_just_written() -> None:
    source = torch.tensor([[5, 6, 7, 8, 5, 6]])
    fed = torch.tensor([[2, 5, 6, 7]])
    runs, covered = copy_runs(source, fed)
    assert runs[0, 0].tolist() == [0, 0, 0, 0, 0, 0]
    assert runs[0, 1].tolist() == [0, 1, 0, 0, 0, 1]  # 5 was written: 6 may follow, twice
    assert runs[0, 2].tolist() == [0, 0, 2, 0, 0, 0]  # 5 6 was written: 7 follows at one place
    assert runs[0, 3].tolist() == [0, 0, 0, 3, 0, 0]
    # the last position has no run after it: its own coverage stays unknown, and nothing follows it
    assert covered[0, 2].tolist() == [False, True, False, False, False, False]
    assert covered[0, 3].tolist() == [False, True, True, False, False, False]


def test_a_sentence_starts_after_a_tag_or_at_an_opening_piece_after_a_stop() -> None:
    ends, opens = torch.zeros(10), torch.zeros(10)
    ends[1], ends[4], opens[7] = 2.0, 1.0, 1.0  # 1: a tag, 4: a stop, 7: a piece with a space before it
    source = torch.tensor([[1, 5, 4, 7, 6, 4, 5, 7]])
    assert sentence_starts(source, ends, opens)[0].tolist() == [1, 1, 0, 1, 0, 0, 0, 0]


def test_runs_are_capped() -> None:
    source = torch.arange(3, 15)[None]
    runs, _ = copy_runs(source, torch.cat([torch.tensor([[2]]), source], dim=1))
    assert int(runs.max()) == LONGEST_RUN


@torch.no_grad()
def test_the_step_gives_what_the_whole_reply_gives() -> None:
    net = network()
    generator = torch.Generator().manual_seed(1)
    source = torch.randint(3, 9, (1, 14), generator=generator)
    reply = torch.randint(3, 9, (12,), generator=generator).tolist()
    whole = batch((source[0].tolist(), reply))
    losses, real = net.token_losses(whole)
    memory = net.encode(source, torch.zeros(1, dtype=torch.long))
    step = DecoderStep(net, best=VOCABULARY)
    hidden, cell = memory.hidden, memory.cell
    runs = covered = torch.zeros(source.shape)
    for place, (fed, wanted) in enumerate(zip(whole.fed[0], whole.wanted[0], strict=True)):
        scores, ids, hidden, cell, runs, covered, _ = step(
            fed[None], hidden, cell, runs, covered, source, memory.values, memory.keys
        )
        chosen = scores[0][ids[0] == wanted]
        assert float(chosen) == pytest.approx(-float(losses[0, place]), abs=1e-4)
        assert float(scores.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    assert bool(real.all())


@torch.no_grad()
def test_the_decoders_step_follows_the_gate_equations() -> None:
    net = network()
    x, hidden, cell = torch.randn(2, 12), torch.randn(2, 16), torch.randn(2, 16)
    expected, (_, expected_cell) = net.decoder(x[:, None], (hidden[None], cell[None]))
    from chatbot.neural.response_generator import _lstm_step

    got, got_cell = _lstm_step(net.decoder, x, hidden, cell)
    assert torch.allclose(got, expected[:, 0], atol=1e-6)
    assert torch.allclose(got_cell, expected_cell[0], atol=1e-6)


@torch.no_grad()
def test_padding_a_reply_changes_nothing_and_counts_nothing() -> None:
    net = network()
    alone, real_alone = net.token_losses(batch(([5, 6, 7, 8], [6, 7])))
    padded, real = net.token_losses(batch(([5, 6, 7, 8], [6, 7]), ([9, 8, 7, 6], [8, 7, 6, 5, 4])))
    assert torch.allclose(alone[0], padded[0, :3], atol=1e-6)
    assert real[0].tolist() == [True, True, True, False, False, False]
    assert int(real_alone.sum()) == 3


@torch.no_grad()
def test_the_intent_changes_the_reply() -> None:
    net = network(intents=("refund", "delivery"))
    row = ([5, 6, 7], [6, 7])
    first, _ = net.token_losses(batch(row, intents=[1]))
    second, _ = net.token_losses(batch(row, intents=[2]))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("changes", [{}, {"scheduled_sampling": 0.5}, {"label_smoothing": 0.1}])
def test_it_learns_to_copy_words_it_never_wrote(changes: dict[str, float]) -> None:
    """Trained on copying some pieces, it copies others: the pointer, not the vocabulary, does the work."""
    net = network(**changes).train()
    generator = torch.Generator().manual_seed(5)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)

    def rows(low: int, high: int, n: int) -> list[tuple[list[int], list[int]]]:
        made = []
        for _ in range(n):
            source = (torch.randperm(high - low, generator=generator)[:6] + low).tolist()
            made.append((source, source[2:5]))
        return made

    for _ in range(150):
        loss = net.loss(batch(*rows(3, 15, 16)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        losses, _ = net.token_losses(batch(*rows(15, 24, 32)))
    assert float(losses[:, 1:3].mean()) < 1.0  # log(24) = 3.2 is a guess; the first piece opens the copy


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(TrainingError, match="scheduled_sampling"):
        GeneratorConfig(vocabulary=10, scheduled_sampling=1.0)
    with pytest.raises(TrainingError, match="embedding"):
        GeneratorConfig(vocabulary=10, embedding=0)
